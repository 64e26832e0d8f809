"""What staff of a history do on its last day: something to decide on, and something decided."""

from collections.abc import Iterable
from datetime import timedelta

from accounts.models import User
from billing.ledger import corrections
from billing.models import CreditCorrection, CreditPack
from billing.purchases import pack_changes
from billing.reversals import refund_blocks
from imageskill.console import saved_filters
from imageskill.dev.demo import reversals
from imageskill.dev.demo.runtime.context import Context
from jobs.catalog import switches
from jobs.models import Switch

_Kind = CreditCorrection.Kind
_FILTERS = (
    ("accounts.agent", "Claimed", "claim_state__exact=claimed"),
    ("jobs.job", "Failed", "status__exact=failed"),
    ("jobs.job", "Running", "status__exact=running"),
    ("billing.receipt", "Stand-in money", "environment__exact=stand_in"),
    ("billing.refundrequest", "Pending approval", "state__exact=requested"),
    ("billing.difference", "Open", "state__exact=open"),
    ("feedback.report", "Accepted", "state__exact=accepted"),
    ("feedback.queueitem", "Blocked", "state__exact=blocked"),
)


def plan(context: Context) -> None:
    """Plan the last hours."""
    for hours, step in enumerate((_correct, _block_a_receipt, _change_packs, _switch), 1):
        context.timeline.plan(context.end - timedelta(hours=hours, minutes=30), step, context)


def keep(staff: dict[str, User]) -> None:
    """Save filters, for who looks at the history too."""
    visitors = User.objects.filter(is_superuser=True, is_active=True)
    _keep_filters([*staff.values(), *visitors])


def _correct(context: Context) -> None:
    """Request corrections; most stay pending approval."""
    staff, customers = context.staff, list(context.payers())
    for customer, kind, credits, reason in (
        (customers[0], _Kind.GOODWILL, 50, "three images in a row could not be opened"),
        (customers[1], _Kind.GOODWILL, 1200, "an afternoon of provider failures"),
        (customers[2], _Kind.ADJUST_PREVIEW, 25, "starter credits were cut short"),
        (customers[3], _Kind.ADJUST_PAID, 40, "a charge that the provider never ran"),
    ):
        asked = corrections.request(
            organization_id=customer.organization_id,
            kind=kind,
            credits=credits,
            reason=reason,
            user=staff["support" if kind == _Kind.GOODWILL else "finance"],
        )
        if kind == _Kind.ADJUST_PREVIEW:
            note = "They were there; the agent had spent them."
            corrections.reject(request_id=asked.pk, user=staff["operator"], note=note)


def _block_a_receipt(context: Context) -> None:
    receipt, support = reversals.standing(context), context.staff["support"]
    reason = "The card was reported stolen; the bank shall take it back itself."
    refund_blocks.block(receipt=receipt, user=support, reason=reason)


def _change_packs(context: Context) -> None:
    """Propose two changes of a pack: one pending, one rejected."""
    staff = context.staff
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


def _switch(context: Context) -> None:
    """Switch one model off and on again, and leave another one off."""
    kind, again = Switch.Kind.MODEL, "xai.grok-imagine-image-quality"
    operator = context.staff["operator"]
    for name, is_on, reason in (
        (again, False, "every second answer is a 500"),
        (again, True, "xAI says that it is fixed, and it is"),
        ("fal.kling-image-v3-text-to-image", False, "takes four minutes since this morning"),
    ):
        switches.set_enabled(kind=kind, name=name, is_on=is_on, user=operator, reason=reason)
        context.timeline.wait(900)


def _keep_filters(people: Iterable[User]) -> None:
    for user in people:
        for model, name, query in _FILTERS:
            own = saved_filters.for_list(user, model)
            if len(own) < saved_filters.MAX_FILTERS and name not in {one.name for one in own}:
                saved_filters.save(user=user, model=model, name=name, query=query)
