"""Files of an edit: uploaded to us, or found again where the same call comes a second time."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from accounts.models import Agent
from imageskill.web.openai_adapter.fields import ParameterRefused
from jobs.images import formats
from jobs.models import Job
from jobs.providers.interface import INPUT, MASK

MAX_IMAGES = 16


@dataclass(frozen=True)
class Files:
    """The files of an edit: images in their order, and a mask."""

    images: "list[UploadedFile[Any]]"
    mask: "UploadedFile[Any] | None"

    @property
    def digests(self) -> dict[str, Any]:
        """Return what tells the files of two calls apart."""
        return {"images": [_sha256(file) for file in self.images], "mask": _sha256(self.mask)}


def read(request: HttpRequest) -> Files:
    """Return the files of a request. Raises `ParameterRefused`."""
    images = [*request.FILES.getlist("image"), *request.FILES.getlist("image[]")]
    if not images:
        raise ParameterRefused("image", "Send the image to edit as a file.")
    if len(images) > MAX_IMAGES:
        raise ParameterRefused("image", f"Send at most {MAX_IMAGES} images.")
    return Files(images=images, mask=request.FILES.get("mask"))


def upload_body(file: "UploadedFile[Any]") -> dict[str, Any]:
    """Return the body of our upload for a file; its type is that of its bytes."""
    file.seek(0)
    data = file.read()
    kind = formats.sniff(data[: formats.MAX_HEADER_BYTES])
    return {
        "source_kind": "local_path",
        "filename": (file.name or "image")[:255],
        "remote_origin": None,
        "mime_type": kind.mime_type if kind else "application/octet-stream",
        "content_length": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes_base64": base64.b64encode(data).decode(),
    }


def uploaded_before(agent: Agent, key: str, files: Files) -> dict[str, Any] | None:
    """Return the images' terms of the job that this key stands for, if its files were these.

    A repeat must name the same assets, or it would be another call with the same key.
    """
    job = Job.objects.filter(agent=agent, idempotency_key=key).first()
    if job is None:
        return None
    inputs = list(job.inputs.select_related("asset__upload").order_by("index"))
    by_role: dict[str, list[tuple[str, str | None]]] = {}
    for part in inputs:
        role = part.role if part.role in {INPUT, MASK} else "reference"
        upload = getattr(part.asset, "upload", None)
        known = (part.asset.public_id, upload.received_sha256 if upload else None)
        by_role.setdefault(role, []).append(known)
    images = by_role.get(INPUT, []) + by_role.get("reference", [])
    masks = by_role.get(MASK, [])
    found = {
        "images": [digest for _, digest in images],
        "mask": masks[0][1] if masks else None,
    }
    if found != files.digests:
        return None
    return image_terms([name for name, _ in images], masks[0][0] if masks else None)


def image_terms(images: list[str], mask: str | None) -> dict[str, Any]:
    """Return the terms of an edit that name its images; the first is the one to edit."""
    terms: dict[str, Any] = {"input_asset_id": images[0]}
    if mask is not None:
        terms["mask_asset_id"] = mask
    if images[1:]:
        terms["references"] = [
            {"asset_id": asset_id, "role": "reference_image", "index": place}
            for place, asset_id in enumerate(images[1:])
        ]
    return terms


def _sha256(file: "UploadedFile[Any] | None") -> str | None:
    if file is None:
        return None
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()
