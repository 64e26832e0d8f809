"""What running a suggested command does and does not do: spending, payment objects, images."""

from imageskill.lib.schemas import Data


class CommandEffectOut(Data):
    """What running a command does. `no_spend`: it neither takes money nor debits credits."""

    label: str
    no_spend: bool
    live_money: bool = False
    payment_object: bool = False
    credit_debit: bool = False
    provider_call: bool = False
    media_write: bool = False


INSPECT = CommandEffectOut(label="inspect_payment_methods_no_spend", no_spend=True)


def of_quote(*, live_money: bool) -> CommandEffectOut:
    """Return the effect of a quote: it promises a price and takes nothing."""
    label = "live_money_quote_no_charge" if live_money else "test_quote_no_charge"
    return CommandEffectOut(label=label, no_spend=True, live_money=live_money, payment_object=True)


def of_buy(*, live_money: bool) -> CommandEffectOut:
    """Return the effect of buying a quote."""
    label = (
        "live_money_payment_attempt_requires_completion"
        if live_money
        else "test_purchase_no_money_moves"
    )
    return CommandEffectOut(
        label=label, no_spend=not live_money, live_money=live_money, payment_object=True
    )
