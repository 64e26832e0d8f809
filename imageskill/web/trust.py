"""What a caller can check before it relies on this service: versions, documents, health, models."""

import hashlib
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from ninja import Router
from pydantic import Field

from imageskill import __version__
from imageskill.lib import clock
from imageskill.lib.envelope import openapi_command
from imageskill.lib.http import ApiRequest
from imageskill.lib.schemas import Data
from imageskill.web import health
from imageskill.web.health import Health
from jobs.catalog import availability, discovery, recent_runs

RECENT_DAYS = 30

router = Router(tags=["discovery"])


class Document(NamedTuple):
    """A published document: its name in the answer, and its path on the site or the API."""

    key: str
    path: str
    is_of_api: bool = False


DOCUMENTS = (
    Document("skill", "/skill.md"),
    Document("llms", "/llms.txt"),
    Document("cli", "/cli.md"),
    Document("agents", "/agents.md"),
    Document("commands", "/commands.json"),
    Document("client", "/image-skill.pyz"),
    Document("openapi", "/v1/openapi.json", is_of_api=True),
)


class VersionsOut(Data):
    """What runs here, and what is handed out here."""

    api: str
    client: str = Field(description="Of the command line at image-skill.pyz")


class DocumentOut(Data):
    """A published document and the hash of its bytes as they are served."""

    key: str
    url: str
    sha256: str
    bytes: int


class ModelsOut(Data):
    """How much of the catalog can run here."""

    total: int
    executable: int
    unavailable: int
    cataloged_not_wired: int


class RecentRunOut(Data):
    """A model that made images lately."""

    model: str
    last_completed_on: date = Field(description="A UTC day; counted every few minutes")


class TrustOut(Data):
    """The evidence, gathered at `checked_at`."""

    contract_version: str
    checked_at: str
    versions: VersionsOut
    health: Health
    documents: list[DocumentOut]
    models: ModelsOut
    recent_days: int = Field(description="How many days recent_runs covers, today aside")
    recent_runs: list[RecentRunOut]


@router.get(
    "/v1/trust",
    response=TrustOut,
    operation_id="get_trust",
    openapi_extra=openapi_command("image-skill trust"),
    summary="Show versions, hashes of the documents, health, and which models ran lately",
)
def show_trust(request: ApiRequest) -> TrustOut:
    """Return what vouches for this installation; a caller can hash the documents itself."""
    now = clock.now()
    return TrustOut(
        contract_version="image-skill.trust.v1",
        checked_at=clock.iso(now),
        versions=VersionsOut(api=__version__, client=__version__),
        health=health.check(),
        documents=[_document(one, request) for one in DOCUMENTS],
        models=_models(),
        recent_days=RECENT_DAYS,
        recent_runs=[
            RecentRunOut(model=model, last_completed_on=day)
            for model, day in recent_runs.last_completed_days(
                since=now.date() - timedelta(days=RECENT_DAYS)
            ).items()
        ],
    )


def _models() -> ModelsOut:
    listed = discovery.list_models(
        discovery.CatalogFilters(),
        availability=availability.current(),
        margin=settings.TARGET_GROSS_MARGIN,
    )
    summary = listed["summary"]
    return ModelsOut(
        total=summary["total"],
        executable=summary["executable"],
        unavailable=summary["unavailable"],
        cataloged_not_wired=summary["cataloged_not_wired"],
    )


def _document(document: Document, request: HttpRequest) -> DocumentOut:
    if document.is_of_api:
        digest, size = _digest_of_api_document(document.path, settings.PUBLIC_API_URL)
        base = settings.PUBLIC_API_URL
    else:
        digest, size = _digest(document.path, request)
        base = settings.PUBLIC_SITE_URL
    return DocumentOut(key=document.key, url=base + document.path, sha256=digest, bytes=size)


def _digest(path: str, request: HttpRequest) -> tuple[str, int]:
    """Hash what the view of a path answers, so that it is what is served."""
    match = resolve(path)
    content = cast("HttpResponse", match.func(request, *match.args, **match.kwargs)).content
    return hashlib.sha256(content).hexdigest(), len(content)


@lru_cache(maxsize=4)
def _digest_of_api_document(path: str, server_url: str) -> tuple[str, int]:
    """Hash the description of the API, which takes half a second to write, once for its server."""
    del server_url  # stands in the document
    request = HttpRequest()
    request.method = "GET"
    return _digest(path, request)
