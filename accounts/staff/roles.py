"""The permissions of staff and the roles that have them; the database's groups follow this table.

Each is a Django permission, `accounts.<code name>`. Pages ask for the permission to see them,
actions for the permission to perform them; nothing asks for a role.
"""

# Code name: what it allows, to be read after "They may".
PERMISSIONS = {
    "see_agents": "view agents, organizations, sponsors and tokens",
    "see_balances": "view an organization's credit balances, holds, debts and credit grants",
    "act_on_agents": "suspend and reinstate agents, revoke tokens, reissue claim links",
    "see_jobs": "view jobs, assets and usage",
    "act_on_jobs": "cancel jobs, withdraw and recheck assets",
    "job_repair": "retry storage, resolve unknown outcomes, adopt or release unresolved outputs",
    "job_dry_run": "preview the repair of a job",
    "prompt_reveal": "reveal a prompt, with a reason that its sponsor can read",
    "see_payments": "view quotes, checkouts, receipts, refunds, disputes and Stripe events",
    "refund_request": "request refunds",
    "refund_approve": "approve other people's refunds and credit adjustments of any amount",
    "refund_approve_limited": "approve other people's refunds and adjustments up to the limit",
    "credits_grant": "grant goodwill credits",
    "dispute_draft": "prepare and edit dispute evidence",
    "dispute_send": "submit dispute evidence to Stripe",
    "event_dry_run": "preview the replay of a webhook event",
    "event_replay": "replay a webhook event",
    "see_ledger": "view wallets, transfers, the financial overview, reconciliation and month close",
    "ledger_request": "request credit adjustments, write-offs and the reopening of a month",
    "ledger_approve": "approve other people's credit adjustments and write-offs",
    "month_close": "close a month",
    "see_feedback": "view feedback and the GitHub queue",
    "act_on_feedback": "triage feedback and send it to GitHub",
    "see_packs": "view packs and pack change requests",
    "see_catalog": "view models, providers and their prices",
    "pack_edit": "request and approve pack changes",
    "act_on_catalog": "enable and disable models and providers",
    "see_telemetry": "view telemetry",
    "see_audit": "view the audit log",
    "export": "export lists",
    "staff_roles": "set roles and remove staff access",
}

# Whoever has one of these decides about other people's money.
MONEY_APPROVALS = {"refund_approve", "refund_approve_limited", "ledger_approve"}

_EVERY_ROLE = {"see_agents", "see_jobs", "see_feedback", "export"}
_SUPPORT = _EVERY_ROLE | {
    "see_balances",
    "act_on_agents",
    "act_on_jobs",
    "job_dry_run",
    "prompt_reveal",
    "see_payments",
    "refund_request",
    "credits_grant",
    "dispute_draft",
    "event_dry_run",
    "see_telemetry",
}

ROLES: dict[str, frozenset[str]] = {
    "support": frozenset(_SUPPORT),
    "lead support": frozenset(
        _SUPPORT
        | {"refund_approve_limited", "dispute_send", "event_replay", "job_repair", "see_audit"}
    ),
    "finance": frozenset(
        _EVERY_ROLE
        | {
            "see_balances",
            "job_dry_run",
            "see_payments",
            "refund_request",
            "refund_approve",
            "credits_grant",
            "dispute_draft",
            "dispute_send",
            "event_dry_run",
            "see_ledger",
            "ledger_request",
            "ledger_approve",
            "month_close",
            "see_packs",
            "pack_edit",
            "see_audit",
        }
    ),
    "triage": frozenset(_EVERY_ROLE | {"act_on_feedback"}),
    "auditor": frozenset(
        _EVERY_ROLE
        | {
            "see_balances",
            "see_payments",
            "see_ledger",
            "see_packs",
            "see_catalog",
            "see_telemetry",
            "see_audit",
        }
    ),
    "operator": frozenset(set(PERMISSIONS) - {"ledger_request", "month_close"}),
}
