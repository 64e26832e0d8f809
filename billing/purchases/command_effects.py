"""What running a suggested command does and does not do: spending, payment objects, images."""

from imageskill.lib.schemas import Data


class CommandEffectOut(Data):
    """What running a command does. `no_spend`: it neither takes money nor debits credits."""

    label: str
    no_spend: bool
    live_money: bool
    payment_object: bool
    credit_debit: bool
    provider_call: bool
    media_write: bool


def _of_payment(
    label: str, *, no_spend: bool, live_money: bool = False, payment_object: bool = False
) -> CommandEffectOut:
    # Each is set, as some answers leave out what is not.
    return CommandEffectOut(
        label=label,
        no_spend=no_spend,
        live_money=live_money,
        payment_object=payment_object,
        credit_debit=False,
        provider_call=False,
        media_write=False,
    )


INSPECT = _of_payment("inspect_payment_methods_no_spend", no_spend=True)


def of_quote(*, live_money: bool) -> CommandEffectOut:
    """Return the effect of a quote: it promises a price and takes nothing."""
    label = "live_money_quote_no_charge" if live_money else "test_quote_no_charge"
    return _of_payment(label, no_spend=True, live_money=live_money, payment_object=True)


def of_buy(*, live_money: bool) -> CommandEffectOut:
    """Return the effect of buying a quote."""
    label = (
        "live_money_payment_attempt_requires_completion"
        if live_money
        else "test_purchase_no_money_moves"
    )
    return _of_payment(label, no_spend=not live_money, live_money=live_money, payment_object=True)
