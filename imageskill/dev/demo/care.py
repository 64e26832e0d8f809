"""How support looked after a made-up history: notes, prompts looked at, images taken down."""

from collections.abc import Sequence
from datetime import timedelta

from accounts.models import Alert
from billing.models import StripeEvent
from imageskill.dev.demo.people import Player
from imageskill.dev.demo.stage import Stage
from jobs import states
from jobs.models import Asset, Job

_NOTES = (
    "Writes in often and kindly; answers to questions about its sponsor's brand.",
    "Asked for an invoice with another address; sent by mail.",
    "Works in batches at night. Spikes of jobs are nothing to worry about.",
    "The sponsor is on holiday until the end of the month; don't hand it over.",
    "Shares its network with two other agents of the same office.",
    "Was asked to slow down after 40 uploads within an hour, and did.",
)
_WHY_SHOWN = (
    "the sponsor asks why it was refused",
    "reported as a likeness of a real person",
    "the image has nothing to do with what was asked for, says its agent",
)
_WHY_HIDDEN = {
    Asset.State.QUARANTINED: "somebody says that it is their drawing; asked for proof",
    Asset.State.WITHDRAWN: "a trade mark, and its owner wrote to us",
}


def look_after(stage: Stage, players: Sequence[Player]) -> None:
    """Write what support did over the weeks, and what sponsors were told of it."""
    diary, support = stage.diary, stage.staff["support"]
    for text, player in zip(_NOTES, stage.dice.sample(players, len(_NOTES)), strict=True):
        at = stage.dice.between(player.agent.created_at, stage.now)
        diary.note(support, "agent.note", player.agent.public_id, at, reason=text)
    _show_prompts(stage, players)
    _hide(stage)
    _suspend_and_reinstate(stage, players)
    lead, reason = stage.staff["lead support"], "handled while the broker was down"
    for event in stage.sheets[StripeEvent][:3]:
        at = event.received_at + timedelta(hours=2)
        diary.note(lead, "stripe_event.replay", event.event_id, at, reason=reason)


def _show_prompts(stage: Stage, players: Sequence[Player]) -> None:
    dice, diary = stage.dice, stage.diary
    of_agent = {player.agent.pk: player for player in players if player.sponsor}
    sponsored = [job for job in stage.sheets[Job] if job.agent.pk in of_agent and job.model_id]
    failed = [job for job in sponsored if job.status == states.FAILED]
    some = dice.sample(sponsored, min(3, len(sponsored)))
    for number, job in enumerate([*failed[-5:], *some]):
        about, reason = job.public_id, _WHY_SHOWN[number % len(_WHY_SHOWN)]
        at = min(dice.after(job.created_at, 3600, 2 * 86400), stage.now)
        before = {"status": job.status}
        support, player = stage.staff["support"], of_agent[job.agent.pk]
        diary.note(support, "job.reveal_prompt", about, at, reason=reason, before=before)
        facts = {"agent": player.agent.name, "job": about, "reason": reason}
        kind = Alert.Kind.PROMPT_SHOWN
        diary.tell(player.sponsor, kind, about, at, cause=f"{about}:{number}", facts=facts)


def _hide(stage: Stage) -> None:
    """Return why the images that can't be fetched were taken down."""
    for asset in stage.sheets[Asset]:
        if reason := _WHY_HIDDEN.get(Asset.State(asset.state)):
            stage.diary.note(
                stage.staff["support"],
                f"asset.{asset.state}",
                asset.public_id,
                asset.state_changed_at or stage.now,
                reason=reason,
                before={"state": Asset.State.AVAILABLE},
                after={"state": asset.state},
            )


def _suspend_and_reinstate(stage: Stage, players: Sequence[Player]) -> None:
    diary, support = stage.diary, stage.staff["support"]
    at_work = (one for one in players if not one.agent.suspended_at and one.until == stage.now)
    about = next(at_work).agent.public_id
    begin = stage.now - timedelta(days=9)
    at = stage.dice.between(begin, begin + timedelta(days=7))
    reason = "a hundred sign-ups from its network within an hour"
    diary.note(support, "agent.suspend", about, at, reason=reason)
    before = {"suspension_reason": reason}
    reason = "the sign-ups were somebody else's; the network is a university's"
    at += timedelta(hours=3)
    diary.note(support, "agent.reinstate", about, at, reason=reason, before=before)
