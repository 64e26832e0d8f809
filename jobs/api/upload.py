"""Upload: an image comes in as base64, whole or not at all."""

from typing import Any

from ninja import Router
from ninja.errors import ValidationError
from pydantic import ValidationError as Malformed

from imageskill.lib import strict_json
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import Detail, InvalidArguments
from imageskill.lib.http import ApiRequest
from jobs.api import representations, schemas
from jobs.api.auth import GrantBearer
from jobs.assets import uploads

router = Router(tags=["assets"])


@router.post(
    "/v1/upload",
    auth=GrantBearer("asset.upload"),
    response=schemas.UploadOut,
    openapi_extra=openapi_command("image-skill upload")
    | {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schemas.UploadBody.model_json_schema()}},
        }
    },
    summary="Upload an image to edit or refer to",
)
def upload(request: ApiRequest) -> dict[str, Any]:
    """Take an image in; the body is read only once there is a place for it."""
    with uploads.slot():
        declared, data, mime_type = _read_upload(request)
        asset = uploads.receive(agent=request.auth, declared=declared, data=data)
    return {
        "request": {
            "source_kind": declared.source_kind,
            "filename": declared.filename,
            "remote_origin": declared.remote_origin,
        },
        "asset": representations.asset_out(asset, asset.job),
        "upload": {
            "bytes": declared.content_length,
            "mime_type": mime_type,
            "sha256": declared.sha256,
            "policy": {"status": "allowed"},
        },
    }


def _read_upload(request: ApiRequest) -> tuple[uploads.UploadDeclaration, bytes, str]:
    """Read the body of an upload; large as it is, only one copy of it stays."""
    body = _parse_body(request)
    data = uploads.decode_base64(body.bytes_base64)
    declared = uploads.UploadDeclaration(
        source_kind=body.source_kind,
        filename=uploads.base_name(body.filename or ""),
        remote_origin=None
        if body.remote_origin is None
        else uploads.url_origin(body.remote_origin),
        mime_type=body.mime_type,
        content_length=body.content_length,
        sha256=body.sha256.lower(),
    )
    return declared, data, uploads.detect_type(data)


def _parse_body(request: ApiRequest) -> schemas.UploadBody:
    try:
        return schemas.UploadBody.model_validate(strict_json.parse(request.read()))
    except strict_json.InvalidJson as error:
        details = [Detail(field="body", message=str(error))]
        raise InvalidArguments(str(error), details=details) from None
    except Malformed as error:
        raise ValidationError(
            [{"loc": ("body", "upload", *one["loc"]), "msg": one["msg"]} for one in error.errors()]
        ) from None
