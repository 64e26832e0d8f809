"""Stripe's API as far as the product calls it, as strict about parameters as the real one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.server import StandIn
from imageskill.dev.standins.stripe import pages, parameters
from imageskill.dev.standins.stripe.account import StripeAccount
from imageskill.dev.standins.stripe.objects import InvalidObjectState

EndpointHandler = Callable[[StandInRequest, dict[str, Any]], Any]

# What each call may name; anything else is `parameter_unknown`, as at Stripe.
_LIST = {"limit", "starting_after", "ending_before", "created.gte", "created.lt", "expand.*"}
_EVIDENCE = {
    "access_activity_log",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "uncategorized_text",
}
_SESSION = {
    "adaptive_pricing.enabled",
    "automatic_tax.enabled",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "expand.*",
    "expires_at",
    "line_items.*.price_data.currency",
    "line_items.*.price_data.product_data.name",
    "line_items.*.price_data.tax_behavior",
    "line_items.*.price_data.unit_amount",
    "line_items.*.quantity",
    "mode",
    "payment_intent_data.description",
    "success_url",
    "tax_id_collection.enabled",
}


@dataclass
class SessionFailure:
    """Answer the next session calls with 500, kept under their idempotency key as Stripe does.

    `is_after` makes the session first: the answer is what got lost.
    """

    times: int = 0
    is_after: bool = False


class StripeStandIn(StandIn):
    """The server: API, Checkout page, dashboard, over one account."""

    def __init__(self, account: StripeAccount | None = None) -> None:
        super().__init__("stripe")
        self.account = account or StripeAccount()
        self.breakdown = SessionFailure()
        self._answers: dict[str, tuple[bytes, StandInResponse]] = {}
        self._under_way: set[str] = set()
        self._keys = threading.Lock()
        self._declare()
        pages.add_pages(self, self.account)

    def state(self) -> dict[str, Any]:
        """Return the account's objects and events."""
        return self.account.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Take an earlier state of the account in."""
        self.account.restore(state)

    def forget_keys(self) -> None:
        """Forget idempotency keys, as Stripe may after a day."""
        with self._keys:
            self._answers.clear()

    def _declare(self) -> None:
        one = r"/(?P<id>\w+)"
        session = r"/v1/checkout/sessions"
        self._api("POST", session, self._create_session, _SESSION, free="metadata")
        self._api("GET", session, self._list("checkout.session"), _LIST | {"status"})
        self._api("GET", session + one, self._read, {"expand.*"})
        self._api("POST", session + one + "/expire", self._expire, set())
        for path, kind in (
            ("payment_intents", "payment_intent"),
            ("charges", "charge"),
            ("refunds", "refund"),
            ("disputes", "dispute"),
            ("balance_transactions", "balance_transaction"),
        ):
            filters = {"charge", "payment_intent", "source"}
            self._api("GET", f"/v1/{path}", self._list(kind), _LIST | filters)
            self._api("GET", f"/v1/{path}{one}", self._read, {"expand.*"})
        refund = {"charge", "payment_intent", "amount", "reason"}
        self._api("POST", "/v1/refunds", self._create_refund, refund, free="metadata")
        evidence = {f"evidence.{name}" for name in _EVIDENCE} | {"submit"}
        self._api("POST", f"/v1/disputes{one}", self._update_dispute, evidence)
        self._api("GET", f"/v1/radar/early_fraud_warnings{one}", self._read, {"expand.*"})
        self.route("POST", "/v1/files")(self._upload)
        self._api("GET", "/v1/events", self._events, _LIST | {"delivery_success", "types.*"})
        self._api("GET", f"/v1/events{one}", self._event, set())

    def _api(
        self, method: str, path: str, call: EndpointHandler, allowed: set[str], *, free: str = ""
    ) -> None:
        def route(request: StandInRequest) -> StandInResponse:
            refusal = _check_key(request)
            if refusal:
                return refusal
            encoded = request.body.decode() if method == "POST" else request.query_string
            wanted = parameters.parse(encoded)
            unknown = [
                path
                for path in parameters.leaf_paths(wanted) - allowed
                if not (free and f"{free}." in f"{path}.")
            ]
            if unknown:
                return _error(400, "parameter_unknown", f"Received unknown parameter: {unknown[0]}")
            return self._once(request, lambda: _call_handler(call, request, wanted))

        self.route(method, path)(route)

    def _once(
        self, request: StandInRequest, answer: Callable[[], StandInResponse]
    ) -> StandInResponse:
        """Keep the first answer under its idempotency key, failures included."""
        key = request.headers.get("idempotency-key", "")
        if request.method != "POST" or not key:
            return answer()
        asked = request.path.encode() + request.body
        with self._keys:
            if key in self._under_way:
                return _error(409, "idempotency_key_in_use", "Another request is under way.")
            if key in self._answers:
                first, kept = self._answers[key]
                if first != asked:
                    return _error(
                        400, "", "Keys are for one set of parameters.", "idempotency_error"
                    )
                return StandInResponse(kept.body, kept.status, {"Idempotent-Replayed": "true"})
            self._under_way.add(key)
        try:
            kept = answer()
        finally:
            with self._keys:
                self._under_way.discard(key)
        if kept.status < 400 or kept.status >= 500:
            self._answers[key] = (asked, kept)
        return kept

    # -- calls -----------------------------------------------------------------------------

    def _create_session(self, request: StandInRequest, wanted: dict[str, Any]) -> Any:
        if self.breakdown.times:
            self.breakdown.times -= 1
            if self.breakdown.is_after:
                self.account.open_session(wanted, base_url=request.base_url)
            return _error(500, "", "Something went wrong on Stripe's end.", "api_error")
        return self._expanded(
            self.account.open_session(wanted, base_url=request.base_url), wanted.get("expand", [])
        )

    def _expire(self, request: StandInRequest, _: dict[str, Any]) -> Any:
        return self.account.close_session(request.params["id"])

    def _create_refund(self, _: StandInRequest, wanted: dict[str, Any]) -> Any:
        return self.account.give_back(wanted)

    def _update_dispute(self, request: StandInRequest, wanted: dict[str, Any]) -> Any:
        return self.account.add_evidence(request.params["id"], wanted)

    def _upload(self, request: StandInRequest) -> StandInResponse:
        """Take a file as files.stripe.com does: multipart, its purpose said."""
        refusal = _check_key(request)
        if refusal:
            return refusal
        parts = {part.name: part for part in request.multipart}
        return self._once(
            request,
            lambda: _call_handler(
                lambda *_: self.account.add_file(
                    purpose=parts["purpose"].text,
                    name=parts["file"].filename or "",
                    size=len(parts["file"].data),
                ),
                request,
                {},
            ),
        )

    def _read(self, request: StandInRequest, wanted: dict[str, Any]) -> Any:
        return self._expanded(self.account.get(request.params["id"]), wanted.get("expand", []))

    def _list(self, kind: str) -> EndpointHandler:
        def call(request: StandInRequest, wanted: dict[str, Any]) -> Any:
            filters = {
                name: wanted[name]
                for name in ("charge", "payment_intent", "source", "status")
                if name in wanted
            }
            found = [
                one
                for one in self.account.all(kind)
                if all(one[name] == value for name, value in filters.items())
            ]
            return _paginate(found, wanted, url=request.path)

        return call

    def _events(self, request: StandInRequest, wanted: dict[str, Any]) -> Any:
        with self.account.lock:
            found = self.account.events[::-1]
        if "types" in wanted:
            found = [event for event in found if event["type"] in wanted["types"]]
        if "delivery_success" in wanted:
            delivered = wanted["delivery_success"] == "true"
            found = [event for event in found if (event["pending_webhooks"] == 0) is delivered]
        return _paginate(found, wanted, url=request.path)

    def _event(self, request: StandInRequest, _: dict[str, Any]) -> Any:
        with self.account.lock:
            return {event["id"]: event for event in self.account.events}[request.params["id"]]

    def _expanded(self, one: dict[str, Any], names: list[str]) -> dict[str, Any]:
        """Replace ids by their objects; a dotted name goes on in the object it leads to."""
        for name in names:
            head, _, rest = name.partition(".")
            if isinstance(one.get(head), str):
                one[head] = self.account.get(one[head])
            if rest and isinstance(one.get(head), dict):
                self._expanded(one[head], [rest])
        return one


def _call_handler(
    call: EndpointHandler, request: StandInRequest, wanted: dict[str, Any]
) -> StandInResponse:
    try:
        found = call(request, wanted)
    except KeyError:
        return _error(404, "resource_missing", "No such object.")
    except InvalidObjectState as refusal:
        return _error(400, str(refusal), "The object does not allow that now.")
    return found if isinstance(found, StandInResponse) else StandInResponse(_public_fields(found))


def _check_key(request: StandInRequest) -> StandInResponse | None:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if "_live_" in key:
        return _error(401, "", "This is a stand-in and takes no live keys.", "authentication_error")
    if not key.startswith(("sk_test_", "rk_test_")):
        return _error(401, "", "No API key provided.", "authentication_error")
    return None


def _paginate(found: list[dict[str, Any]], wanted: dict[str, Any], *, url: str) -> dict[str, Any]:
    created = wanted.get("created", {})
    low, high = int(created.get("gte", 0)), int(created.get("lt", 2**62))
    found = [one for one in found if low <= one["created"] < high]
    if "starting_after" in wanted:
        places = [one["id"] for one in found]
        found = found[places.index(wanted["starting_after"]) + 1 :]
    limit = int(wanted.get("limit", 10))
    return {
        "object": "list",
        "data": found[:limit],
        "has_more": len(found) > limit,
        "url": url,
    }


def _public_fields(found: Any) -> Any:
    if isinstance(found, dict):
        return {n: _public_fields(value) for n, value in found.items() if not n.startswith("_")}
    if isinstance(found, list):
        return [_public_fields(value) for value in found]
    return found


def _error(
    status: int, code: str, message: str, kind: str = "invalid_request_error"
) -> StandInResponse:
    error = {"type": kind, "message": message} | ({"code": code} if code else {})
    return StandInResponse({"error": error}, status, {"Request-Id": "req_standin"})


def settings(account: StripeAccount, base_url: str) -> dict[str, str]:
    """Return the settings that point the product at this stand-in."""
    return {
        "STRIPE_API_BASE_URL": base_url,
        "STRIPE_SECRET_KEY": "sk_test_standin",
        "STRIPE_WEBHOOK_SECRET": account.deliveries.secret,
    }
