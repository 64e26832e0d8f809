"""Forms of sponsor pages about credits."""

from typing import Any

from django import forms

from billing.purchases import idempotency_keys, packs

CUSTOM_AMOUNT = "own"  # the value that the form sends


class BuyForm(forms.Form):
    """A pack or a custom amount. The idempotency key makes a form that is sent twice order once."""

    pack = forms.CharField(max_length=64)
    credits = forms.IntegerField(
        label="Credits",
        required=False,
        min_value=packs.MIN_CREDITS,
        max_value=packs.MAX_CREDITS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    idempotency_key = forms.CharField(max_length=200, widget=forms.HiddenInput)

    @classmethod
    def fresh(cls) -> "BuyForm":
        """Return an empty form with a new idempotency key."""
        chosen = packs.default_pack_id() or CUSTOM_AMOUNT
        return cls(
            initial={"pack": chosen, "idempotency_key": idempotency_keys.generate("sponsor")}
        )

    def clean(self) -> dict[str, Any]:
        """Require the credits of a custom amount."""
        data = super().clean() or {}
        if data.get("pack") == CUSTOM_AMOUNT and not data.get("credits"):
            self.add_error("credits", "Enter a number of credits.")
        return data

    def order(self) -> dict[str, Any]:
        """Return the arguments of `orders.place`."""
        data = self.cleaned_data
        item = (
            {"credits": data["credits"]}
            if data["pack"] == CUSTOM_AMOUNT
            else {"pack_id": data["pack"]}
        )
        return {"idempotency_key": data["idempotency_key"], **item}


class SponsorRefundForm(forms.Form):
    """The optional reason of a refund request."""

    reason = forms.CharField(
        label="Reason (optional)",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
