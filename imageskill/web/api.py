"""The API object: mounts each app's router and renders every answer as an envelope."""

from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost, SuspiciousOperation, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.types import DictStrAny

from accounts.api.endpoints import router as accounts_router
from billing.api import router as billing_router
from billing.ledger import InsufficientCredits
from billing.purchases import purchase_hints
from feedback.api import router as feedback_router
from imageskill import __version__
from imageskill.lib.envelope import COMMAND_KEY, EnvelopeRenderer, error_response
from imageskill.lib.errors import (
    ApiError,
    DatabaseUnavailable,
    Detail,
    InternalError,
    InvalidArguments,
    NotFound,
)
from imageskill.lib.postgresql import strict_json
from imageskill.web import openapi
from imageskill.web.cli_endpoint import router as remote_cli_router
from imageskill.web.health import router as health_router
from imageskill.web.reference import Reference
from imageskill.web.trust import router as trust_router
from jobs.api import router as jobs_router

log = structlog.get_logger(__name__)

_TRANSPORT_REFUSALS: dict[type[SuspiciousOperation], str] = {
    TooManyFieldsSent: "The request has too many parameters.",
    DisallowedHost: "The Host header names no host of this service.",
}


class StrictParser(Parser):
    """Reads bodies as strict JSON."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        """Parse the body; what is not strict JSON is refused."""
        try:
            document = strict_json.parse(request.body)
        except strict_json.InvalidJson as error:
            raise InvalidArguments(
                str(error), details=[{"field": "body", "message": str(error)}]
            ) from None
        if not isinstance(document, dict):
            raise InvalidArguments(
                "The body must be a JSON object.",
                details=[{"field": "body", "message": "must be a JSON object"}],
            )
        return document

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> DictStrAny:
        """Read the query; texts that could not be stored are refused."""
        for name, values in data.lists():
            if not all(strict_json.is_storable(value) for value in values):
                raise InvalidArguments(details=[{"field": name, "message": "not a valid text"}])
        return super().parse_querydict(data, list_fields, request)


class EnvelopeAPI(NinjaAPI):
    """A ninja API whose description has the envelope too."""

    def get_openapi_schema(self, *args: Any, **options: Any) -> OpenAPISchema:
        """Describe the API, its answers in their envelope; made once, as it takes half a second."""
        key = (settings.PUBLIC_API_URL, repr((args, sorted(options.items()))))
        document = _descriptions.get(key)
        if document is None:
            document = super().get_openapi_schema(*args, **options)
            openapi.complete(
                document,
                is_token_optional=_is_token_optional,
                server_url=settings.PUBLIC_API_URL,
            )
            _descriptions[key] = document
        return document


_descriptions: dict[tuple[str, str], OpenAPISchema] = {}  # by server; nobody changes them


def _is_token_optional(method: str, path: str) -> bool:
    return any(
        not getattr(auth, "is_required", True)
        for bound in api._get_bound_routers()  # noqa: SLF001 (ninja offers no other list)
        for route, view in bound.path_operations.items()
        for operation in view.operations
        if f"/{route.lstrip('/')}" == path and method in operation.methods
        for auth in operation.auth_callbacks
    )


api = EnvelopeAPI(
    title="Image Skill API",
    version=__version__,
    description="A creative runtime for AI agents. Every answer is one envelope.",
    openapi_url="/v1/openapi.json",
    docs_url="/v1/docs",
    docs=Reference(),
    parser=StrictParser(),
    renderer=EnvelopeRenderer(),
    urls_namespace="api",
)

for router in (
    health_router,
    trust_router,
    accounts_router,
    billing_router,
    jobs_router,
    feedback_router,
    remote_cli_router,
):
    api.add_router("", router)


@api.exception_handler(ApiError)
def _api_error(request: HttpRequest, error: ApiError) -> HttpResponse:
    return error_response(request, error)


@api.exception_handler(InsufficientCredits)
def _insufficient_credits(request: HttpRequest, error: InsufficientCredits) -> HttpResponse:
    error.recovery = purchase_hints.recovery(
        preview=error.preview, paid=error.paid, owed=error.owed
    )
    return error_response(request, error)


@api.exception_handler(ValidationError)
def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return error_response(
        request, InvalidArguments(details=[_validation_detail(one) for one in error.errors])
    )


@api.exception_handler(SuspiciousOperation)
def _malformed_request(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    """Refuse what Django refuses to read, such as a thousand parameters or a wrong Host."""
    message = _TRANSPORT_REFUSALS.get(type(error), "The request is malformed.")
    return error_response(request, InvalidArguments(message))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return error_response(request, NotFound())


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # ninja turns whatever a parser raises into an HttpError; what we raised is its cause.
    cause = error.__cause__
    return error_response(request, cause if isinstance(cause, ApiError) else InvalidArguments())


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _database_unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("database_gone", error=type(error).__name__)
    return error_response(request, DatabaseUnavailable())


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("unexpected_error", exc_info=error)
    return error_response(request, InternalError())


def _validation_detail(error: DictStrAny) -> Detail:
    """Name field and rule of one validation error, never the value."""
    source, *path = error["loc"]
    if source == "body":
        path = path[1:]
    return {
        "field": ".".join(str(part) for part in path) or str(source),
        "message": str(error["msg"]).removeprefix("Value error, "),
    }


def commands_by_route() -> dict[tuple[str, str], str]:
    """Map (method, route) to the name of the command that the operation stands for."""
    table: dict[tuple[str, str], str] = {}
    for bound in api._get_bound_routers():  # noqa: SLF001 (ninja offers no other list)
        for path, view in bound.path_operations.items():
            route = path.lstrip("/").replace("{", "<").replace("}", ">")
            for operation in view.operations:
                name = (operation.openapi_extra or {}).get(COMMAND_KEY, "image-skill")
                for method in operation.methods:
                    table[method, route] = name
                table.setdefault(("*", route), name)
    return table
