"""The published documents: home page, skill, contract, command line and its download."""

from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path
from django.views.decorators.http import require_safe

from imageskill import __version__
from imageskill.lib import clock
from imageskill.web.documents import client_archive, skills, tables

Response = TypeVar("Response", bound=HttpResponse)
_SKILLS_PATH = skills.DISCOVERY_PATH.removeprefix("/")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Return the home page."""
    return render(request, "documents/home.html", tables.template_context())


@require_safe
def skill(request: HttpRequest, skill: skills.Skill = skills.MAIN) -> HttpResponse:
    """Return a skill, which tells an agent how to use the service."""
    return _text(skills.render(skill), "text/markdown")


@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    """Return the full contract as one document."""
    return _text(_render("llms.txt"), "text/plain")


@require_safe
def cli(request: HttpRequest) -> HttpResponse:
    """Return the reference of the command line."""
    return _text(_render("cli.md"), "text/markdown")


@require_safe
def agents(request: HttpRequest) -> HttpResponse:
    """Return the guide for developers of agents."""
    text = render_agents(api_url=settings.PUBLIC_API_URL, site_url=settings.PUBLIC_SITE_URL)
    return _text(text, "text/markdown")


@require_safe
def commands(request: HttpRequest) -> JsonResponse:
    """Return the commands of the command line as data."""
    table_of = {"version": __version__, "commands": tables.list_commands()}
    return _allow_any_origin(JsonResponse(table_of))


@require_safe
def skill_index(request: HttpRequest) -> JsonResponse:
    """Return the index of skills."""
    return _allow_any_origin(JsonResponse(skills.index()))


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Return where to report a security problem (RFC 9116); 404 where nobody is named."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = (clock.now() + timedelta(days=180)).replace(microsecond=0)
    lines = (
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.PUBLIC_SITE_URL}/.well-known/security.txt",
    )
    return _text("\n".join(lines) + "\n", "text/plain")


@require_safe
def client(request: HttpRequest) -> HttpResponse:
    """Return the command line as a single executable Python archive."""
    archive = client_archive.build_archive(
        api_url=settings.PUBLIC_API_URL, site_url=settings.PUBLIC_SITE_URL
    )
    response = HttpResponse(archive, content_type="application/octet-stream")
    response["Content-Disposition"] = 'attachment; filename="image-skill.pyz"'
    return _allow_any_origin(response)


def render_agents(*, api_url: str, site_url: str) -> str:
    """Return the guide for developers of agents, for an installation at these addresses."""
    context = tables.installation_context() | {"api": api_url, "site": site_url}
    return render_to_string("documents/agents.md", context)


def _render(document: str) -> str:
    return render_to_string(f"documents/{document}", tables.template_context())


def _text(text: str, content_type: str) -> HttpResponse:
    return _allow_any_origin(HttpResponse(text, content_type=f"{content_type}; charset=utf-8"))


def _allow_any_origin(response: Response) -> Response:
    """Allow any origin: the document is public and the same for everyone."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=300"
    return response


urlpatterns = [
    path("", home, name="home"),
    path("skill.md", skill, name="skill"),
    path("SKILL.md", skill),
    path("commands.json", commands, name="commands"),
    path("llms.txt", llms, name="llms"),
    path("cli.md", cli, name="cli"),
    path("agents.md", agents, name="agents"),
    path("image-skill.pyz", client, name="client"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path(f"{_SKILLS_PATH}index.json", skill_index, name="skill_index"),
    *(path(one.path.removeprefix("/"), skill, {"skill": one}) for one in skills.SKILLS),
]
