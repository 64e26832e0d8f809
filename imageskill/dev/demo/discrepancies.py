"""Where Stripe and the ledger of a history differ, and what finance makes of it."""

from datetime import timedelta
from typing import Any

from billing.models import Difference
from billing.reconciliation import run
from imageskill.dev.demo import purchases
from imageskill.dev.demo.runtime.context import Context
from imageskill.lib import clock, ids

_Reason = Difference.Reason
_NOTES = {
    _Reason.DOUBLE: "Stripe's own correction: the second one went back the same evening.",
    _Reason.EXCHANGE: "The bank settled in euros; the amounts agree at the day's rate.",
}


def plan(context: Context) -> None:
    """Plan reconciliation, weekly payouts, and some movements that are odd.

    A night's run looks back on a week, so one a week is enough until the last days.
    """
    midnight = clock.next_utc_midnight(context.begin)
    night = midnight + timedelta(hours=1, minutes=40)
    while night < context.end:
        context.timeline.plan(night, run.run_nightly)
        is_late = night > context.end - timedelta(days=7)
        night += timedelta(days=1 if is_late else 7)
    payout = midnight + timedelta(days=7, hours=8)
    while payout < context.end:
        context.timeline.plan(payout, _pay_out, context)
        payout += timedelta(days=7)
    oddly = context.end - timedelta(days=3, hours=3)
    for hours in range(5, 0, -1):
        at = oddly - timedelta(hours=hours)
        context.timeline.plan(at, purchases.by_somebody, context, purchases.buy)
    context.timeline.plan(oddly, _move_oddly, context)
    context.timeline.plan(context.end - timedelta(hours=6), _deal_with, context)
    context.timeline.plan(context.end - timedelta(hours=5), run.run_nightly)  # again


def _movements(context: Context, kind: str) -> list[dict[str, Any]]:
    """Return the stand-in's own movements of a kind, newest first."""
    account = context.vendors.stripe.account
    return [
        account.objects[one["id"]]
        for one in account.all("balance_transaction")
        if one["type"] == kind
    ]


def _pay_out(context: Context) -> None:
    """Pay out what the week brought, which has no credits behind it."""
    account = context.vendors.stripe.account
    now = account.now()  # other histories go on after it
    week = range(now - 7 * 86_400, now)
    net = sum(one["net"] for one in account.all("balance_transaction") if one["created"] in week)
    if net > 0:
        payout = {"id": f"po_{ids.random_text(24)}", "currency": "usd"}
        account.move("payout", "payout", -net, payout)


def _move_oddly(context: Context) -> None:
    """Move the latest payments late, not at all, by less, in euros, and twice."""
    account = context.vendors.stripe.account
    late, unmoved, less, euros, twice = _movements(context, "charge")[:5]
    del account.objects[unmoved["id"]]
    account.objects[unmoved["source"]]["balance_transaction"] = None
    less["amount"] -= 15
    less["net"] -= 15
    euros["currency"], euros["amount"] = "eur", euros["amount"] * 92 // 100
    euros["net"] = euros["amount"] - euros["fee"]
    charge = account.objects[twice["source"]]
    again = account.move("charge", "charge", twice["amount"], charge, fee=twice["fee"])
    account.objects[again["id"]]["created"] = twice["created"] + 5
    account.objects[late["source"]]["balance_transaction"] = None
    del account.objects[late["id"]]
    context.timeline.later(30 * 3600, _catch_up, context, late)


def _catch_up(context: Context, late: dict[str, Any]) -> None:
    """Move what Stripe had been late with, for a night's run to find in agreement."""
    account = context.vendors.stripe.account
    account.add(late)
    account.objects[late["source"]]["balance_transaction"] = late["id"]


def _deal_with(context: Context) -> None:
    """Close some differences with a note, take others on, and leave the rest."""
    finance, support = context.staff["finance"], context.staff["lead support"]
    still_open = Difference.objects.filter(state=Difference.State.OPEN, owner=None)
    for difference in still_open.filter(reason__in=_NOTES):
        note = _NOTES[_Reason(difference.reason)]
        run.resolve(difference=difference, user=finance, note=note)
    for reason, user in ((_Reason.AMOUNT, finance), (_Reason.MISSING_EVENT, support)):
        for difference in still_open.filter(reason=reason)[:1]:
            why = "Mine: I wrote to the bank about it."
            run.assign(difference=difference, user=user, reason=why)
