"""Opening strangers' images without risk: in a process of limited memory and time.

The process is started once and forks for each image (`jobs.images.child`). Everything it
refuses, dies of or takes too long for is `UndecodableImage`; a bomb costs neither memory nor
time (ADR 11).
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.conf import settings

_FORK_TIMEOUT_S = 5
_PATIENCE = 2  # elapsed time for each second of processor time
_CONVERSION_PATIENCE = 6  # a job has minutes, and a busy machine must not fail it
_MAX_RESPONSE_BYTES = 4096


class UndecodableImage(Exception):
    """The bytes can't be opened as an image; the text says why in words fit for the caller."""


class OutOfTime(UndecodableImage):
    """The work took too long or was killed: a busy machine does that to sound images too."""


@dataclass(frozen=True, kw_only=True)
class ImageProperties:
    """What an image is, by its bytes: size as displayed, frames decoded."""

    mime_type: str
    width: int
    height: int
    frames: int


@dataclass(frozen=True, kw_only=True)
class SanitizedImage(ImageProperties):
    """An image without metadata: what was removed, and what became of a signed manifest.

    `min_luma` and `min_alpha` are the least brightness and opacity of the first frame, from 0 to
    255: whether it can be a mask. `conversions` are those before it can leave for a provider.
    """

    had_metadata: bool
    had_further_images: bool
    manifest: str
    min_luma: int
    min_alpha: int
    conversions: list[str]


@dataclass(frozen=True, kw_only=True)
class ConvertedImage:
    """What an image can be sent as, and whether it had to be written anew for that.

    `fits` is false for a mask that has too many bytes at the size of its image; nothing was
    written then.
    """

    mime_type: str
    width: int
    height: int
    is_converted: bool
    fits: bool


@dataclass(frozen=True, kw_only=True)
class ImageFingerprint:
    """What an image looks like; `difference_hash` has 64 bits, alike for alike images."""

    mime_type: str
    width: int
    height: int
    is_blank: bool
    difference_hash: int


def sanitize(file: BinaryIO, cleaned: BinaryIO, *, keep_manifest: bool = False) -> SanitizedImage:
    """Write an image to `cleaned` without metadata and decode what was written.

    Both are real files; `keep_manifest` serves a signed image byte for byte where it carries
    nothing else (ADR 14). Raises `UndecodableImage`.
    """
    return SanitizedImage(**_run_task("admit", file, cleaned, keep_manifest=keep_manifest))


def convert(
    file: BinaryIO,
    converted: BinaryIO,
    *,
    accepts: Sequence[str],
    max_pixels: int,
    max_edge: int,
    max_bytes: int = 0,
) -> ConvertedImage:
    """Write an image to `converted` as a provider takes it, where it is not so already.

    `accepts` are the MIME types it takes. What is larger than the limits (0 bytes: none) is
    scaled down. Raises `UndecodableImage`.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels, "max_edge": max_edge}
    return _convert(file, converted, accepts=accepts, **limits)


def convert_mask(
    file: BinaryIO,
    converted: BinaryIO,
    *,
    accepts: Sequence[str],
    size: tuple[int, int],
    max_bytes: int = 0,
    marks: str = "",
) -> ConvertedImage:
    """Write a mask to `converted` as a provider takes it, in the size of the image it is for.

    `marks` is what its model reads in it (`transparency`, `black`); where there are too many
    bytes, nothing else is kept. Raises `UndecodableImage`.
    """
    width, height = size
    return _convert(
        file,
        converted,
        accepts=accepts,
        width=width,
        height=height,
        max_bytes=max_bytes,
        marks=marks,
    )


def _convert(
    file: BinaryIO, converted: BinaryIO, *, accepts: Sequence[str], **given: int | str
) -> ConvertedImage:
    none = {"max_bytes": 0, "max_pixels": 0, "max_edge": 0, "width": 0, "height": 0, "marks": ""}
    options = none | given | {"accepts": " ".join(accepts)}
    return ConvertedImage(**_run_task("convert", file, converted, **options))


def make_thumbnail(file: BinaryIO, thumbnail: BinaryIO) -> ImageFingerprint:
    """Write a thumbnail (WebP, at most 512 px) and look at the image; raises `UndecodableImage`."""
    return ImageFingerprint(**_run_task("glance", file, thumbnail))


def _run_task(task: str, *files: BinaryIO, **options: object) -> dict[str, Any]:
    patience = _CONVERSION_PATIENCE if task == "convert" else _PATIENCE
    elapsed_seconds = patience * settings.DECODE_SECONDS
    request = options | {
        "task": task,
        "elapsed_seconds": elapsed_seconds,
        "memory_bytes": settings.DECODE_MEMORY_BYTES,
        "seconds": settings.DECODE_SECONDS,
        "side": settings.PICTURE_SIDE_PX,
        "pixels": settings.PICTURE_PIXELS,
        "frames": settings.PICTURE_FRAMES,
        "pixels_of_all_frames": settings.PICTURE_PIXELS_OF_ALL_FRAMES,
    }
    fds = [file.fileno() for file in files]  # first: it moves a spooled file to disk
    for file in files:
        file.flush()
    with _slots:
        timeout_s = elapsed_seconds + _FORK_TIMEOUT_S
        raw = _decoder.ask(json.dumps(request).encode(), fds, timeout_s=timeout_s)
    for file in files:
        file.seek(0)
    if not raw:
        raise OutOfTime("The image takes too long to open.")
    answer: dict[str, Any] = json.loads(raw)
    if not answer.pop("ok"):
        raise UndecodableImage(answer["reason"])
    return answer


class _DecoderProcess:
    """The child process of this process, started at first use and again should it die."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_pid = 0

    def ask(self, request: bytes, fds: list[int], *, timeout_s: int) -> bytes:
        """Send a task and wait for the answer; empty where the child died or hung."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._send(request, [theirs.fileno(), *fds])
            ours.settimeout(timeout_s)
            try:
                return ours.recv(_MAX_RESPONSE_BYTES)
            except (TimeoutError, ConnectionError):
                return b""

    def _send(self, request: bytes, fds: list[int]) -> None:
        with self._lock:
            # After a fork of ours the child belongs to the parent; start one of our own.
            if self._control is None or self._owner_pid != os.getpid():
                self._start()
            try:
                self._send_once(request, fds)
            except OSError:
                self._start()
                self._send_once(request, fds)

    def _send_once(self, request: bytes, fds: list[int]) -> None:
        if self._control is None:
            raise OSError("not started")
        socket.send_fds(self._control, [request], fds)

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jobs.images.child", str(theirs.fileno())],
                cwd=settings.BASE_DIR,
                env={"PATH": os.environ.get("PATH", "")},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._control, self._owner_pid = ours, os.getpid()


_decoder = _DecoderProcess()
_slots = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
