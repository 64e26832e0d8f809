"""The inbox of webhooks, over the table of each sender: stored once, handled once, retried."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import transaction

from billing.models import StripeEvent
from feedback.models import GithubEvent, GithubRepository
from imageskill.lib import clock, inbox
from tests.billing.shop import at_once

State = inbox.WebhookState


def stripe_event(key, **fields):
    return StripeEvent(
        event_id=key,
        type="refund.created",
        is_live_mode=False,
        payload={"id": key, "data": {"object": {"id": "re_1"}}},
        created_at=clock.now(),
        **fields,
    )


def github_event(key, **fields):
    return GithubEvent(delivery_id=key, event="issues", action="closed", **fields)


@pytest.fixture(params=[stripe_event, github_event], ids=["stripe", "github"])
def new_event(request):
    """Make an event of one of the senders, not stored yet."""
    return request.param


@pytest.fixture
def stored(new_event):
    """An event that waits for a worker."""
    event = new_event("key_1")
    assert inbox.store(event)
    return fresh(event)


def fresh(event):
    return type(event).objects.get(pk=event.pk)


def effect(name="effect"):
    """Return an effect that shows in the database."""

    def run():
        GithubRepository.objects.create(name=name)
        return f"did {name}"

    return run


def failing():
    effect("half done")()
    raise ZeroDivisionError("text with a NUL: \x00")


def effects():
    return sorted(GithubRepository.objects.values_list("name", flat=True))


def handle(event, run=None, **options):
    inbox.handle(fresh(event), prepare=lambda _: run or effect(), **options)
    return fresh(event)


def make_due(event):
    type(event).objects.filter(pk=event.pk).update(next_attempt_at=clock.now())


@pytest.fixture
def sent(monkeypatch):
    """The messages that would go to workers."""
    messages = []
    monkeypatch.setattr(inbox, "enqueue", lambda name, **args: messages.append((name, args)))
    return messages


@pytest.mark.django_db
class TestStore:
    def test_a_new_event_is_handed_to_a_worker_by_its_key(self, sent, new_event):
        event = new_event("key_1")
        assert inbox.store(event)
        assert sent == [(event.TASK, {event.KEY: "key_1"})]
        assert (fresh(event).state, fresh(event).attempts) == (State.RECEIVED, 0)

    def test_a_repeated_delivery_is_counted_and_changes_nothing_else(self, sent, new_event):
        first = new_event("key_1", outcome="first")
        inbox.store(first)
        assert not inbox.store(new_event("key_1", outcome="second"))
        assert (fresh(first).deliveries, fresh(first).outcome) == (2, "first")
        assert len(sent) == 1

    def test_an_ignored_event_is_kept_and_left_alone(self, sent, new_event):
        event = new_event("key_1", state=State.IGNORED, outcome="not ours")
        assert inbox.store(event)
        assert sent == []
        assert fresh(event).next_attempt_at is None
        assert handle(event).state == State.IGNORED
        assert effects() == []


@pytest.mark.django_db
class TestHandle:
    def test_the_effect_and_the_mark_are_one(self, stored):
        handled = handle(stored)
        assert (handled.state, handled.outcome) == (State.HANDLED, "did effect")
        assert handled.handled_at is not None
        assert handled.next_attempt_at is None
        assert effects() == ["effect"]

    def test_it_is_handled_once_however_often_its_message_comes(self, stored):
        handle(stored)
        assert handle(stored, effect("again")).attempts == 1
        assert effects() == ["effect"]

    def test_a_failure_keeps_its_traceback_and_nothing_of_the_effect(self, stored):
        failed = handle(stored, failing)
        assert (failed.state, failed.attempts, failed.outcome) == (State.FAILED, 1, "")
        assert "in failing" in failed.error
        assert "ZeroDivisionError: text with a NUL: \N{REPLACEMENT CHARACTER}" in failed.error
        assert effects() == []

    def test_a_failure_of_what_is_read_beforehand_is_stored_too(self, stored):
        def prepare(_):
            raise ConnectionError

        inbox.handle(stored, prepare=prepare)
        assert "ConnectionError" in fresh(stored).error

    def test_each_failure_is_retried_later_than_the_one_before(self, stored):
        waits = []
        for _ in range(12):
            failed = handle(stored, failing)
            waits.append(failed.next_attempt_at - clock.now())
        minutes = [round(wait.total_seconds() / 60) for wait in waits]
        assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]

    def test_a_retry_that_works_clears_the_error(self, stored):
        handle(stored, failing)
        handled = handle(stored)
        assert (handled.state, handled.error, handled.attempts) == (State.HANDLED, "", 2)

    def test_what_is_not_ours_is_ignored_with_the_reason(self, stored):
        def foreign():
            effect("half done")()
            raise LookupError("another installation's")

        ignored = handle(stored, foreign, ignored=(LookupError,))
        assert (ignored.state, ignored.outcome) == (State.IGNORED, "another installation's")
        assert ignored.next_attempt_at is None
        assert effects() == []


@pytest.mark.django_db
class TestSweep:
    def test_what_was_stored_and_never_handed_over_is(self, stored, sent):
        assert inbox.requeue_due(type(stored)) == 0  # its message may still be on its way
        make_due(stored)
        assert inbox.requeue_due(type(stored)) == 1
        assert sent == [(stored.TASK, {stored.KEY: stored.key})]

    def test_a_message_that_waits_is_not_sent_again_at_once(self, stored, sent):
        make_due(stored)
        inbox.requeue_due(type(stored))
        assert inbox.requeue_due(type(stored)) == 0

    def test_what_failed_is_sent_when_it_is_due(self, stored, sent):
        handle(stored, failing)
        assert inbox.requeue_due(type(stored)) == 0
        make_due(stored)
        assert inbox.requeue_due(type(stored)) == 1

    def test_what_is_done_is_not_sent(self, stored, sent):
        handle(stored)
        make_due(stored)
        assert inbox.requeue_due(type(stored)) == 0

    def test_an_event_that_always_fails_is_given_up(self, stored, sent):
        for _ in range(inbox.MAX_ATTEMPTS):
            assert fresh(stored).next_attempt_at is not None
            handle(stored, failing)
        given_up = fresh(stored)
        assert (given_up.state, given_up.next_attempt_at) == (State.FAILED, None)
        assert "ZeroDivisionError" in given_up.error
        with clock.at(clock.now() + timedelta(days=30)):
            assert inbox.requeue_due(type(stored)) == 0
        # A message that is still on its way does not start it anew.
        assert handle(stored).attempts == inbox.MAX_ATTEMPTS
        assert effects() == []

    def test_an_event_that_kills_its_worker_is_given_up(self, stored, sent):
        def killed():
            raise SystemExit

        for number in range(1, inbox.MAX_ATTEMPTS + 1):
            with pytest.raises(SystemExit):
                handle(stored, killed)
            assert (fresh(stored).state, fresh(stored).attempts) == (State.RECEIVED, number)
            make_due(stored)
            assert inbox.requeue_due(type(stored)) == 1
        given_up = handle(stored, killed)
        assert (given_up.state, given_up.next_attempt_at) == (State.FAILED, None)
        assert given_up.error.strip() == f"Given up after {inbox.MAX_ATTEMPTS} attempts."


@pytest.mark.django_db
class TestReplay:
    @pytest.mark.parametrize("attempts", [1, inbox.MAX_ATTEMPTS])
    def test_what_failed_or_was_given_up_can_be_replayed(self, stored, attempts):
        for _ in range(attempts):
            handle(stored, failing)
        assert inbox.replay(stored, effect=effect()) == (State.FAILED, "did effect")
        replayed = fresh(stored)
        assert (replayed.state, replayed.error) == (State.HANDLED, "")
        assert replayed.next_attempt_at is None

    def test_a_replay_that_fails_changes_nothing(self, stored):
        before = handle(stored, failing)
        with pytest.raises(ZeroDivisionError):
            inbox.replay(stored, effect=failing)
        after = fresh(stored)
        assert (after.state, after.error) == (before.state, before.error)
        assert effects() == []

    def test_a_dry_run_answers_and_keeps_nothing(self, stored):
        assert inbox.dry_run(effect()) == "did effect"
        assert effects() == []


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_deliveries_at_once_are_one_new_event(self, sent, new_event):
        stored = at_once(*[lambda: inbox.store(new_event("key_1"))] * 8)
        assert sorted(stored) == [False] * 7 + [True]
        assert len(sent) == 1
        assert type(new_event("x")).objects.get().deliveries == 8

    def test_workers_at_once_have_one_effect(self, stored):
        gate = threading.Barrier(4)

        def prepare(_):
            gate.wait()  # all have read the event before the first one has its lock
            return effect()

        at_once(*[lambda: inbox.handle(fresh(stored), prepare=prepare)] * 4)
        assert fresh(stored).state == State.HANDLED
        assert fresh(stored).outcome == "did effect"
        assert effects() == ["effect"]

    def test_a_worker_that_fails_late_does_not_undo_the_mark_of_another(self, stored):
        def prepare(event):
            handle(event, effect("by another"))
            raise ZeroDivisionError

        inbox.handle(stored, prepare=prepare)
        handled = fresh(stored)
        assert (handled.state, handled.error) == (State.HANDLED, "")

    def test_a_replay_and_a_worker_take_turns(self, stored):
        entered = threading.Event()

        def slow():
            entered.set()
            time.sleep(0.3)
            return effect("by staff")()

        def worker():
            entered.wait()
            inbox.handle(fresh(stored), prepare=lambda _: effect("by a worker"))

        results = at_once(lambda: inbox.replay(stored, effect=slow), worker)
        assert results[0] == (State.RECEIVED, "did by staff")
        assert effects() == ["by staff"]

    def test_nothing_is_sent_for_a_store_that_is_rolled_back(self, new_event, drain):
        with transaction.atomic():
            inbox.store(new_event("key_1"))
            transaction.set_rollback(True)
        assert drain() == []
