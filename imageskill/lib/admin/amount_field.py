"""A field of forms for an amount of money: a person writes `50.00`, the form gives cents."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from imageskill.lib import amounts


class AmountField(forms.CharField):
    """Takes an amount above nothing in the currency and gives whole cents; never a float."""

    def __init__(self, *, currency: str = "USD", **options: Any) -> None:
        self.currency = currency
        widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(**{"widget": widget, "max_length": 20, **options})

    def clean(self, value: Any) -> Any:
        """Return the cents, or say how to write an amount."""
        text = super().clean(value)
        if not text:
            return None
        try:
            cents = amounts.parse_amount(text, self.currency)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        if not cents:
            raise forms.ValidationError(f"The least is {amounts.format_amount(1, self.currency)}.")
        return cents

    def prepare_value(self, value: Any) -> Any:
        """Write cents that the form begins with; leave what a person wrote as it is."""
        return amounts.format_number(value) if isinstance(value, int) else value
