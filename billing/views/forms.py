"""Forms of the sponsor's pages about money."""

from typing import Any

from django import forms

from billing.purchases import idempotency_keys, packs

CUSTOM_AMOUNT = "own"


class BuyForm(forms.Form):
    """A pack, or an amount of one's own. Its key makes a form that is sent twice order once."""

    pack = forms.CharField(max_length=64)
    credits = forms.IntegerField(
        label="How many credits",
        required=False,
        min_value=packs.MIN_CREDITS,
        max_value=packs.MAX_CREDITS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    idempotency_key = forms.CharField(max_length=200, widget=forms.HiddenInput)

    @classmethod
    def fresh(cls) -> "BuyForm":
        """Make an empty form with a key of its own."""
        chosen = packs.default_pack_id() or CUSTOM_AMOUNT
        return cls(
            initial={"pack": chosen, "idempotency_key": idempotency_keys.generate("sponsor")}
        )

    def clean(self) -> dict[str, Any]:
        """Ask for the number where an amount of one's own was chosen."""
        data = super().clean() or {}
        if data.get("pack") == CUSTOM_AMOUNT and not data.get("credits"):
            self.add_error("credits", "Type how many credits you want.")
        return data

    def order(self) -> dict[str, Any]:
        """Return the order that was filled in."""
        data = self.cleaned_data
        terms = (
            {"credits": data["credits"]}
            if data["pack"] == CUSTOM_AMOUNT
            else {"pack_id": data["pack"]}
        )
        return {"idempotency_key": data["idempotency_key"], **terms}


class SponsorRefundForm(forms.Form):
    """Why a sponsor wants their unused credits back."""

    reason = forms.CharField(
        label="Tell us why, if you like",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
