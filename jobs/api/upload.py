"""Upload: a picture comes in as base64, whole or not at all."""

from typing import Any

from ninja import Router
from ninja.errors import ValidationError
from pydantic import ValidationError as Malformed

from imageskill.lib import strict_json
from imageskill.lib.envelope import command
from imageskill.lib.errors import Detail, InvalidArguments
from imageskill.lib.http import ApiRequest
from jobs.api import representations, schemas
from jobs.api.auth import Granted
from jobs.assets import uploads

router = Router(tags=["assets"])


@router.post(
    "/v1/upload",
    auth=Granted("asset.upload"),
    response=schemas.UploadOut,
    openapi_extra=command("image-skill upload")
    | {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schemas.UploadBody.model_json_schema()}},
        }
    },
    summary="Upload a picture to edit or refer to",
)
def upload(request: ApiRequest) -> dict[str, Any]:
    """Take a picture in; the body is read only once there is a place for it."""
    with uploads.place():
        declared, data, mime_type = _upload(request)
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


def _upload(request: ApiRequest) -> tuple[uploads.Declared, bytes, str]:
    """Read the body of an upload; large as it is, only one copy of it stays."""
    body = _upload_body(request)
    data = uploads.decoded(body.bytes_base64)
    declared = uploads.Declared(
        source_kind=body.source_kind,
        filename=uploads.base_name(body.filename or ""),
        remote_origin=None if body.remote_origin is None else uploads.origin_of(body.remote_origin),
        mime_type=body.mime_type,
        content_length=body.content_length,
        sha256=body.sha256.lower(),
    )
    return declared, data, uploads.type_of(data)


def _upload_body(request: ApiRequest) -> schemas.UploadBody:
    try:
        return schemas.UploadBody.model_validate(strict_json.parse(request.read()))
    except strict_json.NotStrictJson as error:
        details = [Detail(field="body", message=str(error))]
        raise InvalidArguments(str(error), details=details) from None
    except Malformed as error:
        raise ValidationError(
            [{"loc": ("body", "upload", *one["loc"]), "msg": one["msg"]} for one in error.errors()]
        ) from None
