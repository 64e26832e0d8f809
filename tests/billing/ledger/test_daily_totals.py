"""What wallets hold together: counted by a task, read from its rows."""

import pytest

from billing.chart import HOUSE_IDS, Purpose
from billing.ledger import daily_totals
from billing.models import Wallet
from imageskill.lib import clock
from tests.billing.money import buy, give, hold, new_org

pytestmark = pytest.mark.django_db


class TestWalletTotals:
    def test_are_nothing_of_no_moment_before_they_are_counted(self, org):
        give(org, 40)

        totals = daily_totals.wallet_totals()

        assert totals.counted_at is None
        assert set(totals.credits) == set(Purpose)
        assert totals.outstanding == 0

    def test_add_up_all_wallets_and_say_when(self, org, django_assert_num_queries):
        began = clock.now()
        other = new_org()
        give(org, 40)
        buy(org, 500)
        buy(other, 300)
        hold(other, "job_1", 90)
        daily_totals.count_wallets()

        with django_assert_num_queries(1):
            totals = daily_totals.wallet_totals()

        assert totals.counted_at is not None
        assert began <= totals.counted_at <= clock.now()
        assert totals.credits[Purpose.PAID] == 710
        assert totals.credits[Purpose.HELD] == 90
        assert totals.outstanding == 800
        house = Wallet.objects.get(pk=HOUSE_IDS[Purpose.PAYMENTS])
        assert totals.credits[Purpose.PAYMENTS] == house.balance == -800

    def test_counted_again_are_as_of_now(self, org):
        daily_totals.count_wallets()
        buy(org, 500)
        assert daily_totals.wallet_totals().outstanding == 0

        daily_totals.count_wallets()

        assert daily_totals.wallet_totals().outstanding == 500
