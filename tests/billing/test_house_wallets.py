"""The house's wallets follow the chart in every database, the ones that were there before too."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from accounts.staff.roles import ROLES
from billing import chart
from billing.chart import HOUSE_IDS, Purpose
from billing.models import Wallet
from tests.billing.money import buy


def house() -> dict[int, str]:
    """Return the purposes of the house's wallets by their ids."""
    return dict(Wallet.objects.filter(organization=None).values_list("pk", "purpose"))


def migrate() -> None:
    """Run `migrate` on a database that has every migration."""
    call_command("migrate", verbosity=0, interactive=False)


CHART = {pk: purpose.value for purpose, pk in HOUSE_IDS.items()}


@pytest.mark.django_db
class TestMigrate:
    def test_brings_a_wallet_that_is_new_in_the_chart(self):
        Wallet.objects.get(pk=HOUSE_IDS[Purpose.LOSSES]).delete()
        assert house() != CHART
        migrate()

        assert house() == CHART
        assert Wallet.objects.get(pk=HOUSE_IDS[Purpose.LOSSES]).balance == 0

    def test_leaves_the_others_as_they_are(self, org):
        buy(org, 500)
        balances = Wallet.objects.order_by("pk").values_list()
        before = list(balances)
        migrate()

        assert list(balances) == before

    def test_waits_for_the_migration_that_lets_the_database_accept_a_purpose(self, monkeypatch):
        monkeypatch.setitem(chart.HOUSE_IDS, "tips", 1_000_000_000_000_007)
        migrate()

        assert house() == CHART


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_has_the_rows_that_follow_the_code():
    call_command("flush", verbosity=0, interactive=False)

    assert house() == CHART
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
