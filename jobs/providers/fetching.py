"""Fetching what a provider made: only from its own hosts, and never too much or too long.

No credential goes along. A redirect is followed where it stays within the same bounds.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import BinaryIO

import httpx
from django.conf import settings

from jobs.images import formats
from jobs.providers import http_calls
from jobs.providers.failures import BROKEN_RUN, TRANSIENT, ProviderError
from jobs.providers.interface import Output
from jobs.providers.temp_files import open_spool

MAX_REDIRECTS = 3
_BINARY_TYPES = {"", "application/octet-stream", "binary/octet-stream"}
_RETRYABLE_STATUSES = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Origins:
    """Where outputs may come from: the provider's own base, and its file hosts over HTTPS."""

    base_url: str
    hosts: Sequence[str]

    def allow(self, url: httpx.URL) -> bool:
        """Return whether a URL is one of the provider's."""
        if url.userinfo:
            return False
        if same_origin(url, httpx.URL(self.base_url)):
            return True
        is_plain = url.scheme == "https" and url.port is None
        return is_plain and any(fnmatchcase(url.host, pattern) for pattern in self.hosts)


def same_origin(first: httpx.URL, second: httpx.URL) -> bool:
    """Return whether two URLs have scheme, host and port in common."""
    return (first.scheme, first.host, first.port) == (second.scheme, second.host, second.port)


def fetch(client: httpx.Client, url: str, *, origins: Origins) -> Output:
    """Fetch one output into a spooled file.

    Raises `ProviderError`: transient where trying again can help, else a broken run.
    """
    give_up_at = time.monotonic() + settings.OUTPUT_FETCH_S
    at = _parse_url(url)
    for _ in range(MAX_REDIRECTS + 1):
        if not origins.allow(at):
            raise ProviderError(BROKEN_RUN, reason="output_host_unknown")
        try:
            with client.stream(
                "GET",
                at,
                headers={"Accept": "image/*", "Accept-Encoding": "identity"},
                timeout=http_calls.timeout(min(30, settings.OUTPUT_FETCH_S)),
            ) as answer:
                if not answer.has_redirect_location:
                    return _receive(answer, give_up_at)
                at = at.join(answer.headers["location"])
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ProviderError(TRANSIENT, reason="output_not_reached") from error
    raise ProviderError(BROKEN_RUN, reason="output_redirects")


def make_output(file: BinaryIO) -> Output:
    """Make an output of a spooled file, by the type that its bytes show.

    Raises `ProviderError` (broken run), and closes the file, where they show no image.
    """
    content_length = file.seek(0, os.SEEK_END)
    file.seek(0)
    kind = formats.sniff(file.read(formats.MAX_HEADER_BYTES))
    if kind is None:
        file.close()
        raise ProviderError(BROKEN_RUN, reason="output_not_an_image")
    file.seek(0)
    return Output(file=file, mime_type=kind.mime_type, content_length=content_length)


def _parse_url(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise ProviderError(BROKEN_RUN, reason="output_url") from error


def _receive(answer: httpx.Response, give_up_at: float) -> Output:
    refusal = _response_error(answer)
    if refusal:
        raise refusal
    file = open_spool()
    try:
        for chunk in answer.iter_raw():
            file.write(chunk)
            _check_bounds(file.tell(), give_up_at)
    except BaseException:
        file.close()
        raise
    return make_output(file)


def _response_error(answer: httpx.Response) -> ProviderError | None:
    """Judge an answer by its head alone."""
    status = answer.status_code
    if status != 200:
        failure = TRANSIENT if status in _RETRYABLE_STATUSES else BROKEN_RUN
        return ProviderError(failure, reason=f"output_http_{status}")
    declared = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not declared.startswith("image/") and declared not in _BINARY_TYPES:
        return ProviderError(BROKEN_RUN, reason="output_type")
    if answer.headers.get("content-encoding", "identity") != "identity":
        return ProviderError(BROKEN_RUN, reason="output_encoding")
    return None


def _check_bounds(received_bytes: int, give_up_at: float) -> None:
    if received_bytes > settings.OUTPUT_BYTES:
        raise ProviderError(BROKEN_RUN, reason="output_too_large")
    if time.monotonic() > give_up_at:
        raise ProviderError(TRANSIENT, reason="output_too_slow")
