"""Reversals that took from one purchase twice, and give back exactly what they took.

A job's hold that comes back settles what the reversal left owed, from the purchase's own credits.
"""

import pytest

from accounts.models import Agent
from billing import ledger
from billing.chart import Purpose
from billing.ledger import checks
from billing.models import Lot, LotPart
from billing.reversals import applying
from tests.billing.money import buy, capture, give, hold, house, release, spend
from tests.billing.stripe_facts import dispute, refund
from tests.cast import Signed, sign_up

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_in_order")]

CREATE = {"prompt": "a field camera", "model": "local.sketch", "output_count": 4}

TAKEN_AND_UNDONE = {
    "dispute won": (
        lambda: applying.apply_dispute(dispute("du_a", "ch_a", 500)),
        lambda: applying.apply_dispute(dispute("du_a", "ch_a", 500, status="won", reinstated=True)),
    ),
    "refund failed": (
        lambda: applying.apply_refund(refund("re_a", "ch_a", 500)),
        lambda: applying.apply_refund(refund("re_a", "ch_a", 500, status="failed")),
    ),
}


def lots(org: int) -> dict[str, int]:
    return dict(Lot.objects.filter(organization_id=org).values_list("reference", "left"))


@pytest.mark.parametrize(("take", "undo"), TAKEN_AND_UNDONE.values(), ids=TAKEN_AND_UNDONE)
class TestUndone:
    def test_after_a_hold_came_back_it_is_as_before(self, org, take, undo):
        receipt = buy(org, 500, charge_id="ch_a")
        hold(org, "job_a", 90)
        reversal = take()
        assert ledger.balances(org) == (0, 0, 90, 90)
        release(org, "job_a")
        assert ledger.balances(org) == (0, 0, 0, 0)
        assert LotPart.objects.filter(reference=reversal.public_id).count() == 2

        for _ in range(2):
            undo()

        assert ledger.balances(org) == (0, 500, 0, 0)
        assert lots(org) == {receipt.public_id: 500}
        assert house(Purpose.SUSPENSE) == 0
        spend(org, 500)

    def test_where_the_hold_was_partly_free_credits(self, org, take, undo):
        give(org, 3)
        receipt = buy(org, 500, charge_id="ch_a")
        hold(org, "job_a", 25)
        take()
        assert ledger.balances(org) == (0, 0, 25, 22)
        release(org, "job_a")

        undo()

        assert ledger.balances(org) == (3, 500, 0, 0)
        assert lots(org) == {receipt.public_id: 500}
        spend(org, 503)

    def test_after_captures_gave_back_parts_of_their_holds(self, org, take, undo):
        """Three parts of one lot, and a debt that is left over."""
        receipt = buy(org, 500, charge_id="ch_a")
        hold(org, "job_a", 90)
        hold(org, "job_b", 60)
        take()
        capture(org, "job_a", 50)
        capture(org, "job_b", 40)
        assert ledger.balances(org) == (0, 0, 0, 90)

        undo()

        assert ledger.balances(org) == (0, 410, 0, 0)
        assert lots(org) == {receipt.public_id: 410}

    def test_where_it_took_of_two_purchases(self, org, take, undo):
        first, second = buy(org, 500, charge_id="ch_a"), buy(org, 100)
        hold(org, "job_a", 550)
        take()
        release(org, "job_a")
        assert ledger.balances(org) == (0, 100, 0, 0)

        undo()

        assert lots(org) == {first.public_id: 500, second.public_id: 100}
        spend(org, 600)


class TestACanceledJob:
    """The same through the API: created, canceled, and created again once the dispute is won."""

    @pytest.fixture
    def claimed(self, transactional_db, settings) -> Signed:
        settings.CREATE_WAIT_S, settings.PREVIEW_CREDITS = 0, 0
        agent = sign_up()
        Agent.objects.filter(pk=agent.agent.pk).update(claim_state=Agent.ClaimState.CLAIMED)
        return agent

    def test_leaves_the_agent_able_to_spend_all_that_it_bought(self, claimed, api):
        org = claimed.organization.pk
        receipt = buy(org, 500, charge_id="ch_a")
        job = api.post("/v1/create", json=CREATE, token=claimed.token).data["job_id"]
        held = ledger.balances(org).held
        applying.apply_dispute(dispute("du_a", "ch_a", 500))
        api.post(f"/v1/jobs/{job}/cancel", token=claimed.token)
        assert ledger.balances(org) == (0, 0, 0, 0)
        applying.apply_dispute(dispute("du_a", "ch_a", 500, status="won", reinstated=True))

        again = api.post("/v1/create", json=CREATE, token=claimed.token)

        assert again.code is None
        assert ledger.balances(org) == (0, 500 - held, held, 0)
        assert lots(org) == {receipt.public_id: 500 - held}
        assert checks.find_problems() == []
        spend(org, 500 - held)
