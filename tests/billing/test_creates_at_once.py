"""Many creates at once, over HTTP: exactly those that the balance pays for are accepted."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.models import Agent
from billing import books, ledger
from jobs.models import Job
from tests.billing.money import buy
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
    assert books.problems() == []
