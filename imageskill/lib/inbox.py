"""An inbox of webhooks, for every sender: each event is stored once, handled once, replayable.

The webhook stores the event and answers; a task handles it after commit, in the transaction of its
effects (docs/adr/0013). What fails keeps its traceback and is tried again by a sweep, later and
later, until it is given up. An app brings a table that extends `WebhookEvent`, the task that the
table names, and a function that prepares the effect of an event.
"""

import traceback
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

import structlog
from django.db import connection, models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from psycopg.sql import SQL, Identifier, Placeholder

from imageskill.lib import clock
from imageskill.lib.queue import enqueue

log = structlog.get_logger(__name__)

FIRST_RETRY_AFTER = timedelta(minutes=1)
MAX_RETRY_DELAY = timedelta(hours=6)
# With the delays below these reach over some three days, as long as Stripe itself retries.
MAX_ATTEMPTS = 20
_MAX_ERROR_LENGTH = 8000  # characters of a traceback, from its end

Result = TypeVar("Result")
# Run inside the transaction that marks the event; what it returns says in a line what was done.
Effect = Callable[[], object]


class WebhookState(models.TextChoices):
    """What became of an event; written with its effects, in one transaction."""

    RECEIVED = "received", "Received"  # stored, not handled yet
    HANDLED = "handled", "Processed"  # its effects are committed
    FAILED = "failed", "Failed"  # handling raised; retried while attempts are left, replayable
    IGNORED = "ignored", "Ignored"  # not ours, or of a kind that nothing acts on


# The names of tables and columns are put in from the model; values stay parameters.
_INSERT = SQL("""
INSERT INTO {table} AS stored ({columns}) VALUES ({values})
ON CONFLICT ({key}) DO UPDATE SET deliveries = stored.deliveries + 1
RETURNING id, deliveries
""")

UNPROCESSED = (WebhookState.RECEIVED, WebhookState.FAILED)


class WebhookEventQuerySet(models.QuerySet[Any]):
    """Sets of events."""

    def unprocessed(self) -> Self:
        """Narrow to events whose effects are not committed."""
        return self.filter(state__in=UNPROCESSED)

    def due(self, *, now: datetime) -> Self:
        """Narrow to events that a worker should handle now, oldest first."""
        return self.unprocessed().filter(next_attempt_at__lte=now).order_by("next_attempt_at")


class WebhookEvent(models.Model):
    """One event, whichever way and however often it was delivered."""

    State = WebhookState

    KEY: ClassVar[str]  # the unique column that holds the sender's id, and the task's argument
    TASK: ClassVar[str]  # the task that handles one event

    state = models.CharField(
        max_length=16, choices=WebhookState.choices, default=WebhookState.RECEIVED
    )
    outcome = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)  # the traceback of the last attempt that failed
    attempts = models.PositiveIntegerField(default=0)  # begun, whether or not they ended
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(default=clock.now, editable=False)
    handled_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)  # null: none will be made

    objects: ClassVar = WebhookEventQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """Return the sender's id of the event."""
        return str(getattr(self, self.KEY))


AnyEvent = TypeVar("AnyEvent", bound=WebhookEvent)


def due_index(name: str) -> models.Index:
    """Return the index by which the sweep finds what is due."""
    return models.Index(
        fields=["next_attempt_at"], name=name, condition=Q(state__in=("received", "failed"))
    )


def handled_constraint(name: str) -> models.CheckConstraint:
    """Return the constraint that exactly the handled events say when they were."""
    return models.CheckConstraint(
        name=name,
        condition=Q(state="handled", handled_at__isnull=False)
        | (~Q(state="handled") & Q(handled_at__isnull=True)),
    )


def store(event: WebhookEvent) -> bool:
    """Store an event and hand it to a worker; False if it was here before.

    A repeated delivery is counted, and changes nothing else.
    """
    is_ignored = event.state == WebhookState.IGNORED
    event.next_attempt_at = None if is_ignored else clock.now() + FIRST_RETRY_AFTER
    is_new = _insert(event)
    if is_new and not is_ignored:
        _hand_over(type(event), event.key)
    return is_new


