"""What staff of a made-up history did today, by the verbs that their console calls."""

from collections.abc import Callable, Iterable, Sequence

from accounts.models import User
from billing.ledger import corrections
from billing.models import (
    CreditCorrection,
    CreditPack,
    DisputeEvidence,
    PaymentReversal,
    Receipt,
)
from billing.purchases import pack_changes
from billing.reversals import evidence, refund_blocks
from imageskill.console import evidence_pack, exporting, saved_filters
from imageskill.dev.demo.people import Player
from jobs.catalog import switches
from jobs.models import Switch

_Kind = CreditCorrection.Kind
_FILTERS = (
    ("accounts.agent", "Claimed", "claim_state__exact=claimed"),
    ("jobs.job", "Failed", "status__exact=failed"),
    ("jobs.job", "Under way", "status__exact=running"),
    ("billing.receipt", "Stand-in money", "environment__exact=stand_in"),
    ("billing.refundrequest", "Waits for somebody", "state__exact=requested"),
    ("billing.difference", "Open", "state__exact=open"),
    ("feedback.report", "Accepted", "state__exact=accepted"),
    ("feedback.queueitem", "Blocked", "state__exact=blocked"),
)


def sit_down(players: Sequence[Player], staff: dict[str, User], say: Callable[[str], None]) -> None:
    """Do what leaves something to decide on in the console, and something decided."""
    say("what staff did today")
    _corrections(players, staff)
    _evidence(staff)
    _block_a_receipt(staff["support"])
    _packs(staff)
    _switch(staff["operator"])
    say("saved filters and exports")
    _keep_filters([*staff.values(), *_visitors()])
    _export([staff["finance"], staff["operator"], *_visitors()])


def _visitors() -> Iterable[User]:
    """Return who looks at the demo: what is one's own shall be there for them too."""
    return User.objects.filter(is_superuser=True, is_active=True)


def _corrections(players: Sequence[Player], staff: dict[str, User]) -> None:
    """Ask for corrections; most wait for a second person."""
    alive = [one for one in players if one.pays and not one.is_closed]
    for player, kind, credits, reason in (
        (alive[0], _Kind.GOODWILL, 50, "three undecodable images in a row"),
        (alive[1], _Kind.GOODWILL, 1200, "an afternoon of provider failures"),
        (alive[2], _Kind.ADJUST_PREVIEW, 25, "starter credits were cut short"),
        (alive[3], _Kind.ADJUST_PAID, 40, "a charge that the provider never ran"),
    ):
        asked = corrections.request(
            organization_id=player.org,
            kind=kind,
            credits=credits,
            reason=reason,
            user=staff["support" if kind == _Kind.GOODWILL else "finance"],
        )
        if kind == _Kind.ADJUST_PREVIEW:
            note = "They were there; the agent had spent them."
            corrections.reject(request_id=asked.pk, user=staff["operator"], note=note)


def _evidence(staff: dict[str, User]) -> None:
    """Draft evidence for two open disputes; what was decided had been sent by then."""
    disputes = PaymentReversal.objects.filter(kind=PaymentReversal.Kind.DISPUTE, evidence=None)
    for reversal in disputes.open_disputes().exclude(stripe_status="warning_needs_response")[:2]:
        parts = evidence_pack.build(reversal).parts
        evidence.save_draft(reversal=reversal, parts=parts, user=staff["support"])
    for reversal in disputes.filter(state__in=("undone", "lost")):
        at = reversal.phases.order_by("-at")[0].at
        DisputeEvidence.objects.create(
            reversal=reversal,
            parts=evidence_pack.build(reversal).parts,
            edited_by=staff["support"],
            edited_at=at,
            sent_by=staff["lead support"],
            sent_at=at,
        )


def _block_a_receipt(support: User) -> None:
    receipt = Receipt.objects.filter(reversals=None, refund_requests=None).order_by("-pk").first()
    if receipt is not None:
        reason = "The card was reported stolen; the bank shall take it back itself."
        refund_blocks.block(receipt=receipt, user=support, reason=reason)


def _packs(staff: dict[str, User]) -> None:
    """Propose two changes of a pack: one waits, one was turned down."""
    pack = CreditPack.objects.offered().first()
    if pack is None:
        return
    for name, credits, reason in (
        (pack.name, pack.credits + 100, "most buyers top up twice within a day"),
        (pack.name, pack.credits * 2, "fewer, larger purchases"),
    ):
        asked = pack_changes.propose(
            pack_id=pack.pack_id,
            name=name,
            display_name=pack.display_name,
            credits=credits,
            is_offered=True,
            is_default=pack.is_default,
            reason=reason,
            user=staff["finance"],
        )
    note = "Agents without a sponsor would no longer afford it."
    pack_changes.reject(request_id=asked.pk, user=staff["operator"], note=note)


def _switch(operator: User) -> None:
    """Switch one model off and on again, and leave another one off."""
    kind, again = Switch.Kind.MODEL, "xai.grok-imagine-image"
    for name, is_on, reason in (
        (again, False, "every second answer is a 500"),
        (again, True, "xAI says that it is mended, and it is"),
        ("fal.kling-image-v3-text-to-image", False, "takes four minutes since this morning"),
    ):
        switches.set_enabled(kind=kind, name=name, is_on=is_on, user=operator, reason=reason)


def _keep_filters(people: Iterable[User]) -> None:
    for user in people:
        for model, name, query in _FILTERS:
            own = saved_filters.for_list(user, model)
            if len(own) < saved_filters.MAX_FILTERS and name not in {one.name for one in own}:
                saved_filters.save(user=user, model=model, name=name, query=query)


def _export(people: Iterable[User]) -> None:
    for user in people:
        exporting.export_now(user_id=user.pk, model="billing.receipt", query="")
