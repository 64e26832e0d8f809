"""One rule for whose a Stripe object is, whichever way it reached us."""

from types import SimpleNamespace

import pytest
from django.conf import settings as configured

from billing.purchases import checkout
from billing.stripe import gateway, ownership
from billing.stripe.objects import Event
from tests.billing.stripe_facts import THEN

OURS = {gateway.INSTALLATION_KEY: configured.INSTALLATION_NAME}
THEIRS = {gateway.INSTALLATION_KEY: "another"}


@pytest.fixture
def charges(monkeypatch):
    """Charges at Stripe by id, and which of them were asked for."""
    charges = SimpleNamespace(metadata={"ch_ours": OURS, "ch_theirs": THEIRS}, asked=[])

    def retrieve(charge_id):
        charges.asked.append(charge_id)
        return SimpleNamespace(metadata=charges.metadata[charge_id])

    monkeypatch.setattr(gateway, "retrieve_charge", retrieve)
    return charges


def event(*, is_live=False, **payload):
    return Event(
        id="evt_1", type="charge.refunded", created_at=THEN, is_live_mode=is_live, payload=payload
    )


class TestMetadata:
    def test_ours_passes(self):
        ownership.check_metadata(OURS)
        ownership.check_metadata(gateway.build_metadata(quote_id="quote_1"))

    @pytest.mark.parametrize("metadata", [{}, THEIRS])
    def test_anything_else_is_foreign(self, metadata):
        with pytest.raises(ownership.ForeignObject, match="another installation"):
            ownership.check_metadata(metadata)


class TestSession:
    def test_the_other_mode_is_foreign(self):
        ownership.check_session(SimpleNamespace(metadata=OURS, is_live_mode=False))
        with pytest.raises(ownership.ForeignObject, match="mode"):
            ownership.check_session(SimpleNamespace(metadata=OURS, is_live_mode=True))


class TestCharge:
    def test_what_we_know_is_ours_without_a_question(self, charges):
        assert ownership.is_our_charge("ch_any", is_known=True)
        assert charges.asked == []

    def test_an_unknown_one_is_judged_by_its_metadata(self, charges):
        assert ownership.is_our_charge("ch_ours", is_known=False)
        assert not ownership.is_our_charge("ch_theirs", is_known=False)

    def test_no_charge_at_all_is_foreign(self, charges):
        with pytest.raises(ownership.ForeignObject, match="no charge"):
            ownership.check_charge("", is_known=False)
        assert charges.asked == []


class TestEvent:
    def test_mode_and_account_decide(self):
        assert ownership.foreign_event_reason(event()) == ""
        assert ownership.foreign_event_reason(event(is_live=True)) == "the other mode's"
        assert ownership.foreign_event_reason(event(account="acct_1")) == "a connected account's"


def test_a_session_is_made_in_the_currency_of_its_quote(monkeypatch):
    quote = SimpleNamespace(
        public_id="quote_1", pack_name="", credits=5, price_cents=5, currency="EUR", user=None
    )
    attempt = SimpleNamespace(
        public_id="payatt_1",
        quote=quote,
        session_expires_at=THEN,
        stripe_key="payatt_1",
    )
    sent = {}
    monkeypatch.setattr(gateway, "create_session", lambda **terms: sent.update(terms))
    checkout._create_session(attempt)
    assert sent["currency"] == "EUR"
