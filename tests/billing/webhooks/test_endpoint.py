"""What Stripe posts, and what pretends to be Stripe."""

import json
import time

import pytest

from accounts.models import AuditLine
from billing.models import Receipt, StripeEvent, Transfer
from billing.webhooks import inbox
from imageskill.dev.standins.faults import Fault
from imageskill.dev.standins.stripe.deliveries import sign_event
from imageskill.lib import clock
from tests.billing.shop import OLD_SECRET, SECRET, only_receipt

State = StripeEvent.State


@pytest.fixture
def event(shop, agent):
    """The event of a session that was paid, not delivered yet."""
    attempt = shop.attempt(agent)
    shop.account.pay(attempt.checkout_session_id)
    return shop.events()[-1]


def altered(event, **changes):
    return event | {"id": f"evt_{time.time_ns()}"} | changes


@pytest.mark.django_db
class TestSignature:
    def test_a_good_one_is_stored_and_answered(self, shop, event):
        answer = shop.post(event)
        assert (answer.status_code, answer.json()) == (200, {"received": True, "new": True})
        assert shop.outcome(event).state == State.RECEIVED

    def test_the_other_secret_while_they_roll(self, shop, event):
        assert shop.post(event, secret=OLD_SECRET).status_code == 200

    def test_any_of_several_signatures_may_match(self, shop, event):
        body, headers = sign_event(event, secret=SECRET)
        header = headers["Stripe-Signature"].replace("v1=", "v1=00ff,v1=", 1)
        assert shop.post_raw(body, header).status_code == 200

    @pytest.mark.parametrize(
        "header", ["", "t=1,v1=", "nonsense", "t=x,v1=ab", "v1=ab", "t=1", "t=1,v1=é"]
    )
    def test_none_or_a_broken_one_is_refused(self, shop, event, header):
        body, _ = sign_event(event, secret=SECRET)
        assert shop.post_raw(body, header).status_code == 400
        assert not StripeEvent.objects.exists()

    def test_somebody_elses_secret_is_refused(self, shop, event):
        assert shop.post(event, secret="whsec_of_somebody_else").status_code == 400

    @pytest.mark.parametrize("age_s", [301, -310, 10**6])
    def test_an_old_one_or_one_from_the_future_is_refused(self, shop, event, age_s):
        assert shop.post(event, at=time.time() - age_s).status_code == 400
        assert not StripeEvent.objects.exists()

    @pytest.mark.parametrize("age_s", [290, -290])
    def test_a_clock_that_is_a_little_off_is_fine(self, shop, event, age_s):
        assert shop.post(event, at=time.time() - age_s).status_code == 200

    def test_an_altered_body_is_refused(self, shop, event):
        body, headers = sign_event(event, secret=SECRET)
        changed = body.replace(b'"amount_total": 500', b'"amount_total": 900')
        assert changed != body
        assert shop.post_raw(changed, headers["Stripe-Signature"]).status_code == 400

    @pytest.mark.parametrize(
        "document",
        [
            [],
            "text",
            {},
            {"id": 1, "type": "x", "created": 1, "livemode": False},
            {
                "id": "evt_1",
                "type": "refund.created",
                "created": 1,
                "livemode": False,
                "data": None,
            },
            {"id": "evt_1", "type": "x", "created": 1, "livemode": False, "data": {"object": None}},
            {"id": "evt_1", "type": "x", "created": 10**30, "livemode": False},
            {"id": "e" * 256, "type": "x", "created": 1, "livemode": False},
        ],
    )
    def test_something_signed_that_is_no_event_is_refused(self, shop, document):
        body, headers = sign_event(document, secret=SECRET)
        assert shop.post_raw(body, headers["Stripe-Signature"]).status_code == 400

    def test_a_nul_character_is_refused_and_not_an_error_of_ours(self, shop, event):
        body, headers = sign_event(altered(event, note="\x00"), secret=SECRET)
        assert shop.post_raw(body, headers["Stripe-Signature"]).status_code == 400

    def test_only_post_is_taken(self, client):
        assert client.get("/webhooks/stripe").status_code == 405


