"""How support looks after a history: notes, prompts revealed, images taken down, suspensions."""

from datetime import timedelta

from accounts import audit, suspension
from accounts.models import Agent
from billing.models import StripeEvent
from billing.webhooks import inbox
from imageskill.dev.demo.runtime.context import Context
from jobs import states
from jobs.assets import removal
from jobs.models import Asset, Job
from jobs.running import staff_actions

_NOTES = (
    "Writes in often and kindly; answers to questions about its sponsor's brand.",
    "Asked for an invoice with another address; sent by mail.",
    "Works in batches at night. Spikes of jobs are nothing to worry about.",
    "The sponsor is on holiday until the end of the month; don't hand it over.",
    "Shares its network with two other agents of the same office.",
    "Was asked to slow down after 40 uploads within an hour, and did.",
)
_WHY_REVEALED = (
    "the sponsor asks why it was refused",
    "reported as a likeness of a real person",
    "the image has nothing to do with what was asked for, says its agent",
)


def plan(context: Context) -> None:
    """Plan what support does over the weeks."""
    random, end = context.random, context.end
    for text in _NOTES:
        at = random.between(end - timedelta(days=40), end - timedelta(hours=3))
        context.timeline.plan(at, _note, context, text)
    for number, reason in enumerate(_WHY_REVEALED * 2):
        at = random.between(end - timedelta(days=25), end - timedelta(hours=3))
        context.timeline.plan(at, _reveal, context, reason, number)
    for days, step in (
        (16, _quarantine),
        (11, _withdraw),
        (9, _suspend),
        (6, _replay),
        (4, _replay),
    ):
        context.timeline.plan(end - timedelta(days=days, hours=5), step, context)


def _note(context: Context, text: str) -> None:
    agent = Agent.objects.get(pk=context.random.choice(context.customers).agent_id)
    user = context.staff["support"]
    audit.record(user=user, action="agent.note", subject=agent.public_id, reason=text)


def _reveal(context: Context, reason: str, number: int) -> None:
    sponsored = Job.objects.exclude(model_id="").exclude(organization__owner=None)
    wanted = sponsored.filter(status=states.FAILED) if number % 2 else sponsored
    job = wanted.order_by("-id").first()
    if job is not None:
        staff_actions.reveal_prompt(job=job, user=context.staff["support"], reason=reason)


def _latest_image() -> Asset:
    made = Asset.objects.filter(state=Asset.State.AVAILABLE, kind=Asset.Kind.GENERATED)
    return made.order_by("-id")[0]


def _quarantine(context: Context) -> None:
    reason = "somebody says that it is their drawing; asked for proof"
    removal.quarantine(_latest_image(), user=context.staff["support"], reason=reason)


def _withdraw(context: Context) -> None:
    reason = "a trademark, and its owner wrote to us"
    removal.withdraw(_latest_image(), user=context.staff["support"], reason=reason)


def _suspend(context: Context) -> None:
    customer = context.random.choice(list(context.payers()))
    agent, user = Agent.objects.get(pk=customer.agent_id), context.staff["support"]
    reason = "a hundred sign-ups from its network within an hour"
    suspension.suspend(agent=agent, user=user, reason=reason)
    context.timeline.later(3 * 3600, _reinstate, context, agent.pk)


def _reinstate(context: Context, agent_id: int) -> None:
    reason = "the sign-ups were somebody else's; the network is a university's"
    agent = Agent.objects.get(pk=agent_id)
    suspension.reinstate(agent=agent, user=context.staff["support"], reason=reason)


def _replay(context: Context) -> None:
    handled = StripeEvent.objects.filter(state=StripeEvent.State.HANDLED).order_by("-id")
    event, user = handled[0], context.staff["lead support"]
    reason = "handled while the broker was down"
    inbox.replay(event_id=event.event_id, user=user, reason=reason)
