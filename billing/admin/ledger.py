"""The ledger in the console: to read, never to write."""

from collections.abc import Sequence

from django.contrib import admin
from django.utils.html import format_html_join
from unfold.decorators import display

from billing.ledger import checks
from billing.models import BooksCheck, JobHold, LedgerEntry, Lot, Transfer, Wallet
from imageskill.lib.admin.actions import ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import list_link, object_link

_VIEW_PERMISSION = "accounts.see_ledger"


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    """A wallet and the way to its entries."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Wallets appear here once an agent signs up: each organization has its own, the house too."
    )
    export_also = ("id",)
    list_display = ("name", "purpose", "balance", "organization")
    list_filter = ("purpose",)
    search_fields = ("organization__public_id__exact",)
    search_help_text = "An org_ id"
    list_select_related = ("organization",)
    fields = ("purpose", "balance", "organization", "entries")

    @display(description="wallet")
    def name(self, wallet: Wallet) -> str:
        return str(wallet)

    @display(description="entries")
    def entries(self, wallet: Wallet) -> str:
        return list_link(
            LedgerEntry, "the entries that make this balance", wallet__id__exact=wallet.pk
        )


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """A movement of credits, final."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Transfers appear here once credits move: a starter grant, a purchase, a job's hold and "
        "charge, a refund."
    )
    copyable_fields = (
        "reference",
        "key",
    )
    export_also = (
        "id",
        "organization__public_id",
        "source__purpose",
        "target__purpose",
    )
    list_display = ("kind", "credits", "way", "reference", "actor", "created_at")
    list_filter = ("kind",)
    search_fields = ("reference__exact", "key__exact", "organization__public_id__exact")
    search_help_text = "A job_, receipt_ or org_ id, or the transfer's key"
    list_select_related = ("source__organization", "target__organization")
    fields = (
        "kind",
        "credits",
        "way",
        "reference",
        "key",
        "actor",
        "reason",
        "parent",
        "created_at",
    )

    @display(description="from → to")
    def way(self, transfer: Transfer) -> str:
        return f"{transfer.source} → {transfer.target}"


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """One side of a transfer, with the balance that it left."""

    view_permission = _VIEW_PERMISSION
    empty_text = "Entries appear here once credits move: two for each transfer, one in each wallet."
    export_also = (
        "id",
        "transfer_id",
        "transfer__kind",
        "wallet__organization__public_id",
        "wallet__purpose",
    )
    list_display = ("wallet", "credits", "balance_after", "transfer_shown", "transfer__created_at")
    list_select_related = ("wallet__organization", "transfer")
    fields = list_display

    def lookup_allowed(self, lookup: str, value: str, request: object = None) -> bool:
        """Allow the filter that a wallet's page links to."""
        return lookup == "wallet__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description="transfer")
    def transfer_shown(self, entry: LedgerEntry) -> str:
        return object_link(entry.transfer, f"{entry.transfer.kind} {entry.transfer.reference}")


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    """What is left of a purchase."""

    view_permission = _VIEW_PERMISSION
    empty_text = "Credit grants appear here once credits are bought; jobs and refunds draw on them."
    copyable_fields = ("reference",)
    list_display = ("reference", "granted", "left", "organization", "created_at")
    search_fields = ("reference__exact", "organization__public_id__exact")
    search_help_text = "A receipt_ or org_ id"
    list_select_related = ("organization",)
    fields = list_display


@admin.register(JobHold)
class JobHoldAdmin(ReadOnlyAdmin):
    """What a job holds or held."""

    view_permission = _VIEW_PERMISSION
    empty_text = "Holds appear here once a job is accepted, for as long as it runs and after."
    copyable_fields = ("job_id",)
    export_also = (
        "organization__public_id",
        "closed_at",
    )
    list_display = (
        "job_id",
        "state",
        "preview",
        "paid",
        "captured_preview",
        "captured_paid",
        "created_at",
    )
    list_filter = ("state",)
    search_fields = ("job_id__exact",)
    search_help_text = "A job_ id"
    fields = list_display


def _check(_: None, action: ActionRequest) -> str:
    checks.request_check(user=action.user, reason=action.reason)
    return "A worker checks the ledger now; the result will be the first line of this list."


_CHECK_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="check",
        label="Run ledger check",
        permission=("accounts.ledger_request", "accounts.ledger_approve"),
        preview=lambda _: (
            "A worker goes through every wallet, transfer, job, receipt and closed month.",
            "Nothing moves. It is the check of every night; with a long history it takes minutes.",
        ),
        perform=_check,
    ),
)


@admin.register(BooksCheck)
class BooksCheckAdmin(ReadOnlyAdmin):
    """One check of the ledger and what it found."""

    list_actions = _CHECK_ACTIONS
    empty_text = (
        "Results appear here once the ledger was checked: every night, or now by the button above."
    )

    view_permission = _VIEW_PERMISSION
    export_also = ("finished_at",)
    list_display = ("started_at", "actor", "problem_count")
    fields = ("started_at", "actor", "problem_count", "found")

    @display(description="problems")
    def found(self, check: BooksCheck) -> str:
        """List the first hundred that were found, each with its check."""
        rows = [
            (problem["check"], problem["subject"], problem["message"]) for problem in check.problems
        ]
        return format_html_join("", "<p>{}: {}: {}</p>", rows) or "none"
