"""Credit packs in the console."""

from django.contrib import admin
from unfold.decorators import display

from billing.models import CreditPack
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.shown import dollars


@admin.register(CreditPack)
class CreditPackAdmin(ReadOnlyAdmin):
    """A pack that is or was offered."""

    seen_with = "accounts.see_catalog"
    list_display = ("pack_id", "display_name", "credits", "price", "is_offered", "is_default")
    fields = ("pack_id", "name", "display_name", "credits", "price", "is_offered", "is_default")
    readonly_fields = fields

    @display(description="price")
    def price(self, pack: CreditPack) -> str:
        return dollars(pack.amount_cents)
