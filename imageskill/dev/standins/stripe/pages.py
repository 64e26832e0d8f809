"""What a person sees: the Checkout page, and a dashboard to act as bank and as Stripe."""

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import parse_qs

from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.server import StandIn
from imageskill.dev.standins.stripe.account import StripeAccount
from imageskill.dev.standins.stripe.objects import InvalidObjectState
from imageskill.lib import amounts

NOTICE = "This is a stand-in for Stripe, for trying things out. No money moves here."

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
.notice{background:#fff3c4;color:#3d2f00;border:1px solid #b38600;border-radius:.4rem;
  padding:.6rem 1rem;margin:0 0 1.5rem;font-weight:600}
button{font:inherit;padding:.5rem 1rem;margin:.2rem .3rem .2rem 0;border-radius:.4rem;
  border:1px solid #6b7280;cursor:pointer}
button.main{background:#1d4ed8;color:#fff;border-color:#1d4ed8}
table{border-collapse:collapse;width:100%;margin-bottom:2rem}
td,th{border-bottom:1px solid #9ca3af;padding:.4rem;text-align:left;vertical-align:top}
code{font-size:.85em;overflow-wrap:anywhere}
form{display:inline-block;white-space:nowrap}
input{font:inherit;width:6rem;padding:.4rem}
.price{font-size:2rem;font-weight:700;margin:.2rem 0 1rem}
"""


def add_pages(stand_in: StandIn, account: StripeAccount) -> None:
    """Add the pages to the server."""
    place = r"/c/pay/(?P<id>\w+)"
    stand_in.route("GET", "/")(lambda _: _redirect("/dashboard"))
    stand_in.route("GET", place)(lambda request: _checkout(account, request))
    stand_in.route("POST", place + r"/(?P<action>\w+)")(
        lambda request: _complete_checkout(account, request)
    )
    stand_in.route("GET", "/dashboard")(lambda _: _dashboard(account))
    stand_in.route("POST", r"/dashboard/(?P<action>\w+)/(?P<id>\w+)")(
        lambda request: _act(account, request)
    )
    stand_in.route("POST", "/dashboard/deliveries")(lambda request: _deliver(account, request))


def _checkout(account: StripeAccount, request: StandInRequest) -> StandInResponse:
    session = _session(account, request.params["id"])
    if session is None:
        return _page("Unknown payment", "<p>There is no such Checkout session.</p>", 404)
    price = _money(session["amount_total"], session["currency"])
    head = f"<h1>{escape(session['_product_name'])}</h1><p class='price'>{price}</p>"
    if session["status"] != "open":
        return _page("Payment", f"{head}<p>This session is {session['status']}.</p>")
    base = f"/c/pay/{session['id']}"
    buttons = (
        _button(f"{base}/pay", f"Pay {price}", main=True, form="buyer")
        + _button(f"{base}/promotion", "Pay with a 20 % promotion", form="buyer")
        + _button(f"{base}/later", "Pay later (bank transfer)", form="buyer")
        + _button(f"{base}/decline", "Card is declined")
        + _button(f"{base}/cancel", "Cancel and go back")
    )
    return _page("Pay", head + _buyer_form(session) + buttons)


def _buyer_form(session: dict[str, Any]) -> str:
    """Ask for what the session collects."""
    names = ["name"] if session["customer_email"] else ["email", "name"]
    if session["billing_address_collection"] == "required" or session["automatic_tax"]["enabled"]:
        names += ["line1", "postal_code", "city", "country"]
    if session["tax_id_collection"]["enabled"]:
        names.append("tax_id")
    fields = [
        f"<label>{escape(name.replace('_', ' ').capitalize())} <input name='{name}'></label> "
        for name in names
    ]
    return f"<form method='post' id='buyer'>{''.join(fields)}</form><br>"


def _complete_checkout(account: StripeAccount, request: StandInRequest) -> StandInResponse:
    session = _session(account, request.params["id"])
    if session is None:
        return _page("Unknown payment", "<p>There is no such Checkout session.</p>", 404)
    key = session["id"]
    typed = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", key)
    actions: dict[str, tuple[Callable[[], object], str]] = {
        "pay": (lambda: account.pay(key, buyer=typed), back),
        "promotion": (
            lambda: account.pay(key, discount_cents=session["amount_total"] // 5, buyer=typed),
            back,
        ),
        "later": (lambda: account.pay_later(key), back),
        "decline": (lambda: account.decline(key), f"/c/pay/{key}"),
        "cancel": (lambda: None, session["cancel_url"]),
    }
    if request.params["action"] not in actions:
        return _page("Unknown action", "", 404)
    act, leads_to = actions[request.params["action"]]
    try:
        act()
    except InvalidObjectState as refusal:
        return _page("Not possible", f"<p>{escape(str(refusal))}</p>", 409)
    return _redirect(leads_to)


def _dashboard(account: StripeAccount) -> StandInResponse:
    sections = [
        "<h1>Dashboard</h1>",
        _table("Payments", [_payment_row(account, one) for one in account.all("checkout.session")]),
        _table("Refunds", [_refund_row(one) for one in account.all("refund")]),
        _table("Disputes", [_dispute_row(one) for one in account.all("dispute")]),
        _refund_section(account),
        _delivery_section(account),
        _table("Events, newest first", [_event_row(one) for one in account.events[::-1][:100]]),
    ]
    return _page("Dashboard", "".join(sections))


def _payment_row(account: StripeAccount, session: dict[str, Any]) -> str:
    key, charge_id = session["id"], ""
    if session["payment_intent"]:
        charge_id = account.get(session["payment_intent"])["latest_charge"] or ""
    acts = ""
    if session["status"] == "open":
        acts = f"<a href='/c/pay/{key}'>Checkout page</a> " + _act_button("expire", key, "Expire")
    elif charge_id:
        acts = (
            _act_button("refund", charge_id, "Refund", amount=True)
            + _act_button("dispute", charge_id, "Dispute", amount=True)
            + _act_button("inquire", charge_id, "Inquiry", amount=True)
            + _act_button("warn", charge_id, "Early fraud warning")
        )
    elif session["payment_status"] == "unpaid" and session["status"] == "complete":
        acts = _act_button("settle", key, "Money arrives") + _act_button("fail", key, "It fails")
    price = _money(session["amount_total"], session["currency"])
    return _row(
        f"<code>{key}</code>",
        price,
        f"{session['status']}, {session['payment_status']}",
        f"<code>{charge_id}</code>",
        acts,
    )


def _refund_row(refund: dict[str, Any]) -> str:
    acts, status = "", refund["status"]
    if status in {"pending", "requires_action"}:
        acts = _act_button("settle_refund", refund["id"], "Arrives")
    if status == "pending":
        acts += _act_button("ask_buyer", refund["id"], "Needs bank details")
    if status == "requires_action":
        acts += _act_button("cancel_refund", refund["id"], "Cancel")
    if status not in {"failed", "canceled"}:
        acts += _act_button("fail_refund", refund["id"], "Comes back")
    return _row(
        f"<code>{refund['id']}</code>",
        _money(refund["amount"], refund["currency"]),
        refund["status"],
        acts,
    )


def _dispute_row(dispute: dict[str, Any]) -> str:
    acts = ""
    is_withdrawn = bool(dispute["balance_transactions"])
    if dispute["status"] not in {"won", "lost", "warning_closed", "prevented"}:
        acts = _act_button("win", dispute["id"], "Won", amount=is_withdrawn)
        acts += _act_button("lose", dispute["id"], "Lost")
        if not is_withdrawn:
            acts += _act_button("prevent", dispute["id"], "Prevented")
    if not is_withdrawn:
        acts = _act_button("withdraw", dispute["id"], "Becomes a chargeback") + acts
    return _row(
        f"<code>{dispute['id']}</code>",
        _money(dispute["amount"], dispute["currency"]),
        dispute["status"],
        acts,
    )


def _event_row(event: dict[str, Any]) -> str:
    about = event["data"]["object"]["id"]
    state = "undelivered" if event["pending_webhooks"] else "delivered"
    return _row(
        f"<code>{event['id']}</code>",
        escape(event["type"]),
        f"<code>{about}</code>",
        state,
        _act_button("resend", event["id"], "Resend"),
    )


def _refund_section(account: StripeAccount) -> str:
    buttons = "".join(
        _act_button("refunds", status, label)
        for status, label in (
            ("succeeded", "Succeed at once"),
            ("pending", "Stay pending"),
            ("requires_action", "Need bank details"),
        )
    )
    return f"<h2>Refunds from now on</h2><p>They begin as {account.refunds_begin_as}.</p>{buttons}"


def _delivery_section(account: StripeAccount) -> str:
    now = account.deliveries
    state = "held back" if now.is_held else "sent as they happen"
    order = "shuffled" if now.is_shuffled else "in order"
    modes = (
        ("normal", "In order, once"),
        ("repeated", "Each three times"),
        ("shuffled", "Out of order"),
        ("hold", "Hold back"),
        ("release", "Release in order"),
        ("release_reversed", "Release reversed"),
    )
    buttons = "".join(
        f"<button name='mode' value='{value}'>{label}</button>" for value, label in modes
    )
    return (
        f"<h2>Webhooks</h2><p>Events are {state}, {order}, {now.repeats} time(s), to "
        f"<code>{escape(now.url or 'nobody')}</code>.</p>"
        f"<form method='post' action='/dashboard/deliveries'>{buttons}</form>"
    )


def _deliver(account: StripeAccount, request: StandInRequest) -> StandInResponse:
    mode = request.form.get("mode", "normal")
    sender = account.deliveries
    sender.is_held = mode == "hold"
    sender.is_shuffled = mode == "shuffled"
    sender.repeats = 3 if mode == "repeated" else 1
    sender.release(order="reversed" if mode == "release_reversed" else "")
    return _redirect("/dashboard")


def _act(account: StripeAccount, request: StandInRequest) -> StandInResponse:
    key = request.params["id"]
    amount = parse_qs(request.body.decode()).get("amount", [""])[0]
    cents = int(amount) if amount.isdigit() else None
    actions: dict[str, Callable[[], object]] = {
        "expire": lambda: account.close_session(key),
        "settle": lambda: account.settle(key),
        "fail": lambda: account.fail(key),
        "refund": lambda: account.refund(key, cents),
        "settle_refund": lambda: account.settle_refund(key),
        "ask_buyer": lambda: account.ask_buyer(key),
        "cancel_refund": lambda: account.cancel_refund(key),
        "fail_refund": lambda: account.fail_refund(key),
        "dispute": lambda: account.dispute(key, cents),
        "warn": lambda: account.warn_of_fraud(key),
        "inquire": lambda: account.dispute(key, cents, is_inquiry=True),
        "withdraw": lambda: account.withdraw(key),
        "win": lambda: account.win(key, cents),
        "lose": lambda: account.lose(key),
        "prevent": lambda: account.prevent(key),
        "refunds": lambda: setattr(account, "refunds_begin_as", key),
        "resend": lambda: account.resend(key),
    }
    try:
        actions[request.params["action"]]()
    except KeyError:
        return _page("Unknown", "<p>There is no such thing.</p>", 404)
    except InvalidObjectState as refusal:
        return _page("Not possible", f"<p>{escape(str(refusal))}</p>", 409)
    return _redirect("/dashboard")


def _session(account: StripeAccount, session_id: str) -> dict[str, Any] | None:
    try:
        session = account.get(session_id)
    except KeyError:
        return None
    return session if session["object"] == "checkout.session" else None


def _page(title: str, content: str, status: int = 200) -> StandInResponse:
    return StandInResponse(
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body><p class='notice' role='note'>{NOTICE}</p>"
        f"<main>{content}</main></body></html>",
        status,
    )


def _redirect(url: str) -> StandInResponse:
    return StandInResponse("", 303, {"Location": url})


def _table(title: str, rows: list[str]) -> str:
    content = f"<table>{''.join(rows)}</table>" if rows else "<p>None yet.</p>"
    return f"<h2>{title}</h2>{content}"


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _button(action: str, label: str, *, main: bool = False, form: str = "") -> str:
    kind = " class='main'" if main else ""
    if form:
        text = escape(label)
        return f"<button form='{form}' formaction='{action}'{kind}>{text}</button>"
    return f"<form method='post' action='{action}'><button{kind}>{escape(label)}</button></form>"


def _act_button(action: str, key: str, label: str, *, amount: bool = False) -> str:
    field = f"<input name='amount' aria-label='{label} cents' placeholder='all'>" if amount else ""
    return (
        f"<form method='post' action='/dashboard/{action}/{key}'>{field}"
        f"<button>{escape(label)}</button></form>"
    )


def _money(cents: int, currency: str) -> str:
    return escape(amounts.format_amount(cents, currency))
