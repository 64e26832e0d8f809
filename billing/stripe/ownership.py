"""Whether an object of Stripe's is this installation's: the one place that decides it.

One Stripe account can serve several installations, each of which names itself in the metadata of
what it creates, and the live and the test mode of an account share its webhooks. Charges,
sessions and payments carry the metadata; refunds and disputes are judged by their charge.
"""

from collections.abc import Mapping

from django.conf import settings

from billing.stripe import gateway
from billing.stripe.objects import CheckoutSession, Event

_OTHER_INSTALLATION = "another installation's"
_OTHER_MODE = "the other mode's"


class ForeignObject(Exception):
    """The object belongs to another installation, or to the other mode of the account."""


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raise ForeignObject for the metadata of another installation's object."""
    if not _is_ours(metadata):
        raise ForeignObject(_OTHER_INSTALLATION)


def check_session(session: CheckoutSession) -> None:
    """Raise ForeignObject for a Checkout session of another installation or of the other mode."""
    check_metadata(session.metadata)
    if session.is_live_mode != _is_live_here():
        raise ForeignObject(_OTHER_MODE)


def check_charge(charge_id: str, *, is_known: bool) -> None:
    """Raise ForeignObject for a charge of another installation.

    `is_known` says that a receipt or payment here names the charge; only otherwise is Stripe
    asked for its metadata. Raises PaymentProviderFailure where Stripe can't tell.
    """
    if is_known:
        return
    if not charge_id:
        raise ForeignObject("of no charge of ours")
    check_metadata(gateway.retrieve_charge(charge_id).metadata)


def is_our_charge(charge_id: str, *, is_known: bool) -> bool:
    """Return what `check_charge` raises."""
    try:
        check_charge(charge_id, is_known=is_known)
    except ForeignObject:
        return False
    return True


def foreign_event_reason(event: Event) -> str:
    """Return why an event is none of ours, by what every event says; empty where it may be."""
    if event.is_live_mode != _is_live_here():
        return _OTHER_MODE
    return "a connected account's" if event.payload.get("account") else ""


def _is_ours(metadata: Mapping[str, str]) -> bool:
    return metadata.get(gateway.INSTALLATION_KEY) == settings.INSTALLATION_NAME


def _is_live_here() -> bool:
    return gateway.environment() == "live"
