"""Goodwill, adjustments and write-offs: a further transfer each, and a second person."""

import pytest
from django.contrib.auth.models import Permission

from accounts.models import AuditLine, Organization, User
from billing import approvals, ledger
from billing.approvals import DecisionRefused
from billing.chart import Purpose
from billing.ledger import corrections
from billing.models import CreditCorrection, Lot
from billing.reversals import applying
from imageskill.lib import clock
from tests.billing.money import buy, give, house, spend
from tests.billing.stripe_facts import refund

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_in_order")]
Kind, State = CreditCorrection.Kind, CreditCorrection.State


def person(address: str, *duties: str) -> User:
    user = User.objects.create_user(address, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=duties))
    return user


@pytest.fixture
def asker(db) -> User:
    return person("asker@example.com", "ledger_approve", "refund_approve")


@pytest.fixture
def decider(db) -> User:
    return person("decider@example.com", "ledger_approve", "refund_approve")


def ask(org: int, user: User, kind: str, credits: int) -> CreditCorrection:
    return corrections.request(
        organization_id=org, kind=kind, credits=credits, reason="a reason", user=user
    )


class TestGoodwill:
    def test_up_to_the_threshold_moves_at_once(self, org, asker, settings):
        settings.GOODWILL_SECOND_PERSON_CREDITS = 50

        asked = ask(org, asker, Kind.GOODWILL, 50)

        assert asked.state == State.APPROVED
        assert ledger.balances(org) == (50, 0, 0, 0)
        assert house(Purpose.PROMOTIONS) == -50
        [line] = AuditLine.objects.all()
        assert (line.user, line.reason) == (asker, "a reason")
        assert line.subject == Organization.objects.get(pk=org).public_id

    def test_above_it_waits(self, org, asker, decider, settings):
        settings.GOODWILL_SECOND_PERSON_CREDITS = 50
        asked = ask(org, asker, Kind.GOODWILL, 51)
        assert ledger.balances(org) == (0, 0, 0, 0)

        corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org) == (51, 0, 0, 0)

    def test_of_nothing_is_refused(self, org, asker):
        with pytest.raises(ValueError, match="more than nothing"):
            ask(org, asker, Kind.GOODWILL, 0)


class TestAdjustment:
    def test_always_needs_a_second_person(self, org, asker, decider):
        asked = ask(org, asker, Kind.ADJUST_PAID, 1)
        assert asked.state == State.REQUESTED

        with pytest.raises(DecisionRefused, match="second person"):
            corrections.approve(request_id=asked.pk, user=asker)
        corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org) == (0, 1, 0, 0)
        assert house(Purpose.ADJUSTMENTS) == -1

    def test_is_applied_once(self, org, asker, decider):
        asked = ask(org, asker, Kind.ADJUST_PAID, 7)
        corrections.approve(request_id=asked.pk, user=decider)

        with pytest.raises(DecisionRefused, match="no longer pending: approved"):
            corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org).paid == 7

    def test_down_takes_the_oldest_purchase_first(self, org, asker, decider):
        old, new = buy(org, 100), buy(org, 100)
        asked = ask(org, asker, Kind.ADJUST_PAID, -150)

        corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org) == (0, 50, 0, 0)
        lots = dict(Lot.objects.values_list("reference", "left"))
        assert lots == {old.public_id: 0, new.public_id: 50}

    def test_down_below_zero_is_refused_when_asked_and_when_approved(self, org, asker, decider):
        give(org, 10)
        with pytest.raises(corrections.CorrectionRefused):
            ask(org, asker, Kind.ADJUST_PREVIEW, -11)
        asked = ask(org, asker, Kind.ADJUST_PREVIEW, -10)
        spend(org, 5)

        with pytest.raises(corrections.CorrectionRefused):
            corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org) == (5, 0, 0, 0)
        asked.refresh_from_db()
        assert asked.state == State.REQUESTED

    def test_up_settles_what_is_owed_first(self, org, asker, decider):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_refund(refund("re_a", "ch_a", 500))
        asked = ask(org, asker, Kind.ADJUST_PAID, 200)

        corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org) == (0, 80, 0, 0)

    def test_needs_the_right(self, org, asker):
        asked = ask(org, asker, Kind.ADJUST_PAID, 7)

        with pytest.raises(DecisionRefused, match="approval limit"):
            corrections.approve(
                request_id=asked.pk, user=person("refunds@example.com", "refund_approve")
            )

    def test_expires(self, org, asker, decider):
        asked = ask(org, asker, Kind.ADJUST_PAID, 7)
        CreditCorrection.objects.filter(pk=asked.pk).update(expires_at=clock.now())

        assert approvals.expire_overdue() == 1
        with pytest.raises(DecisionRefused):
            corrections.approve(request_id=asked.pk, user=decider)

    def test_turned_down_moves_nothing(self, org, asker, decider):
        asked = ask(org, asker, Kind.ADJUST_PAID, 7)

        corrections.reject(request_id=asked.pk, user=decider, note="no")

        assert ledger.balances(org) == (0, 0, 0, 0)


class TestWriteOff:
    @pytest.fixture(autouse=True)
    def _owing(self, org):
        buy(org, 500, charge_id="ch_a")
        spend(org, 120)
        applying.apply_refund(refund("re_a", "ch_a", 500))

    def test_lets_the_house_bear_the_debt(self, org, asker, decider):
        asked = ask(org, asker, Kind.WRITE_OFF, 120)
        assert ledger.balances(org).owed == 120

        corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org) == (0, 0, 0, 0)
        assert house(Purpose.LOSSES) == 120

    def test_of_more_than_is_owed_by_now_is_refused(self, org, asker, decider):
        asked = ask(org, asker, Kind.WRITE_OFF, 120)
        buy(org, 100)

        with pytest.raises(corrections.CorrectionRefused):
            corrections.approve(request_id=asked.pk, user=decider)

        assert ledger.balances(org) == (0, 0, 0, 20)
