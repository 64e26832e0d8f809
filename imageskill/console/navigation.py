"""The console's sidebar: groups by who needs them, each entry shown to whoever may open it."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

# group, then entries: label, icon, URL name, the permission that opens it
_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "",
        (
            ("Today", "home", "admin:index", ""),
            ("Search", "search", "admin:console_search", ""),
        ),
    ),
    (
        "Support",
        (
            ("Agents", "smart_toy", "admin:accounts_agent_changelist", "accounts.see_agents"),
            ("Jobs", "brush", "admin:jobs_job_changelist", "accounts.see_jobs"),
            ("Assets", "image", "admin:jobs_asset_changelist", "accounts.see_jobs"),
            ("Thumbnail wall", "grid_view", "admin:console_wall", "accounts.see_jobs"),
            ("Orphans", "help_center", "admin:console_orphans", "accounts.see_jobs"),
            ("Queues", "stacks", "admin:console_queues", "accounts.see_jobs"),
            ("People", "group", "admin:accounts_user_changelist", "accounts.see_agents"),
            (
                "Organizations",
                "domain",
                "admin:accounts_organization_changelist",
                "accounts.see_agents",
            ),
        ),
    ),
    (
        "Finance",
        (
            (
                "Receipts",
                "receipt_long",
                "admin:billing_receipt_changelist",
                "accounts.see_payments",
            ),
            (
                "Attempts",
                "shopping_cart",
                "admin:billing_paymentattempt_changelist",
                "accounts.see_payments",
            ),
            (
                "Refund requests",
                "undo",
                "admin:billing_refundrequest_changelist",
                "accounts.see_payments",
            ),
            (
                "Reversals",
                "swap_horiz",
                "admin:billing_paymentreversal_changelist",
                "accounts.see_payments",
            ),
            (
                "Stripe events",
                "inbox",
                "admin:billing_stripeevent_changelist",
                "accounts.see_payments",
            ),
            ("Position", "monitoring", "admin:console_position", "accounts.see_ledger"),
            (
                "Reconciliation",
                "balance",
                "admin:billing_reconciledday_changelist",
                "accounts.see_ledger",
            ),
            (
                "Month close",
                "event_available",
                "admin:billing_monthclose_changelist",
                "accounts.see_ledger",
            ),
            (
                "Wallets",
                "account_balance_wallet",
                "admin:billing_wallet_changelist",
                "accounts.see_ledger",
            ),
            ("Transfers", "sync_alt", "admin:billing_transfer_changelist", "accounts.see_ledger"),
        ),
    ),
    (
        "Triage",
        (
            ("Board", "view_kanban", "admin:feedback_board", "accounts.see_feedback"),
            ("Reports", "feedback", "admin:feedback_report_changelist", "accounts.see_feedback"),
            (
                "GitHub queue",
                "merge",
                "admin:feedback_queueitem_changelist",
                "accounts.see_feedback",
            ),
            (
                "GitHub events",
                "inbox",
                "admin:feedback_githubevent_changelist",
                "accounts.see_feedback",
            ),
        ),
    ),
    (
        "Product",
        (
            ("Packs", "sell", "admin:billing_creditpack_changelist", "accounts.see_packs"),
            ("Models", "model_training", "admin:console_models", "accounts.see_catalog"),
        ),
    ),
    (
        "Trails",
        (
            ("Exports", "download", "admin:accounts_export_changelist", "accounts.export"),
            (
                "Activity",
                "history",
                "admin:accounts_activityevent_changelist",
                "accounts.see_agents",
            ),
            (
                "Telemetry",
                "query_stats",
                "admin:accounts_telemetryrow_changelist",
                "accounts.see_telemetry",
            ),
            ("Audit", "policy", "admin:accounts_auditline_changelist", "accounts.see_audit"),
        ),
    ),
)


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Give the groups with the entries that this person may open."""
    shown = []
    for title, entries in _GROUPS:
        items = [
            {"title": label, "icon": icon, "link": link}
            for label, icon, name, permission in entries
            if (link := _url(name)) and (not permission or request.user.has_perm(permission))
        ]
        if items:
            shown.append({"title": title, "separator": bool(title), "items": items})
    return shown


def _url(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None
