"""The search page: any id, number, email, network or token leads to its page."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts import contacts
from accounts.models import ActivityEvent, Agent, TelemetryRow, User
from imageskill.console import links
from imageskill.console.search import id_lookup
from imageskill.lib.http import network_of

_NO_RESULTS = "No results. Check the id, number, email, network or token."


class SearchResult(NamedTuple):
    """A page or a list that the text leads to."""

    kind: str
    name: str
    url: str
    model: type[Model]


def view(request: HttpRequest) -> HttpResponse:
    """Show the search, and redirect to a single result. The text never stands in a URL.

    Several results are listed to choose from.
    """
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Search"}
    if request.method == "POST":
        text = request.POST.get("q", "")[:400].strip()
        results, hidden = _partition(request, _find_results(request, text))
        if len(results) == 1:
            return HttpResponseRedirect(results[0].url)
        if not results:
            may_know = hidden and request.user.get_all_permissions()
            messages.warning(request, _hidden_message(hidden) if may_know else _NO_RESULTS)
        context["results"] = results
    return TemplateResponse(request, "admin/console/search.html", context)


def _find_results(request: HttpRequest, text: str) -> Iterator[SearchResult]:
    if id_lookup.TRACE.fullmatch(text):
        yield from map(_page_result, id_lookup.find_by_trace(text))
        yield from _find_logs(text)
    elif "@" in text:
        yield from _find_users(text)
    elif _is_network(text):
        network = network_of(text.split("/", maxsplit=1)[0])
        yield _list_result(
            Agent, "Agents that signed up from this network", {"signup_network": network}
        )
    else:
        yield from _first_visible(request, text)


def _first_visible(request: HttpRequest, text: str) -> Iterator[SearchResult]:
    """Yield objects up to the first that the user may see, the likeliest first."""
    for thing in id_lookup.find_all(text):
        yield _page_result(thing)
        if _may_see(request, type(thing)):
            return


def _find_users(address: str) -> Iterator[SearchResult]:
    contact = contacts.normalize(address)
    user = User.objects.filter(email__iexact=contact).first()
    if user is not None:
        yield _page_result(user)
    if Agent.objects.filter(contact=contact).exists():
        yield _list_result(Agent, "Agents with this contact email", {"contact": contact})


def _find_logs(trace_id: str) -> Iterator[SearchResult]:
    if id_lookup.trace_events(trace_id).exists():
        yield _list_result(ActivityEvent, "Activity of this call", {"q": trace_id})
    if TelemetryRow.objects.filter(trace_id=trace_id).exists():
        yield _list_result(TelemetryRow, "Telemetry of this call", {"q": trace_id})


def _partition(
    request: HttpRequest, found: Iterator[SearchResult]
) -> tuple[list[SearchResult], list[SearchResult]]:
    """Return the results that the user may see, and the others."""
    results = list(found)
    may = {model: _may_see(request, model) for model in {result.model for result in results}}
    return (
        [result for result in results if may[result.model]],
        [result for result in results if not may[result.model]],
    )


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    try:
        return links.may_see(request, model)
    except NotRegistered:
        return False


def _hidden_message(hidden: list[SearchResult]) -> str:
    kinds = ", ".join(dict.fromkeys(result.kind for result in hidden))
    return f"Your role can't view this result ({kinds}). Ask an operator for access."


def _page_result(thing: Model) -> SearchResult:
    return SearchResult(
        str(thing._meta.verbose_name), str(thing), links.page_url(thing), type(thing)
    )


def _list_result(model: type[Model], name: str, query: dict[str, str]) -> SearchResult:
    kind = str(model._meta.verbose_name_plural)
    return SearchResult(kind, name, links.list_url(model, query), model)


def _is_network(text: str) -> bool:
    try:
        ip_address(text.split("/", maxsplit=1)[0])
    except ValueError:
        return False
    return True
