"""Discovery: models and capabilities, open to everybody."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from accounts.api.auth import optional_bearer
from imageskill.lib.envelope import EnvelopeRenderer, openapi_command
from imageskill.lib.schemas import Data
from jobs.catalog import availability, discovery, rows

router = Router(tags=["discovery"])

COMPACT_VALUES = {"false", "0", "no", "off", "compact", "summary"}


class ModelFilters(Schema):
    """Which models to list."""

    available: bool | None = None
    executable: bool | None = None
    catalog_only: bool | None = None
    operation: str | None = None
    modality: str | None = None
    provider: str | None = None
    query: str | None = None
    details: str | None = None


class ModelOut(Data):
    """One model, with its parameter schema."""

    model: rows.ModelRow


class CapabilityList(Data):
    """Every capability."""

    capabilities: list[rows.CapabilityRow]


class CapabilityOut(Data):
    """One capability."""

    capability: rows.CapabilityRow


@router.get(
    "/v1/models",
    auth=optional_bearer,
    response=rows.ModelListOut,
    operation_id="list_models",
    openapi_extra=openapi_command("image-skill models list"),
    summary="List the models",
)
def list_models(request: HttpRequest, filters: Query[ModelFilters]) -> HttpResponse:
    """List the models that the filters keep, by default all, cataloged ones included."""
    kept = filters.dict(exclude={"details"})
    has_details = (filters.details or "").lower() not in COMPACT_VALUES
    data = discovery.list_models(
        discovery.CatalogFilters(**kept, details=has_details),
        availability=availability.current(),
        margin=settings.TARGET_GROSS_MARGIN,
    )
    return _render_json(request, data)


@router.get(
    "/v1/models/{model_id}",
    auth=optional_bearer,
    response=ModelOut,
    operation_id="get_model",
    openapi_extra=openapi_command("image-skill models show"),
    summary="Show a model",
)
def show_model(request: HttpRequest, model_id: str) -> ModelOut:
    """Show one model by id, alias or `default`."""
    row = discovery.get_model(
        model_id, availability=availability.current(), margin=settings.TARGET_GROSS_MARGIN
    )
    return ModelOut(model=row)


@router.get(
    "/v1/capabilities",
    auth=optional_bearer,
    response=CapabilityList,
    operation_id="list_capabilities",
    openapi_extra=openapi_command("image-skill capabilities list"),
    summary="List the capabilities",
)
def list_capabilities(request: HttpRequest) -> HttpResponse:
    """List what can be done, each with its controls, schema and required grants."""
    capabilities = discovery.list_capabilities(availability.current(), settings.TARGET_GROSS_MARGIN)
    return _render_json(request, {"capabilities": capabilities})


@router.get(
    "/v1/capabilities/{capability_id}",
    auth=optional_bearer,
    response=CapabilityOut,
    operation_id="get_capability",
    openapi_extra=openapi_command("image-skill capabilities show"),
    summary="Show a capability",
)
def show_capability(request: HttpRequest, capability_id: str) -> CapabilityOut:
    """Show one capability by id."""
    row = discovery.get_capability(
        capability_id, availability=availability.current(), margin=settings.TARGET_GROSS_MARGIN
    )
    return CapabilityOut(capability=row)


def _render_json(request: HttpRequest, data: Mapping[str, Any]) -> HttpResponse:
    """Write a long list without copying it through its schema, which takes four times as long."""
    text = EnvelopeRenderer().render(request, data, response_status=200)
    return HttpResponse(text, content_type="application/json; charset=utf-8")