@pytest.mark.django_db
class TestWhatIsIgnored:
    def tell(self, shop, event):
        shop.tell(event)
        kept = shop.outcome(event)
        assert not Receipt.objects.exists()
        return kept.state, kept.outcome

    def test_live_events_where_no_money_moves(self, shop, event):
        state, why = self.tell(shop, altered(event, livemode=True))
        assert (state, why) == (State.IGNORED, "the other mode's")

    def test_test_events_on_a_live_installation(self, shop, event, monkeypatch):
        monkeypatch.setattr("billing.stripe.gateway.environment", lambda: "live")
        assert self.tell(shop, event)[0] == State.IGNORED

    def test_another_installations_objects(self, shop, event, settings):
        settings.INSTALLATION_NAME = "another.example.com"
        state, why = self.tell(shop, event)
        assert (state, why) == (State.IGNORED, "another installation's")

    def test_connected_accounts(self, shop, event):
        assert self.tell(shop, altered(event, account="acct_1"))[0] == State.IGNORED

    def test_types_that_nothing_acts_on(self, shop, event):
        state, why = self.tell(shop, altered(event, type="customer.created"))
        assert (state, why) == (State.IGNORED, "nothing acts on this type")


@pytest.mark.django_db
class TestHandling:
    def test_the_mark_and_the_effects_are_one(self, shop, event):
        shop.tell(event)
        kept = shop.outcome(event)
        assert kept.state == State.HANDLED
        assert only_receipt().public_id in kept.outcome

    def test_a_failure_is_kept_with_its_error_and_tried_again(self, shop, event):
        shop.stand_in.faults.add(Fault(method="GET", times=2, status=500, body={}))
        shop.tell(event)
        kept = shop.outcome(event)
        assert kept.state == State.FAILED
        assert "PaymentProviderFailure" in kept.error
        assert kept.next_attempt_at > clock.now()
        StripeEvent.objects.update(next_attempt_at=clock.now())
        assert inbox.requeue_due() == 1
        inbox.handle(event_id=kept.event_id)
        kept.refresh_from_db()
        assert (kept.state, kept.error, kept.attempts) == (State.HANDLED, "", 2)
        only_receipt()

    def test_a_session_of_ours_that_names_an_unknown_attempt_is_a_failure_to_look_at(
        self, shop, event
    ):
        session_id = event["data"]["object"]["id"]
        shop.account.objects[session_id]["client_reference_id"] = "payatt_unknown"
        shop.tell(event)
        kept = shop.outcome(event)
        assert kept.state == State.FAILED
        assert "UnknownAttempt" in kept.error

    def test_it_can_be_found_by_every_id_in_it(self, shop, event):
        shop.post(event)
        session = event["data"]["object"]
        for name in ("id", "payment_intent", "client_reference_id"):
            assert StripeEvent.objects.filter(related_ids__contains=[session[name]]).exists()


@pytest.mark.django_db
class TestReplay:
    def test_a_preview_shows_the_difference_and_moves_nothing(self, shop, event):
        shop.post(event)
        preview = inbox.preview(event_id=event["id"])
        assert [transfer.credits for transfer in preview.transfers] == [500]
        assert not Receipt.objects.exists()
        assert not Transfer.objects.filter(kind="paid_grant").exists()
        assert shop.outcome(event).state == State.RECEIVED

    def test_a_preview_of_what_was_applied_is_empty(self, shop, event):
        shop.tell(event)
        assert inbox.preview(event_id=event["id"]).transfers == []

    def test_a_replay_acts_and_leaves_a_line(self, shop, event, supporter):
        shop.stand_in.faults.add(Fault(method="GET", times=2, status=500, body={}))
        shop.tell(event)
        inbox.replay(event_id=event["id"], user=supporter, reason="Stripe was down")
        assert shop.outcome(event).state == State.HANDLED
        only_receipt()
        [line] = AuditLine.objects.filter(action="stripe_event.replay")
        assert (line.subject, line.reason) == (event["id"], "Stripe was down")

    def test_a_replay_of_what_was_applied_moves_nothing(self, shop, event, supporter):
        shop.tell(event)
        inbox.replay(event_id=event["id"], user=supporter, reason="to be sure")
        only_receipt()


@pytest.mark.django_db(transaction=True)
class TestDelivery:
    def test_a_stored_event_reaches_a_worker(self, shop, event, drain):
        shop.post(event)
        assert "billing.handle_stripe_event" in drain()
        only_receipt()

    def test_the_stand_in_delivers_what_the_webhook_takes(self, shop, agent, live_server, drain):
        sender = shop.account.deliveries
        sender.start(url=f"{live_server.url}/webhooks/stripe", secret=SECRET)
        sender.repeats = 2
        attempt = shop.attempt(agent)
        shop.account.pay(attempt.checkout_session_id)
        [event] = shop.events()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and event["pending_webhooks"]:
            time.sleep(0.05)
        drain()
        only_receipt()
        assert json.loads(json.dumps(event))["pending_webhooks"] == 0
