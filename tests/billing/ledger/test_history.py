"""Credits as they were: the same as somebody saw who looked then."""

from datetime import timedelta

import pytest

from billing import ledger
from billing.ledger import history
from billing.models import Lot
from imageskill.lib import clock
from tests.billing.money import buy, give, new_org
from tests.billing.reversals.test_random_streams import World, bank

__all__ = ["bank"]
pytestmark = pytest.mark.django_db


def lots_of(org):
    return list(Lot.objects.filter(organization_id=org).order_by("pk"))


class TestPast:
    @pytest.mark.parametrize("seed", range(5))
    def test_balances_and_lots_are_those_of_then_whatever_moved_since(self, seed, bank, agent):
        world = World(seed, bank, agent.agent)
        seen = []
        for _ in range(40):
            world.step()
            lots = {lot.pk: lot.left for lot in lots_of(world.org)}
            seen.append((clock.now(), ledger.balances(world.org), lots))
        for at, balances, lots in seen:
            assert history.balances_at(world.org, at=at) == balances
            assert history.remaining_at(list(Lot.objects.filter(pk__in=lots)), at=at) == lots

    def test_before_the_first_transfer_there_was_nothing(self):
        org = new_org()
        give(org, 40)
        assert history.balances_at(org, at=clock.now() - timedelta(hours=1)) == (0, 0, 0, 0)
        assert history.remaining_at([], at=clock.now()) == {}

    def test_it_is_a_look_up_whatever_the_history(self, django_assert_max_num_queries):
        org = new_org()
        for _ in range(30):
            give(org, 1)
        with django_assert_max_num_queries(1):
            assert history.balances_at(org, at=clock.now()).preview == 30

    def test_more_parts_than_can_be_gone_through_are_not_gone_through(
        self, monkeypatch, bank, agent
    ):
        world = World(1, bank, agent.agent)
        buy(world.org, 500)
        world.do(lambda: ledger.hold(organization_id=world.org, job_id="a", credits=50, actor="t"))
        monkeypatch.setattr(history, "MAX_PARTS", 0)
        assert history.remaining_at(lots_of(world.org), at=clock.now()) is None
