"""Keeps the house's wallets in the database those of `billing.chart`."""

from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS

from billing.chart import HOUSE_IDS


def sync(*, using: str = DEFAULT_DB_ALIAS, apps: Apps = current_apps, **_: Any) -> None:
    """Create each wallet that is missing, as a receiver of `post_migrate`; none is ever removed.

    A new wallet comes with a migration for the purposes that the database accepts, which
    `makemigrations` asks for. Where that is not applied yet, or was undone, its row is left out.
    """
    try:
        wallet = apps.get_model("billing", "Wallet")
    except LookupError:  # migrated back to before there were wallets
        return
    accepted = dict(wallet._meta.get_field("purpose").flatchoices)
    wallets = wallet._default_manager.using(using)
    there = set(wallets.filter(pk__in=HOUSE_IDS.values()).values_list("pk", flat=True))
    wallets.bulk_create(
        wallet(pk=pk, purpose=purpose)
        for purpose, pk in HOUSE_IDS.items()
        if purpose in accepted and pk not in there
    )
