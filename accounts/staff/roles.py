"""The duties of staff and the roles that have them; the database's groups follow them.

A duty is a permission `accounts.<duty>`. Pages ask for a duty to be seen, deeds for a duty to
be done; nothing asks for a role.
"""

DUTIES = {
    "see_agents": "see agents, organizations, sponsors and tokens",
    "see_balances": "see what an agent's organization has, holds and owes, and the lots behind it",
    "act_on_agents": "suspend and reinstate agents, revoke tokens, re-issue claim links",
    "see_jobs": "see jobs, assets and usage",
    "act_on_jobs": "cancel jobs, withdraw and check assets",
    "job_repair": "repair storage, resolve unknown outcomes, adopt or release orphans",
    "job_dry_run": "see what repairing a job would do",
    "prompt_reveal": "see a prompt, with a reason that its sponsor can read",
    "see_payments": "see quotes, attempts, receipts, refunds, disputes and Stripe's events",
    "refund_request": "request refunds",
    "refund_approve": "approve somebody else's refunds and grants of any size",
    "refund_approve_limited": "approve somebody else's refunds and grants up to the limit",
    "credits_grant": "grant credits as goodwill",
    "dispute_draft": "gather and edit the evidence of a dispute",
    "dispute_send": "send the evidence of a dispute to Stripe",
    "event_dry_run": "see what replaying an event would change",
    "event_replay": "replay a received event",
    "see_ledger": "see wallets, transfers, position, reconciliation and month close",
    "ledger_request": "request ledger corrections, write-offs and the reopening of a month",
    "ledger_approve": "approve somebody else's ledger corrections and write-offs",
    "month_close": "close a month",
    "see_feedback": "see reports and the queue to GitHub",
    "act_on_feedback": "triage reports and promote them to GitHub",
    "see_packs": "see packs and changes of them",
    "see_catalog": "see models, providers and their prices",
    "pack_edit": "propose and approve changes of packs",
    "act_on_catalog": "switch models and providers off and on, change packs",
    "see_telemetry": "see telemetry",
    "see_audit": "see the audit",
    "export": "download what a list shows",
    "staff_roles": "give people roles and take staff access away",
}

_EVERYBODY = {"see_agents", "see_jobs", "see_feedback", "export"}
_SUPPORT = _EVERYBODY | {
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
        _EVERYBODY
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
    "triage": frozenset(_EVERYBODY | {"act_on_feedback"}),
    "auditor": frozenset(
        _EVERYBODY
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
    "operator": frozenset(set(DUTIES) - {"ledger_request", "month_close"}),
}
