"""The console's sidebar: groups of entries, each shown to whoever may open it."""

from typing import Any, NamedTuple

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.http import HttpRequest
from django.urls import reverse


class NavPage(NamedTuple):
    """An entry for a page of the console's own."""

    label: str
    icon: str
    url_name: str
    permission: str = ""


class NavList(NamedTuple):
    """An entry for a model's list; the list's admin decides who may see it."""

    label: str
    icon: str
    model: str


class NavGroup(NamedTuple):
    """Entries under a heading; a group that is rarely needed starts collapsed."""

    title: str
    entries: tuple[NavPage | NavList, ...]
    is_rare: bool = False


_GROUPS = (
    NavGroup(
        "",
        (NavPage("Home", "home", "index"), NavPage("Search", "search", "console_search")),
    ),
    NavGroup(
        "Support",
        (
            NavList("Agents", "smart_toy", "accounts.Agent"),
            NavList("Users", "group", "accounts.User"),
            NavList("Organizations", "domain", "accounts.Organization"),
            NavList("Claims", "handshake", "accounts.Claim"),
            NavList("Tokens", "key", "accounts.Token"),
        ),
    ),
    NavGroup(
        "Jobs & images",
        (
            NavList("Jobs", "brush", "jobs.Job"),
            NavList("Assets", "image", "jobs.Asset"),
            NavPage("Image review", "grid_view", "console_image_review", "accounts.see_jobs"),
            NavPage(
                "Unresolved outputs",
                "help_center",
                "console_unresolved_outputs",
                "accounts.see_jobs",
            ),
            NavPage("Queues", "stacks", "console_queues", "accounts.see_jobs"),
            NavList("Usage", "toll", "jobs.Usage"),
            NavList("Absorbed costs", "money_off", "jobs.Loss"),
        ),
    ),
    NavGroup(
        "Payments",
        (
            NavList("Receipts", "receipt_long", "billing.Receipt"),
            NavList("Quotes", "request_quote", "billing.Quote"),
            NavList("Checkouts", "shopping_cart", "billing.PaymentAttempt"),
            NavList("Unmatched payments", "unknown_document", "billing.UnmatchedPayment"),
            NavList("Refund requests", "undo", "billing.RefundRequest"),
            NavList("Credit adjustments", "approval", "billing.CreditCorrection"),
            NavPage("Open disputes", "gavel", "billing_disputes", "accounts.see_payments"),
            NavList("Refunds & disputes", "swap_horiz", "billing.PaymentReversal"),
            NavList("Stripe events", "inbox", "billing.StripeEvent"),
        ),
    ),
    NavGroup(
        "Finance",
        (
            NavPage(
                "Financial overview",
                "monitoring",
                "console_financial_overview",
                "accounts.see_ledger",
            ),
            NavList("Reconciliation", "balance", "billing.ReconciledDay"),
            NavList("Discrepancies", "difference", "billing.Difference"),
            NavList("Balance transactions", "account_balance", "billing.BalanceMovement"),
            NavList("Month close", "event_available", "billing.MonthClose"),
        ),
    ),
    NavGroup(
        "Ledger",
        (
            NavList("Wallets", "account_balance_wallet", "billing.Wallet"),
            NavList("Transfers", "sync_alt", "billing.Transfer"),
            NavList("Credit grants", "inventory_2", "billing.Lot"),
            NavList("Credit consumption", "call_split", "billing.LotPart"),
            NavList("Holds", "lock_clock", "billing.JobHold"),
            NavList("Ledger checks", "fact_check", "billing.BooksCheck"),
        ),
        is_rare=True,
    ),
    NavGroup(
        "Triage",
        (
            NavPage("Feedback inbox", "view_kanban", "feedback_inbox", "accounts.see_feedback"),
            NavList("Reports", "feedback", "feedback.Report"),
            NavList("GitHub queue", "merge", "feedback.QueueItem"),
            NavList("GitHub events", "inbox", "feedback.GithubEvent"),
            NavList("GitHub repositories", "folder_data", "feedback.GithubRepository"),
        ),
    ),
    NavGroup(
        "Product",
        (
            NavList("Packs", "sell", "billing.CreditPack"),
            NavList("Pack change requests", "edit_note", "billing.PackChange"),
            NavPage("Models", "model_training", "console_models", "accounts.see_catalog"),
            NavPage("Settings", "settings", "console_settings", "accounts.see_catalog"),
        ),
    ),
    NavGroup(
        "Logs",
        (
            NavList("Activity", "history", "accounts.ActivityEvent"),
            NavList("Telemetry", "query_stats", "accounts.TelemetryRow"),
            NavList("Audit log", "policy", "accounts.AuditLine"),
        ),
    ),
)


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups with the entries that the user may open."""
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


def _link(entry: NavPage | NavList, request: HttpRequest) -> str:
    """Return the entry's URL, or nothing where the user may not open it."""
    if isinstance(entry, NavPage):
        may = not entry.permission or request.user.has_perm(entry.permission)
        return reverse(f"admin:{entry.url_name}") if may else ""
    model = apps.get_model(entry.model)
    try:
        may = admin.site.get_model_admin(model).has_view_permission(request)
    except NotRegistered:
        return ""
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist") if may else ""
