"""Forms of the sponsor's pages."""

from typing import Any

from django import forms
from django.utils.html import format_html

from accounts import agent_limits
from accounts.agent_limits import AgentLimits
from accounts.grants import GRANTS
from accounts.models import Agent

# What a sponsor is asked about, in the sponsor's words. Reading, reporting and asking for prices
# cost nothing and stay with every agent.
GRANT_CHOICES = {
    "image.create": ("Create images", "Spends credits."),
    "image.edit": ("Edit images", "Spends credits."),
    "asset.upload": ("Upload images", "To edit them, or to work after them. Free."),
    "output.batch": ("Several images at once", "One request, several images, paid for each."),
    "credits.buy": (
        "Buy credits",
        "It can prepare a purchase; a person still pays on Stripe's page.",
    ),
    "provenance.read": ("See providers and models", "Which service made an image."),
}
_ALWAYS_GRANTED = tuple(grant for grant in GRANTS if grant not in GRANT_CHOICES)
_CAP_FIELDS = (
    "credits_per_operation",
    "credits_per_day",
    "credits_per_week",
    "credits_per_month",
    "credits_total",
    "outputs_per_request",
)

_MAX_CREDITS = 1_000_000


class AgentLimitsForm(forms.Form):
    """What an agent may do and spend."""

    allowed = forms.MultipleChoiceField(
        label="What it may do",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (
                grant,
                format_html('<b>{}</b><span class="help">{}</span>', name, consequence),
            )
            for grant, (name, consequence) in GRANT_CHOICES.items()
        ],
    )
    credits_per_operation = forms.IntegerField(
        label="For one job", min_value=0, max_value=_MAX_CREDITS
    )
    credits_per_day = forms.IntegerField(
        label="A day", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    credits_per_week = forms.IntegerField(
        label="A week", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    credits_per_month = forms.IntegerField(
        label="A month", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    credits_total = forms.IntegerField(
        label="In all", min_value=0, max_value=_MAX_CREDITS, required=False
    )
    outputs_per_request = forms.IntegerField(label="Images in a job", min_value=1, max_value=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _CAP_FIELDS:
            self.fields[name].widget.attrs.update(inputmode="numeric", placeholder="no cap")

    @classmethod
    def showing(cls, agent: Agent) -> "AgentLimitsForm":
        """Fill the form with what the agent may do now."""
        now = agent_limits.for_agent(agent)
        initial: dict[str, Any] = {name: getattr(now, name) for name in _CAP_FIELDS}
        initial["allowed"] = [grant for grant in GRANT_CHOICES if grant in now.grants]
        return cls(initial=initial)

    def terms(self) -> AgentLimits:
        """Return the chosen terms."""
        data = self.cleaned_data
        return AgentLimits(
            grants=(*_ALWAYS_GRANTED, *data["allowed"]),
            **{name: data[name] for name in _CAP_FIELDS},
        )


class AddressForm(forms.Form):
    """One mail address."""

    address = forms.EmailField(
        label="Their mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class ReportReasonForm(forms.Form):
    """A reason, in a sentence."""

    reason = forms.CharField(
        label="What is wrong?",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ConfirmForm(forms.Form):
    """A box to tick before something that can't be undone."""

    sure = forms.BooleanField(label="Yes, I am sure.")
