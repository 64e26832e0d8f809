"""Forms of the sponsor pages."""

from typing import Any

from django import forms
from django.utils.html import format_html

from accounts import agent_limits
from accounts.agent_limits import AgentLimits
from accounts.grants import GRANTS
from accounts.models import Agent

# The grants that a sponsor chooses. The others (reading, feedback, quotes) cost nothing, so every
# agent keeps them.
GRANT_CHOICES = {
    "image.create": ("Create images", "Spends credits."),
    "image.edit": ("Edit images", "Spends credits."),
    "asset.upload": ("Upload images", "To edit them or use them as references. Free."),
    "output.batch": ("Multiple images per job", "Each image is charged."),
    "credits.buy": (
        "Buy credits",
        "Prepares purchases; a person still pays on Stripe's page.",
    ),
    "provenance.read": (
        "See providers and models",
        "Shows what created each image.",
    ),
}
_ALWAYS_GRANTED = tuple(grant for grant in GRANTS if grant not in GRANT_CHOICES)
_LIMIT_FIELDS = (
    "credits_per_operation",
    "credits_per_day",
    "credits_per_week",
    "credits_per_month",
    "credits_total",
    "outputs_per_request",
)

_MAX_CREDITS = 1_000_000


class AgentLimitsForm(forms.Form):
    """The permissions and limits of an agent."""

    allowed = forms.MultipleChoiceField(
        label="Permissions",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (
                grant,
                format_html('<b>{}</b><span class="help">{}</span>', name, description),
            )
            for grant, (name, description) in GRANT_CHOICES.items()
        ],
    )
    credits_per_operation = forms.IntegerField(label="Per job", min_value=0, max_value=_MAX_CREDITS)
    credits_per_day = forms.IntegerField(
        label="Per day", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    credits_per_week = forms.IntegerField(
        label="Per week", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    credits_per_month = forms.IntegerField(
        label="Per month", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    credits_total = forms.IntegerField(
        label="Total", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    outputs_per_request = forms.IntegerField(label="Max images per job", min_value=1, max_value=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _LIMIT_FIELDS:
            self.fields[name].widget.attrs.update(inputmode="numeric", placeholder="No limit")

    @classmethod
    def showing(cls, agent: Agent) -> "AgentLimitsForm":
        """Return the form with the agent's current permissions and limits."""
        current = agent_limits.for_agent(agent)
        initial: dict[str, Any] = {name: getattr(current, name) for name in _LIMIT_FIELDS}
        initial["allowed"] = [grant for grant in GRANT_CHOICES if grant in current.grants]
        return cls(initial=initial)

    def limits(self) -> AgentLimits:
        """Return the chosen permissions and limits."""
        data = self.cleaned_data
        return AgentLimits(
            grants=(*_ALWAYS_GRANTED, *data["allowed"]),
            **{name: data[name] for name in _LIMIT_FIELDS},
        )


class TransferForm(AgentLimitsForm):
    """What a new sponsor decides about an agent that another one transfers."""

    keeps_tokens = forms.BooleanField(
        label="Keep its current token",
        required=False,
        help_text="The former sponsor may know it and could go on using the agent. Without this, "
        "the token is revoked and you create a new one in the agent's settings.",
    )


class AddressForm(forms.Form):
    """One email address."""

    address = forms.EmailField(
        label="Email",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class ReportReasonForm(forms.Form):
    """An optional reason for a report."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ConfirmForm(forms.Form):
    """A confirmation of something that can't be undone."""

    sure = forms.BooleanField(label="I understand that this can't be undone")
