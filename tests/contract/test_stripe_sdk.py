"""The requests we send and the objects we read, held against the SDK's own types.

They are generated from Stripe's description of the API version that we pin.
"""

import types
import typing
from collections.abc import Mapping
from typing import Any

import pytest
import stripe
import typing_extensions
from stripe import params

from billing.models import PaymentReversal
from billing.stripe import gateway
from tests.contract.stripe_journey import journey, shop

__all__ = ["journey", "shop"]

PARAMETERS = {
    ("POST", "/v1/checkout/sessions"): params.checkout.SessionCreateParams,
    ("GET", "/v1/checkout/sessions"): params.checkout.SessionListParams,
    ("GET", "/v1/checkout/sessions/{id}"): params.checkout.SessionRetrieveParams,
    ("POST", "/v1/checkout/sessions/{id}/expire"): params.checkout.SessionExpireParams,
    ("GET", "/v1/charges/{id}"): params.ChargeRetrieveParams,
    ("POST", "/v1/refunds"): params.RefundCreateParams,
    ("GET", "/v1/refunds"): params.RefundListParams,
    ("GET", "/v1/refunds/{id}"): params.RefundRetrieveParams,
    ("GET", "/v1/disputes/{id}"): params.DisputeRetrieveParams,
    ("POST", "/v1/disputes/{id}"): params.DisputeModifyParams,
    ("GET", "/v1/balance_transactions"): params.BalanceTransactionListParams,
    ("GET", "/v1/events"): params.EventListParams,
}

OBJECTS = {
    "checkout.session": stripe.checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "balance_transaction": stripe.BalanceTransaction,
    "event": stripe.Event,
}


def unknown(tree: Any, kind: Any, path: str = "") -> list[str]:
    """Return the names in a tree of parameters that the SDK's type does not have."""
    if isinstance(tree, dict):
        choices = [one for one in members(kind) if typing_extensions.is_typeddict(one)]
        if not choices:
            return [] if allows_any_name(kind) else [path]
        hints = {n: h for one in choices for n, h in hints_of(one).items()}
        return [
            found
            for name, value in tree.items()
            for found in (
                unknown(value, hints[name], f"{path}.{name}")
                if name in hints
                else [f"{path}.{name}"]
            )
        ]
    if isinstance(tree, list):
        items = [typing.get_args(one)[0] for one in members(kind) if typing.get_origin(one) is list]
        return [found for value in tree for found in unknown(value, items[0], f"{path}[]")]
    literals = [one for one in members(kind) if typing.get_origin(one) is typing.Literal]
    if literals and not any(tree in typing.get_args(one) for one in literals):
        return [f"{path}={tree}"]  # the SDK's types are open; what we send should be listed
    return []


# Names that the SDK's options of a call use and its modules import for type checkers only.
_ELSEWHERE = {"StripeContext": object, "Mapping": Mapping}


def hints_of(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, localns=_ELSEWHERE)


def members(kind: Any) -> list[Any]:
    """Take unions and NotRequired apart."""
    origin = typing.get_origin(kind)
    if origin is typing.Union or isinstance(kind, types.UnionType):
        return [part for one in typing.get_args(kind) for part in members(one)]
    if str(origin).endswith("Required"):
        return members(typing.get_args(kind)[0])
    return [kind]


def allows_any_name(kind: Any) -> bool:
    return any(typing.get_origin(one) is dict for one in members(kind))


def fields(kind: type) -> dict[str, Any]:
    """Return the fields of one of the SDK's objects; its types may name modules not imported."""
    return {
        n: hint
        for base in kind.__mro__
        for n, hint in vars(base).get("__annotations__", {}).items()
    }


class TestRequests:
    def test_each_call_and_each_parameter_is_known(self, journey):
        assert {(call.method, call.path) for call in journey.calls} == set(PARAMETERS)
        for call in journey.calls:
            kind = PARAMETERS[call.method, call.path]
            assert unknown(call.parameters, kind, call.path) == []

    def test_a_parameter_nobody_knows_would_be_found(self):
        kind = params.checkout.SessionCreateParams
        tree = {"line_items": [{"price_data": {"currency": "usd", "surprise": "1"}}], "mode": "x"}
        assert unknown(tree, kind) == [".line_items[].price_data.surprise", ".mode=x"]


class TestObjects:
    @pytest.mark.parametrize("kind", OBJECTS)
    def test_each_field_is_known(self, journey, kind):
        known = set(fields(OBJECTS[kind]))
        for one in journey.objects[kind]:
            assert set(one) - known == set()

    @pytest.mark.parametrize(
        ("kind", "name", "values"),
        [
            (stripe.checkout.Session, "status", {"open", "complete", "expired"}),
            (stripe.checkout.Session, "payment_status", {"paid", "unpaid", "no_payment_required"}),
            (stripe.PaymentIntent, "status", {"requires_payment_method", "canceled"}),
            (stripe.Dispute, "status", {"won", "lost", "warning_closed", "prevented"}),
        ],
    )
    def test_each_state_that_we_act_on_exists(self, kind, name, values):
        literals = [
            one for one in members(fields(kind)[name]) if typing.get_origin(one) is typing.Literal
        ]
        assert values <= {value for one in literals for value in typing.get_args(one)}

    def test_a_reversal_has_room_for_the_longest_id_and_status(self):
        assert PaymentReversal._meta.get_field("stripe_id").max_length >= 255


class TestVersion:
    def test_we_pin_the_version_that_the_sdk_was_made_for(self):
        assert stripe.api_version == gateway.API_VERSION
