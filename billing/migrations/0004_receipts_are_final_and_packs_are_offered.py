"""Receipts are final, and there is something to buy on the first day."""

from typing import Any

from django.db import migrations

FINAL = """
CREATE TRIGGER billing_receipt_is_append_only BEFORE UPDATE OR DELETE ON billing_receipt
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
NOT_FINAL = "DROP TRIGGER billing_receipt_is_append_only ON billing_receipt;"

PACKS = (
    ("starter-500", "Starter", 500, True),
    ("builder-2000", "Builder", 2000, False),
    ("studio-5000", "Studio", 5000, False),
)


def offer(apps: Any, _: Any) -> None:
    """Add the packs that an installation begins with; staff edit them in the console."""
    apps.get_model("billing", "CreditPack").objects.bulk_create(
        apps.get_model("billing", "CreditPack")(
            pack_id=pack_id,
            name=name,
            display_name=f"{name}: {credits} credits",
            credits=credits,
            amount_cents=credits,
            is_default=is_default,
        )
        for pack_id, name, credits, is_default in PACKS
    )


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_quotes_attempts_receipts_and_the_inbox"),
        ("accounts", "0002_activity_and_audit_are_append_only"),
    ]

    operations = [
        migrations.RunSQL(FINAL, NOT_FINAL),
        migrations.RunPython(offer, migrations.RunPython.noop),
    ]
