"""The table of roles, cell by cell, against the permissions that each role has."""

import pytest

from accounts.staff.roles import PERMISSIONS, ROLES

COLUMNS = ("support", "lead support", "finance", "triage", "auditor", "operator")
AGENTS, FEEDBACK = {"see_agents", "see_jobs", "see_feedback"}, {"see_feedback"}
ACT_ON_AGENTS = AGENTS | {"act_on_agents", "act_on_jobs"}
CATALOG = {"see_packs", "see_catalog"}
LEDGER = {"see_ledger"}
REPAIR = {"event_dry_run", "event_replay", "job_dry_run", "job_repair"}
DRY_RUN = {"event_dry_run", "job_dry_run"}
SEND = {"dispute_draft", "dispute_send"}

# What the row is about, then what each cell stands for: those permissions and none of the others.
TABLE = {
    "agents, jobs, assets, feedback": (
        ACT_ON_AGENTS,
        (ACT_ON_AGENTS, ACT_ON_AGENTS, AGENTS, AGENTS, AGENTS, ACT_ON_AGENTS),
    ),
    "show a prompt": (
        {"prompt_reveal"},
        ({"prompt_reveal"}, {"prompt_reveal"}, set(), set(), set(), {"prompt_reveal"}),
    ),
    "request refund, goodwill": (
        asking := {"refund_request", "credits_grant"},
        (asking, asking, asking, set(), set(), asking),
    ),
    "approve": (
        {"refund_approve_limited", "refund_approve"},
        (
            set(),
            {"refund_approve_limited"},
            {"refund_approve"},
            set(),
            set(),
            {"refund_approve", "refund_approve_limited"},
        ),
    ),
    "disputes": (
        {"see_payments", *SEND},
        (
            {"see_payments", "dispute_draft"},
            {"see_payments", *SEND},
            {"see_payments", *SEND},
            set(),
            {"see_payments"},
            {"see_payments", *SEND},
        ),
    ),
    "ledger correction, write-off, month close": (
        {"ledger_request", "ledger_approve", "month_close", *LEDGER},
        (
            set(),
            set(),
            {"ledger_request", "ledger_approve", "month_close", *LEDGER},
            set(),
            LEDGER,
            {"ledger_approve", *LEDGER},
        ),
    ),
    "replay events, repair jobs": (
        REPAIR,
        (DRY_RUN, REPAIR, DRY_RUN, set(), set(), REPAIR),
    ),
    # Who reads feedback reads what became of it; this row says who acts.
    "feedback and GitHub queue": (
        {"act_on_feedback", *FEEDBACK},
        (
            FEEDBACK,
            FEEDBACK,
            FEEDBACK,
            {"act_on_feedback", *FEEDBACK},
            FEEDBACK,
            {"act_on_feedback", *FEEDBACK},
        ),
    ),
    "packs, prices, models, providers, settings": (
        {"pack_edit", "act_on_catalog", *CATALOG},
        (
            set(),
            set(),
            {"see_packs", "pack_edit"},
            set(),
            CATALOG,
            {"pack_edit", "act_on_catalog", *CATALOG},
        ),
    ),
}
# What the table has no row for, and who has it.
BESIDE = {
    "export": set(COLUMNS),
    "see_balances": set(COLUMNS) - {"triage"},
    "see_telemetry": {"support", "lead support", "auditor", "operator"},
    "see_audit": {"lead support", "finance", "auditor", "operator"},
    "staff_roles": {"operator"},
}


class TestTable:
    @pytest.mark.parametrize(
        ("row", "role"), [(row, role) for row in TABLE for role in COLUMNS], ids="-".join
    )
    def test_each_cell_is_what_the_role_may_do(self, row, role):
        about, cells = TABLE[row]
        assert ROLES[role] & about == cells[COLUMNS.index(role)]

    @pytest.mark.parametrize("code_name", BESIDE)
    def test_what_stands_beside_it_is_whose_it_should_be(self, code_name):
        assert {role for role, names in ROLES.items() if code_name in names} == BESIDE[code_name]

    def test_it_has_every_permission_and_every_role(self):
        assert set().union(*(about for about, _ in TABLE.values()), BESIDE) == set(PERMISSIONS)
        assert set(COLUMNS) == set(ROLES)
