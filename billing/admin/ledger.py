"""The ledger in the console: to read, never to write."""

from django.contrib import admin
from django.utils.html import format_html_join
from unfold.decorators import display

from billing.admin import ledger_check_actions
from billing.models import BooksCheck, JobHold, LedgerEntry, Lot, Transfer, Wallet
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import copyable, display_datetime, list_link, object_link

_VIEW_PERMISSION = "accounts.see_ledger"


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    """A wallet and the way to its entries."""

    view_permission = _VIEW_PERMISSION
    empty_text = (
        "Each organization has its wallets from its agent's signup on; the house's "
        "own come with the first."
    )
    export_fields = (
        "id",
        "organization__public_id",
        "purpose",
        "balance",
    )
    list_display = ("name", "purpose", "balance", "organization_shown")
    list_filter = ("purpose",)
    search_fields = ("organization__public_id__exact",)
    search_help_text = "An org_ id"
    list_select_related = ("organization",)
    fields = ("purpose", "balance", "organization_shown", "entries")
    readonly_fields = fields

    @display(description="wallet")
    def name(self, wallet: Wallet) -> str:
        return str(wallet)

    @display(description="organization")
    def organization_shown(self, wallet: Wallet) -> str:
        return object_link(wallet.organization)

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
        "Each movement of credits stands here: a starter grant, a purchase, a "
        "job's hold and charge, a refund."
    )
    copyable_fields = (
        "reference",
        "key",
    )
    export_fields = (
        "id",
        "created_at",
        "kind",
        "credits",
        "organization__public_id",
        "source__purpose",
        "target__purpose",
        "actor",
        "reason",
        "reference",
        "parent_id",
    )
    list_display = ("kind", "credits", "way", "reference", "actor", "at")
    list_filter = ("kind",)
    search_fields = ("reference__exact", "key__exact", "organization__public_id__exact")
    search_help_text = "A job_, receipt_ or org_ id, or the transfer's key"
    list_select_related = ("source__organization", "target__organization")
    fields = (
        "kind",
        "credits",
        "way",
        "reference_shown",
        "key",
        "actor",
        "reason",
        "parent_shown",
        "at",
    )
    readonly_fields = fields

    @display(description="from → to")
    def way(self, transfer: Transfer) -> str:
        return f"{transfer.source} → {transfer.target}"

    @display(description="reference")
    def reference_shown(self, transfer: Transfer) -> str:
        return copyable(transfer.reference)

    @display(description="parent")
    def parent_shown(self, transfer: Transfer) -> str:
        return object_link(transfer.parent)

    @display(description="at")
    def at(self, transfer: Transfer) -> str:
        return display_datetime(transfer.created_at)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """One side of a transfer, with the balance that it left."""

    view_permission = _VIEW_PERMISSION
    empty_text = "Each movement of credits leaves two entries here, one in each wallet."
    export_fields = (
        "id",
        "transfer_id",
        "transfer__created_at",
        "transfer__kind",
        "wallet__organization__public_id",
        "wallet__purpose",
        "credits",
        "balance_after",
    )
    list_display = ("wallet", "credits", "balance_after", "transfer_shown", "at")
    list_select_related = ("wallet__organization", "transfer")
    fields = list_display
    readonly_fields = fields

    def lookup_allowed(self, lookup: str, value: str, request: object = None) -> bool:
        """Let a wallet's page link to its entries."""
        return lookup == "wallet__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description="transfer")
    def transfer_shown(self, entry: LedgerEntry) -> str:
        return object_link(entry.transfer, f"{entry.transfer.kind} {entry.transfer.reference}")

    @display(description="at")
    def at(self, entry: LedgerEntry) -> str:
        return display_datetime(entry.transfer.created_at)


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    """What is left of a purchase."""

    view_permission = _VIEW_PERMISSION
    empty_text = "Each purchase makes a lot here, from which jobs spend and refunds take back."
    copyable_fields = ("reference",)
    export_fields = (
        "reference",
        "organization__public_id",
        "granted",
        "left",
        "created_at",
    )
    list_display = ("reference", "granted", "left", "organization_shown", "at")
    search_fields = ("reference__exact", "organization__public_id__exact")
    search_help_text = "A receipt_ or org_ id"
    list_select_related = ("organization",)
    fields = list_display
    readonly_fields = fields

    @display(description="organization")
    def organization_shown(self, lot: Lot) -> str:
        return object_link(lot.organization)

    @display(description="since")
    def at(self, lot: Lot) -> str:
        return display_datetime(lot.created_at)


@admin.register(JobHold)
class JobHoldAdmin(ReadOnlyAdmin):
    """What a job holds or held."""

    view_permission = _VIEW_PERMISSION
    empty_text = "A job holds its credits here from the moment that it is accepted."
    copyable_fields = ("job_id",)
    export_fields = (
        "job_id",
        "organization__public_id",
        "state",
        "preview",
        "paid",
        "captured_preview",
        "captured_paid",
        "created_at",
        "closed_at",
    )
    list_display = ("job_id", "state", "preview", "paid", "captured_preview", "captured_paid", "at")
    list_filter = ("state",)
    search_fields = ("job_id__exact",)
    search_help_text = "A job_ id"
    fields = list_display
    readonly_fields = fields

    @display(description="held since")
    def at(self, held: JobHold) -> str:
        return display_datetime(held.created_at)


@admin.register(BooksCheck)
class BooksCheckAdmin(ReadOnlyAdmin):
    """One check of the books and what it found."""

    list_actions = ledger_check_actions.LIST_ACTIONS
    empty_text = (
        "What each check of the books found would be here. It runs every night, and now by the "
        "button above."
    )

    view_permission = _VIEW_PERMISSION
    export_fields = (
        "started_at",
        "finished_at",
        "actor",
        "problem_count",
    )
    list_display = ("at", "actor", "problem_count")
    fields = ("at", "actor", "problem_count", "found")
    readonly_fields = fields

    @display(description="problems")
    def found(self, check: BooksCheck) -> str:
        """List the first hundred that were found, each with its check."""
        rows = [
            (problem["check"], problem["subject"], problem["message"]) for problem in check.problems
        ]
        return format_html_join("", "<p>{}: {}: {}</p>", rows) or "none"

    @display(description="at")
    def at(self, check: BooksCheck) -> str:
        return display_datetime(check.started_at)
