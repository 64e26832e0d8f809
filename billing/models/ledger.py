"""Double entry: wallets, transfers between them, the two entries of each, and ledger checks."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Sign

from billing.chart import HOUSE_IDS, ORGANIZATION_PURPOSES, Purpose, TransferKind
from billing.models.append_only import AppendOnly
from imageskill.lib import clock


class Wallet(models.Model):
    """Credits for one owner and purpose, with a cached balance; no organization: the house."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    purpose = models.CharField(max_length=16, choices=Purpose)
    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallet_of_an_organization_is_never_negative",
                condition=Q(organization__isnull=True) | Q(balance__gte=0),
            ),
            models.CheckConstraint(
                name="wallet_purpose_fits_its_owner",
                condition=Q(organization__isnull=False, purpose__in=ORGANIZATION_PURPOSES)
                | Q(organization__isnull=True, purpose__in=list(HOUSE_IDS)),
            ),
            models.UniqueConstraint(
                name="wallet_one_per_organization_and_purpose", fields=["organization", "purpose"]
            ),
            models.UniqueConstraint(
                name="wallet_one_of_the_house_per_purpose",
                fields=["purpose"],
                condition=Q(organization__isnull=True),
            ),
        ]
        indexes: ClassVar = [models.Index(name="wallet_by_purpose", fields=["purpose", "-id"])]

    def __str__(self) -> str:
        owner = (
            "the house" if self.organization_id is None else f"organization {self.organization_id}"
        )
        return f"{self.get_purpose_display()} of {owner}"


class Transfer(AppendOnly):
    """Credits moved from one wallet to another, once only for each key."""

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=24, choices=TransferKind)
    # The organization that this is about; transfers between house wallets have one too.
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    source = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+", db_index=False)
    target = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+", db_index=False)
    credits = models.BigIntegerField()
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=400, blank=True)
    reference = models.CharField(max_length=80, db_index=True)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        db_index=False,
    )
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="transfer_moves_more_than_nothing", condition=Q(credits__gt=0)
            ),
            models.CheckConstraint(
                name="transfer_leads_elsewhere", condition=~Q(source=models.F("target"))
            ),
            models.CheckConstraint(name="transfer_has_a_key", condition=~Q(key="")),
        ]
        indexes: ClassVar = [
            models.Index(name="transfer_by_organization", fields=["organization", "-id"]),
            # The balance as of a past moment begins at the last transfer by then.
            models.Index(name="transfer_by_moment", fields=["organization", "-created_at", "-id"]),
            models.Index(name="transfer_by_kind", fields=["kind", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.credits} credits"


class LedgerEntry(AppendOnly):
    """One side of a transfer, as its wallet sees it, with the balance that it left."""

    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    credits = models.BigIntegerField()
    balance_after = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints: ClassVar = [
            models.CheckConstraint(name="entry_is_not_nothing", condition=~Q(credits=0)),
            # At most one debit and one credit: nobody adds a third entry later.
            models.UniqueConstraint(
                models.F("transfer"),
                Sign("credits"),
                name="entry_one_on_each_side",
            ),
        ]
        indexes: ClassVar = [models.Index(name="entry_by_wallet", fields=["wallet", "-id"])]

    def __str__(self) -> str:
        return f"{self.credits:+} in wallet {self.wallet_id}"


class BooksCheck(models.Model):
    """One run of `check_books`: nightly, by hand, or by a button in the console."""

    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    problem_count = models.PositiveIntegerField()
    problems = models.JSONField(default=list)  # the first hundred: [{check, subject, message}]
    is_full = models.BooleanField(default=True)  # otherwise: what changed since a clean run
    # The last transfer that was surely committed: a run of what changed begins after it.
    last_transfer_id = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "ledger check"
        indexes: ClassVar = [models.Index(name="books_check_newest", fields=["-id"])]

    def __str__(self) -> str:
        return f"{self.problem_count} problems at {self.started_at:%Y-%m-%d %H:%M}"
