"""The console's sidebar: groups by who needs them, each entry shown to whoever may open it."""

from typing import Any, NamedTuple

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.http import HttpRequest
from django.urls import reverse


class Page(NamedTuple):
    """An entry that leads to a page of the console's own."""

    label: str
    icon: str
    url_name: str
    permission: str = ""


class List(NamedTuple):
    """An entry that leads to a model's list; the list itself knows who may see it."""

    label: str
    icon: str
    model: str


class Group(NamedTuple):
    """Entries under a heading; a group that is rarely needed begins folded up."""

    title: str
    entries: tuple[Page | List, ...]
    is_rare: bool = False


_GROUPS = (
    Group(
        "",
        (Page("Today", "home", "index"), Page("Search", "search", "console_search")),
    ),
    Group(
        "Support",
        (
            List("Agents", "smart_toy", "accounts.Agent"),
            List("People", "group", "accounts.User"),
            List("Organizations", "domain", "accounts.Organization"),
            List("Claims", "handshake", "accounts.Claim"),
            List("Tokens", "key", "accounts.Token"),
        ),
    ),
    Group(
        "Work",
        (
            List("Jobs", "brush", "jobs.Job"),
            List("Assets", "image", "jobs.Asset"),
            Page("Thumbnail wall", "grid_view", "console_wall", "accounts.see_jobs"),
            Page("Orphans", "help_center", "console_orphans", "accounts.see_jobs"),
            Page("Queues", "stacks", "console_queues", "accounts.see_jobs"),
            List("Usage", "toll", "jobs.Usage"),
            List("Losses", "money_off", "jobs.Loss"),
        ),
    ),
    Group(
        "Payments",
        (
            List("Receipts", "receipt_long", "billing.Receipt"),
            List("Quotes", "request_quote", "billing.Quote"),
            List("Attempts", "shopping_cart", "billing.PaymentAttempt"),
            List("Payments that bought nothing", "unknown_document", "billing.UnmatchedPayment"),
            List("Refund requests", "undo", "billing.RefundRequest"),
            List("Credit requests", "approval", "billing.CreditCorrection"),
            Page("Open disputes", "gavel", "billing_disputes", "accounts.see_payments"),
            List("Reversals", "swap_horiz", "billing.PaymentReversal"),
            List("Stripe events", "inbox", "billing.StripeEvent"),
        ),
    ),
    Group(
        "Finance",
        (
            Page("Position", "monitoring", "console_position", "accounts.see_ledger"),
            List("Reconciliation", "balance", "billing.ReconciledDay"),
            List("Differences", "difference", "billing.Difference"),
            List("Balance movements", "account_balance", "billing.BalanceMovement"),
            List("Month close", "event_available", "billing.MonthClose"),
        ),
    ),
    Group(
        "Ledger",
        (
            List("Wallets", "account_balance_wallet", "billing.Wallet"),
            List("Transfers", "sync_alt", "billing.Transfer"),
            List("Lots", "inventory_2", "billing.Lot"),
            List("Spent of lots", "call_split", "billing.LotPart"),
            List("Holds", "lock_clock", "billing.JobHold"),
            List("Books checks", "fact_check", "billing.BooksCheck"),
        ),
        is_rare=True,
    ),
    Group(
        "Triage",
        (
            Page("Board", "view_kanban", "feedback_board", "accounts.see_feedback"),
            List("Reports", "feedback", "feedback.Report"),
            List("GitHub queue", "merge", "feedback.QueueItem"),
            List("GitHub events", "inbox", "feedback.GithubEvent"),
            List("GitHub repositories", "folder_data", "feedback.GithubRepository"),
        ),
    ),
    Group(
        "Product",
        (
            List("Packs", "sell", "billing.CreditPack"),
            List("Changes of packs", "edit_note", "billing.PackChange"),
            Page("Models", "model_training", "console_models", "accounts.see_catalog"),
            Page("Settings", "settings", "console_settings", "accounts.see_catalog"),
        ),
    ),
    Group(
        "Trails",
        (
            List("Exports", "download", "accounts.Export"),
            List("Activity", "history", "accounts.ActivityEvent"),
            List("Telemetry", "query_stats", "accounts.TelemetryRow"),
            List("Audit", "policy", "accounts.AuditLine"),
        ),
    ),
)


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Give the groups with the entries that this person may open."""
    shown = []
    for group in _GROUPS:
        items = [
            {"title": entry.label, "icon": entry.icon, "link": link}
            for entry in group.entries
            if (link := _link(entry, request))
        ]
        if items:
            shown.append(
                {
                    "title": group.title,
                    "separator": bool(group.title),
                    "items": items,
                    "is_rare": group.is_rare,
                }
            )
    return shown


def _link(entry: Page | List, request: HttpRequest) -> str:
    """Give where the entry leads, or nothing to who may not go there."""
    if isinstance(entry, Page):
        may = not entry.permission or request.user.has_perm(entry.permission)
        return reverse(f"admin:{entry.url_name}") if may else ""
    model = apps.get_model(entry.model)
    try:
        may = admin.site.get_model_admin(model).has_view_permission(request)
    except NotRegistered:
        return ""
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist") if may else ""
