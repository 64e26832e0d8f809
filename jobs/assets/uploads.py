"""Receiving a caller's image: measured, opened, rid of its metadata, stored.

The server fetches nothing. What is served is what was sent, byte for byte, unless it carried
metadata or trailing data.
"""

import base64
import binascii
import hashlib
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from accounts.models import Agent
from imageskill.lib import clock, database, ids, trace
from imageskill.lib.errors import InvalidArguments, ServiceUnavailable
from imageskill.lib.queue import enqueue
from jobs import notifications, states
from jobs.assets import storage, storage_quota
from jobs.images import decoding
from jobs.images.formats import BY_MIME_TYPE, MAX_HEADER_BYTES, MIME_TYPES, describe, sniff
from jobs.models import Asset, Job, Upload
from jobs.planning.inputs import InputPolicyDenied

log = structlog.get_logger(__name__)

CAPABILITY_ID = "is.asset.upload.v1"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_slots = threading.BoundedSemaphore(settings.UPLOADS_AT_ONCE)


@dataclass(frozen=True, kw_only=True)
class UploadDeclaration:
    """What the caller declares about the bytes."""

    source_kind: str
    filename: str
    remote_origin: str | None
    mime_type: str
    content_length: int
    sha256: str


class ReceivedImage(NamedTuple):
    """An image as it was recorded; further ones in its file were cut off."""

    asset: Asset
    had_further_images: bool


@contextmanager
def slot() -> Iterator[None]:
    """Take one of the process's slots for uploads, before the body is read.

    Raises `ServiceUnavailable` with `retry_after_seconds` where all are taken.
    """
    if not _slots.acquire(blocking=False):
        raise ServiceUnavailable(
            "Too many uploads are in progress; nothing was done.",
            recovery={"retry_after_seconds": 2},
        )
    try:
        yield
    finally:
        _slots.release()


def receive(*, agent: Agent, declared: UploadDeclaration, data: bytes) -> ReceivedImage:
    """Check, clean, store and record one image.

    Raises `InputPolicyDenied` or `StorageFull` and keeps nothing.
    """
    storage_quota.check(agent)
    _check_declaration(declared, data)
    public_id = ids.new("asset")
    with tempfile.TemporaryFile() as received, tempfile.TemporaryFile() as cleaned:
        received.write(data)
        database.release_connection()
        source, target = cast("BinaryIO", received), cast("BinaryIO", cleaned)
        try:
            image = decoding.sanitize(source, target)
        except decoding.UndecodableImage as refusal:
            raise InputPolicyDenied(str(refusal)) from None
        facts = storage.measure(target)
        storage_quota.check(agent, added_bytes=facts.content_length)
        key = storage.asset_key(public_id, BY_MIME_TYPE[image.mime_type].extension)
        try:
            storage.write(key, target)
        except storage.StorageError:
            raise ServiceUnavailable(
                "The image could not be stored; nothing was kept.",
                recovery={"retry_after_seconds": 5},
            ) from None
    asset = Asset(
        public_id=public_id,
        organization_id=agent.organization_id,
        agent=agent,
        kind=Asset.Kind.UPLOADED,
        mime_type=image.mime_type,
        content_length=facts.content_length,
        width=image.width,
        height=image.height,
        sha256=facts.sha256,
        min_luma=image.min_luma,
        min_alpha=image.min_alpha,
        conversions=image.conversions,
        storage_key=key,
    )
    asset.is_used = False
    upload = Upload(
        source_kind=declared.source_kind,
        filename=declared.filename,
        remote_origin=declared.remote_origin,
        received_bytes=len(data),
        received_sha256=declared.sha256,
        had_metadata=image.had_metadata,
    )
    try:
        _save(agent, asset, upload)
    except (OperationalError, InterfaceError):
        # Cut off at the commit, only the row can tell; where nobody can, the bytes stay.
        if database.is_committed(Asset.objects.filter(public_id=public_id).exists):
            enqueue("jobs.thumbnail", asset_id=public_id)  # what waited for it went with it
            return ReceivedImage(asset, image.had_further_images)
        storage.delete(key)
        raise
    except BaseException:  # no row will ever name these bytes
        storage.delete(key)
        raise
    return ReceivedImage(asset, image.had_further_images)


def decode_base64(text: str) -> bytes:
    """Decode the base64 of an upload; raises before doing so where it would be too large."""
    limit = settings.UPLOAD_BYTES
    if len(text) > (limit + 2) // 3 * 4:
        raise InputPolicyDenied(f"The image is larger than {limit} bytes.")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidArguments(
            details=[{"field": "bytes_base64", "message": "must be base64"}]
        ) from None
    if len(data) > limit:
        raise InputPolicyDenied(f"The image is larger than {limit} bytes.")
    return data


def detect_type(data: bytes) -> str:
    """Return the type of the bytes, whatever was declared."""
    return describe(data[:MAX_HEADER_BYTES])


def base_name(filename: str) -> str:
    """Keep the last part of a name, without control characters: never a path."""
    return _UNPRINTABLE.sub("", re.split(r"[/\\]", filename)[-1])[:255]


def url_origin(address: str) -> str:
    """Keep scheme, host and port of an http or https address; never resolved.

    Raises `InvalidArguments` where it is none.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or _UNPRINTABLE.search(address):
        message = "must be an http or https origin"
        raise InvalidArguments(details=[{"field": "remote_origin", "message": message}])
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}"[:300]


def _check_declaration(declared: UploadDeclaration, data: bytes) -> None:
    """Compare what the caller declares with the bytes."""
    head = data[:MAX_HEADER_BYTES]
    found = sniff(head)
    wanted = BY_MIME_TYPE.get(declared.mime_type.partition(";")[0].strip().lower())
    if found is None:
        raise InputPolicyDenied(
            f"The bytes are {describe(head)}; accepted are {', '.join(MIME_TYPES)}."
        )
    if wanted is not found:
        raise InputPolicyDenied(
            f"The bytes are {found.mime_type}, which is not the declared type; "
            f"accepted are {', '.join(MIME_TYPES)}."
        )
    if len(data) != declared.content_length:
        raise InputPolicyDenied(f"The image has {len(data)} bytes, not the declared number.")
    if hashlib.sha256(data).hexdigest() != declared.sha256:
        raise InputPolicyDenied("The SHA-256 of the image is not the declared one.")


def _save(agent: Agent, asset: Asset, upload: Upload) -> None:
    now = clock.now()
    with transaction.atomic():
        asset.job = Job.objects.create(
            organization_id=agent.organization_id,
            agent=agent,
            operation=Job.Operation.UPLOAD,
            status=states.COMPLETED,
            trace_id=trace.current(),
            capability_id=CAPABILITY_ID,
            created_at=now,
            started_at=now,
            stored_at=now,
            completed_at=now,
        )
        asset.save(force_insert=True)
        storage_quota.check_recorded(agent)
        upload.asset = asset
        upload.save(force_insert=True)
        notifications.publish_uploaded(asset.job, asset)
        enqueue("jobs.thumbnail", asset_id=asset.public_id)
