"""One box for everything: any id, number, address, network or token leads to its page."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts import agents
from accounts.models import ActivityEvent, Agent, TelemetryRow, User
from imageskill.console import id_lookup, stat_cards
from imageskill.lib.http import network_of

_NOTHING = "Nothing here has that id, number, address or network."


class Way(NamedTuple):
    """A page or a list that what was pasted leads to."""

    kind: str
    name: str
    url: str
    model: type[Model]


def view(request: HttpRequest) -> HttpResponse:
    """Show the box; lead to what was posted. Nothing posted ever stands in an address.

    Where there are several pages that it may mean, they are shown to choose from.
    """
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Search"}
    if request.method == "POST":
        text = request.POST.get("q", "")[:400].strip()
        open_ways, hidden = _sorted(request, _ways(request, text))
        if len(open_ways) == 1:
            return HttpResponseRedirect(open_ways[0].url)
        if not open_ways:
            messages.warning(request, _unseen(hidden) if hidden else _NOTHING)
        context["ways"] = open_ways
    return TemplateResponse(request, "admin/console/search.html", context)


def _ways(request: HttpRequest, text: str) -> Iterator[Way]:
    if id_lookup.TRACE.fullmatch(text):
        yield from map(_page, id_lookup.of_trace(text))
        yield from _trails(text)
    elif "@" in text:
        yield from _people(text)
    elif _is_network(text):
        network = network_of(text.split("/", maxsplit=1)[0])
        yield _list(Agent, "agents that signed up from this network", {"signup_network": network})
    else:
        yield from _first_open(request, text)


def _first_open(request: HttpRequest, text: str) -> Iterator[Way]:
    """Give the likeliest thing that this person may see, after those that it may not."""
    for thing in id_lookup.every(text):
        yield _page(thing)
        if _may_see(request, type(thing)):
            return


def _people(address: str) -> Iterator[Way]:
    contact = agents.normalized_contact(address)
    user = User.objects.filter(email__iexact=contact).first()
    if user is not None:
        yield _page(user)
    if Agent.objects.filter(contact=contact).exists():
        yield _list(Agent, "agents with this contact", {"contact": contact})


def _trails(trace_id: str) -> Iterator[Way]:
    if id_lookup.events_of(trace_id).exists():
        yield _list(ActivityEvent, "its activity", {"q": trace_id})
    if TelemetryRow.objects.filter(trace_id=trace_id).exists():
        yield _list(TelemetryRow, "its telemetry", {"q": trace_id})


def _sorted(request: HttpRequest, ways: Iterator[Way]) -> tuple[list[Way], list[Way]]:
    found = list(ways)
    may = {model: _may_see(request, model) for model in {way.model for way in found}}
    return [way for way in found if may[way.model]], [way for way in found if not may[way.model]]


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    try:
        return stat_cards.may_see(request, model)
    except NotRegistered:
        return False


def _unseen(hidden: list[Way]) -> str:
    kinds = ", ".join(dict.fromkeys(way.kind for way in hidden))
    return f"That is here ({kinds}), but your role does not show it. An operator gives roles."


def _page(thing: Model) -> Way:
    return Way(str(thing._meta.verbose_name), str(thing), stat_cards.page_url(thing), type(thing))


def _list(model: type[Model], name: str, query: dict[str, str]) -> Way:
    kind = str(model._meta.verbose_name_plural)
    return Way(kind, name, stat_cards.list_url(model, query), model)


def _is_network(text: str) -> bool:
    try:
        ip_address(text.split("/", maxsplit=1)[0])
    except ValueError:
        return False
    return True
