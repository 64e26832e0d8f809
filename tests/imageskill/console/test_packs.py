"""Packs: finance asks, a second person decides; quotes keep their terms."""

import pytest
from django.urls import reverse

from billing import approvals
from billing.models import CreditPack, PackChange
from imageskill.lib import clock
from tests.imageskill.console.test_finance import do

pytestmark = pytest.mark.django_db


@pytest.fixture
def starter():
    return CreditPack.objects.get(pack_id="starter-500")


def changed(browser, pack, **fields):
    terms = {"name": "Starter", "display_name": "Starter 600", "credits": 600, "is_offered": "on"}
    return do(browser, "billing_creditpack", pack, "change", **{**terms, **fields})


class TestPackChange:
    def test_finance_needs_a_second_person(self, signed_in, financier, second_financier, starter):
        first, second = signed_in(financier), signed_in(second_financier)
        changed(first, starter, is_default="on")
        starter.refresh_from_db()
        assert starter.credits == 500
        change = PackChange.objects.get()
        do(first, "billing_packchange", change, "approve")
        change.refresh_from_db()
        assert change.state == "requested"
        do(second, "billing_packchange", change, "approve")
        starter.refresh_from_db()
        assert (starter.credits, starter.amount_cents) == (600, 600)

    def test_expires_when_nobody_decides(self, signed_in, financier, second_financier, starter):
        changed(signed_in(financier), starter, is_default="on")
        change = PackChange.objects.get()
        approvals.expire_overdue()
        change.refresh_from_db()
        assert change.state == "requested"
        PackChange.objects.update(expires_at=clock.now())
        approvals.expire_overdue()
        change.refresh_from_db()
        assert change.state == "expired"
        do(signed_in(second_financier), "billing_packchange", change, "approve")
        starter.refresh_from_db()
        assert starter.credits == 500

    def test_an_operator_changes_it_at_once(self, signed_in, operator, starter):
        changed(signed_in(operator), starter, is_default="on")
        starter.refresh_from_db()
        assert starter.credits == 600

    def test_there_is_one_default(self, signed_in, operator, starter):
        builder = CreditPack.objects.get(pack_id="builder-2000")
        changed(signed_in(operator), builder, credits=2000, is_default="on")
        assert [pack.pack_id for pack in CreditPack.objects.filter(is_default=True)] == [
            "builder-2000"
        ]

    def test_an_auditor_may_look_only_and_support_not_even_that(
        self, signed_in, auditor, supporter, starter
    ):
        listed = reverse("admin:billing_creditpack_changelist")
        assert signed_in(supporter).get(listed).status_code == 403
        browser = signed_in(auditor)
        assert browser.get(reverse("admin:billing_creditpack_changelist")).status_code == 200
        url = reverse("admin:billing_creditpack_action", args=[starter.pk, "change"])
        assert browser.get(url).status_code == 403
