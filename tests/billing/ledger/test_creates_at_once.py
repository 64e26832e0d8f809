"""Many creates at once, over HTTP: exactly those that the balance pays for are accepted."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Agent
from billing import ledger
from billing.ledger import checks
from jobs.models import Job
from tests.billing.money import buy, give
from tests.caller import Caller
from tests.cast import Signed, sign_up

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = {"prompt": "a field camera", "model": "local.sketch", "output_count": 4}


@pytest.fixture
def claimed(transactional_db, settings) -> Signed:
    """An agent whose day's jobs are not what stops it."""
    settings.CREATE_WAIT_S = 0
    settings.PREVIEW_CREDITS = 0
    agent = sign_up()
    Agent.objects.filter(pk=agent.agent.pk).update(claim_state=Agent.ClaimState.CLAIMED)
    return agent


def create(token: str) -> str:
    try:
        answer = Caller().post("/v1/create", json=CREATE, token=token)
    finally:
        connection.close()
    return answer.code or "accepted"


def test_of_60_exactly_the_50_that_the_balance_pays_for(claimed, api):
    org = claimed.agent.organization_id
    plan = api.post("/v1/create", json=CREATE | {"dry_run": True}, token=claimed.token).data
    price = plan["cost"]["credit_pricing"]["credits_required"]
    buy(org, 50 * price)

    with ThreadPoolExecutor(12) as pool:
        ends = Counter(pool.map(create, [claimed.token] * 60))

    assert ends == {"accepted": 50, "QUOTA_EXCEEDED": 10}
    assert ledger.balances(org) == (0, 0, 50 * price, 0)
    assert Job.objects.count() == 50
    assert checks.find_problems() == []


def test_the_dearest_way_to_pay_stays_within_the_budget_of_statements(claimed, api):
    """Free and bought credits in one hold, two purchases, and a cap to look up."""
    org = claimed.agent.organization_id
    Agent.objects.filter(pk=claimed.agent.pk).update(cap_credits_per_day=1000)
    give(org, 1)
    buy(org, 1)
    buy(org, 100)
    api.get("/v1/whoami", token=claimed.token)

    with CaptureQueriesContext(connection) as captured:
        answer = api.post("/v1/create", json=CREATE | {"idempotency_key": "a"}, token=claimed.token)

    assert answer.code is None
    statements = [query["sql"] for query in captured]
    until_handed_over = statements[: statements.index("COMMIT") + 1]
    # Two more where images are named; 20 are allowed.
    assert len(until_handed_over) <= 16, "\n".join(statements)