def handle(
    event: AnyEvent,
    *,
    prepare: Callable[[AnyEvent], Effect],
    ignored: tuple[type[Exception], ...] = (),
    hopeless: tuple[type[Exception], ...] = (),
) -> None:
    """Handle a stored event, unless that was done; failures are stored, not raised.

    `prepare` may call the sender, since it runs outside any transaction; the effect that it
    returns runs inside the one that marks the event handled. What raises one of `ignored` is
    not ours to act on; one of `hopeless` is given up at once, and can be replayed.
    """
    if not _begin(event):
        return
    try:
        effect = prepare(event)
        with transaction.atomic():
            # Another worker may be at the same event: the row's lock decides who is first.
            if _lock(event) in UNPROCESSED:
                _finish(event, WebhookState.HANDLED, outcome=str(effect()))
    except ignored as reason:
        _finish(event, WebhookState.IGNORED, outcome=str(reason))
    except hopeless as error:
        _fail(event, error, is_last=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the row keeps it and is retried
        _fail(event, error)


def replay(event: WebhookEvent, *, effect: Effect) -> tuple[str, str]:
    """Handle an event whatever became of it before; return its former state and the outcome.

    Raises whatever the effect raises, and then nothing has changed.
    """
    with transaction.atomic():
        former_state = _lock(event)
        outcome = str(effect())
        _finish(event, WebhookState.HANDLED, outcome=outcome, states=WebhookState.values)
    return former_state, outcome


def dry_run(effect: Callable[[], Result]) -> Result:
    """Run an effect, return what it returns, and keep nothing of it."""
    with transaction.atomic():
        result = effect()
        transaction.set_rollback(True)
    return result


def requeue_due(model: type[WebhookEvent], *, limit: int = 200) -> int:
    """Queue due events again: their message was lost, or they failed before."""
    now = clock.now()
    due = model.objects.due(now=now).values_list("pk", model.KEY)
    keys: dict[int, str] = dict(due[:limit])
    # Put off, so that the next sweep does not send a second message while the first one waits.
    model.objects.unprocessed().filter(pk__in=keys).update(next_attempt_at=now + FIRST_RETRY_AFTER)
    for key in keys.values():
        _hand_over(model, key)
    return len(keys)


def _hand_over(model: type[WebhookEvent], key: str) -> None:
    enqueue(model.TASK, **{model.KEY: key})


def _insert(event: WebhookEvent) -> bool:
    """Insert an event or count its delivery, in one statement: webhooks come 50 a second."""
    fields = [field for field in event._meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(getattr(event, field.attname), connection) for field in fields]
    statement = _INSERT.format(
        table=Identifier(event._meta.db_table),
        columns=SQL(", ").join(Identifier(str(field.column)) for field in fields),
        values=SQL(", ").join([Placeholder()] * len(fields)),
        key=Identifier(event.KEY),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        event.pk, event.deliveries = cursor.fetchone()
    return event.deliveries == 1


def _begin(event: WebhookEvent) -> bool:
    """Count an attempt before it is made; False if none is to be made.

    One that kills its worker must count too, or its message would come back for ever.
    """
    rows = type(event).objects.unprocessed().filter(pk=event.pk)
    number = event.attempts + 1
    begun = rows.filter(attempts__lt=MAX_ATTEMPTS).update(
        attempts=F("attempts") + 1, next_attempt_at=_after(number)
    )
    if begun:
        event.attempts = number
        return True
    note = f"\nGiven up after {MAX_ATTEMPTS} attempts."
    if rows.update(
        state=WebhookState.FAILED, error=Concat(F("error"), Value(note)), next_attempt_at=None
    ):
        log.error("webhook_event_given_up", model=event._meta.label, key=event.key)
    return False


def _lock(event: WebhookEvent) -> str:
    """Lock the row and return its state, without the payload that is known already."""
    rows = type(event).objects.select_for_update().filter(pk=event.pk)
    state: str = rows.values_list("state", flat=True).get()
    return state


def _finish(
    event: WebhookEvent, state: str, *, outcome: str, states: Sequence[str] = UNPROCESSED
) -> None:
    type(event).objects.filter(pk=event.pk, state__in=states).update(
        state=state,
        outcome=outcome[:200],
        error="",
        handled_at=clock.now() if state == WebhookState.HANDLED else None,
        next_attempt_at=None,
    )


def _fail(event: WebhookEvent, error: Exception, *, is_last: bool = False) -> None:
    is_last = is_last or event.attempts >= MAX_ATTEMPTS
    facts = {"model": event._meta.label, "key": event.key, "error": type(error).__name__}
    if is_last:
        log.error("webhook_event_given_up", **facts)
    else:
        log.warning("webhook_event_failed", **facts)
    type(event).objects.unprocessed().filter(pk=event.pk).update(
        state=WebhookState.FAILED,
        error=_format_error(error),
        next_attempt_at=None if is_last else _after(event.attempts),
    )


def _format_error(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    return text[-_MAX_ERROR_LENGTH:].replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _after(attempts: int) -> datetime:
    """Return when to try again: after a minute, then twice as long each time, to six hours."""
    delay: timedelta = FIRST_RETRY_AFTER * 2 ** min(attempts - 1, 12)
    return clock.now() + min(delay, MAX_RETRY_DELAY)
