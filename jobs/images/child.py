"""The process that opens strangers' images (ADR 11): `python -m jobs.images.child FD`.

It waits on a socket for tasks and forks for each, so that a task starts in milliseconds with
Pillow loaded. The fork gets open files and no paths, sets limits on memory, time and files, does
one task, answers with one line of JSON and exits. When the parent goes, the
socket ends and so does this process.
"""

import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from typing import BinaryIO

from jobs.images import avif_size, converting, jpeg_size, opening, png_size
from jobs.images.cleaning import MalformedImage, clean
from jobs.images.cleaning.jpeg import has_further_images
from jobs.images.formats import AVIF, JPEG, MAX_HEADER_BYTES, PNG, ImageFormat, sniff
from jobs.images.manifest_states import KEPT, NONE, REMOVED

_MAX_REQUEST_BYTES = 4096


def main(control_fd: int) -> None:
    """Serve until the parent closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps
    control = socket.socket(fileno=control_fd)
    while True:
        request, fds, _, _ = socket.recv_fds(control, _MAX_REQUEST_BYTES, 3)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _handle_request(json.loads(request), fds)
            os._exit(0)
        for fd in fds:
            os.close(fd)


def _handle_request(request: dict[str, int | str], fds: Sequence[int]) -> None:
    answer_fd, *files = fds
    try:
        _set_limits(
            memory_bytes=int(request["memory_bytes"]),
            seconds=int(request["seconds"]),
            elapsed_seconds=int(request["elapsed_seconds"]),
        )
        answer = {"ok": True} | _run_task(request, [os.fdopen(fd, "r+b") for fd in files])
    except opening.ImageRejected as refused:
        answer = {"ok": False, "reason": str(refused)}
    except MalformedImage as unsound:
        answer = {"ok": False, "reason": f"The image can't be taken apart: {unsound}."}
    except MemoryError:
        answer = {"ok": False, "reason": "The image takes too much memory to open."}
    os.write(answer_fd, json.dumps(answer).encode())


def _set_limits(*, memory_bytes: int, seconds: int, elapsed_seconds: int) -> None:
    signal.alarm(elapsed_seconds)  # ends the process
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    except (ValueError, OSError):  # macOS has the name and refuses the limit
        return


def _run_task(request: dict[str, int | str], files: list[BinaryIO]) -> dict[str, object]:
    limits = opening.ImageLimits(
        side=int(request["side"]),
        pixels=int(request["pixels"]),
        frames=int(request["frames"]),
        pixels_of_all_frames=int(request["pixels_of_all_frames"]),
    )
    match request["task"]:
        case "inspect":
            return opening.inspect(files[0], limits=limits)
        case "glance":
            return _flush(opening.make_thumbnail(files[0], files[1], limits=limits), files[1])
        case "convert":
            answer = converting.convert(files[0], files[1], _target(request), limits=limits)
            return _flush(answer, files[1])
        case "admit":
            keep_manifest = bool(request["keep_manifest"])
            answer = _sanitize(files[0], files[1], limits=limits, keep_manifest=keep_manifest)
            return _flush(answer, files[1])
    raise ValueError("no such task")


def _target(request: dict[str, int | str]) -> converting.Target:
    width, height = int(request["width"]), int(request["height"])
    return converting.Target(
        accepts=str(request["accepts"]).split(),
        max_bytes=int(request["max_bytes"]),
        max_pixels=int(request["max_pixels"]),
        max_edge=int(request["max_edge"]),
        size=(width, height) if width else None,
        marks=str(request["marks"]),
    )


def _sanitize(
    source: BinaryIO, target: BinaryIO, *, limits: opening.ImageLimits, keep_manifest: bool
) -> dict[str, object]:
    """Remove the metadata, then decode what is left: what is served is what was looked at."""
    source.seek(0)
    data = source.read()
    kind = sniff(data[:MAX_HEADER_BYTES])
    if kind is None:
        return opening.inspect(source, limits=limits)  # which refuses it in words
    cleaned = clean(data, kind=kind)
    manifest = NONE
    if keep_manifest and cleaned != data:
        signed = clean(data, kind=kind, keep_manifest=True)
        if signed != cleaned:
            # Anything else that had to go breaks the signature.
            cleaned, manifest = (data, KEPT) if signed == data else (cleaned, REMOVED)
    target.write(cleaned)
    answer = opening.inspect(target, limits=limits)
    _check_size(cleaned, kind)
    return answer | {
        "had_metadata": cleaned != data,
        "had_further_images": kind is JPEG and has_further_images(data),
        "manifest": manifest,
        "conversions": converting.needed_conversions(target, limits=limits),
    }


def _check_size(data: bytes, kind: ImageFormat) -> None:
    checks = {JPEG: jpeg_size.check, PNG: png_size.check, AVIF: avif_size.check}
    if kind in checks:
        checks[kind](data)


def _flush(answer: dict[str, object], file: BinaryIO) -> dict[str, object]:
    file.flush()
    return answer


if __name__ == "__main__":
    main(int(sys.argv[1]))
