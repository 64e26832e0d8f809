"""Upload an image as base64."""

from ninja import Router
from ninja.errors import ValidationError
from pydantic import ValidationError as Malformed

from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import Detail, InvalidArguments
from imageskill.lib.http import ApiRequest
from imageskill.lib.postgresql import strict_json
from jobs.api import answers, bodies, representations
from jobs.api.auth import GrantBearer
from jobs.assets import uploads

router = Router(tags=["assets"])


@router.post(
    "/v1/upload",
    auth=GrantBearer("asset.upload"),
    response=answers.UploadOut,
    operation_id="upload_asset",
    openapi_extra=openapi_command("image-skill upload")
    | {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": bodies.UploadBody.model_json_schema()}},
        }
    },
    summary="Upload an image to edit or reference",
)
def upload(request: ApiRequest) -> answers.UploadOut:
    """Store an image of the caller's."""
    # The body is read inside the slot: the slots bound the memory that uploads take together.
    with uploads.slot():
        declared, data, mime_type = _read_upload(request)
        asset, had_further_images = uploads.receive(
            agent=request.auth, declared=declared, data=data
        )
    if had_further_images:
        request.warnings.append("The file holds several images; only the first was kept.")
    return answers.UploadOut(
        request=answers.UploadRequestOut(
            source_kind=declared.source_kind,
            filename=declared.filename,
            remote_origin=declared.remote_origin,
        ),
        asset=representations.asset_out(asset, asset.job),
        upload=answers.UploadFactsOut(
            bytes=declared.content_length,
            mime_type=mime_type,
            sha256=declared.sha256,
            policy=answers.UploadPolicyOut(status="allowed"),
        ),
    )


def _read_upload(request: ApiRequest) -> tuple[uploads.UploadDeclaration, bytes, str]:
    """Return the declaration, the bytes and their type; only one copy of the body is kept."""
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


def _parse_body(request: ApiRequest) -> bodies.UploadBody:
    try:
        return bodies.UploadBody.model_validate(strict_json.parse(request.read()))
    except strict_json.InvalidJson as error:
        details = [Detail(field="body", message=str(error))]
        raise InvalidArguments(str(error), details=details) from None
    except Malformed as error:
        raise ValidationError(
            [
                {"loc": ("body", "upload", *problem["loc"]), "msg": problem["msg"]}
                for problem in error.errors()
            ]
        ) from None
