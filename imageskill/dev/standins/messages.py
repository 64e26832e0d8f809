"""What goes in and out of a stand-in's route: a parsed request, a plain answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.policy import HTTP
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, parse_qsl


@dataclass(frozen=True)
class FormPart:
    """One field of a multipart body; `filename` is None for plain fields."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str = "text/plain"

    @property
    def text(self) -> str:
        """The data as text."""
        return self.data.decode()


@dataclass(frozen=True)
class StandInRequest:
    """A request as a route sees it.

    Header names are lower case; `params` are the groups of the route's expression; `base_url`
    is where this server is reached.
    """

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """The query's first value for each name."""
        return {name: values[0] for name, values in parse_qs(self.query_string).items()}

    @cached_property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @cached_property
    def form(self) -> dict[str, str]:
        """An urlencoded body, flat: `line_items[0][quantity]` stays one name."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @cached_property
    def multipart(self) -> list[FormPart]:
        """The fields of a multipart body, in their order."""
        boundary = _parse_options(self.headers["content-type"])["boundary"].encode()
        return [_parse_part(raw) for raw in self.body.split(b"--" + boundary)[1:-1]]


@dataclass(frozen=True)
class StandInResponse:
    """What a route answers: a JSON value, text or bytes."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        """Return the bytes and their content type."""
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/html; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json"


def _parse_options(header: str) -> dict[str, str]:
    """Read `name=value` pairs out of a header such as Content-Disposition."""
    parsed = BytesHeaderParser(policy=HTTP).parsebytes(
        f"Content-Disposition: {header}\r\n\r\n".encode()
    )
    return dict(parsed["content-disposition"].params)


def _parse_part(raw: bytes) -> FormPart:
    head, _, data = raw.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = BytesHeaderParser(policy=HTTP).parsebytes(head + b"\r\n\r\n")
    options = dict(headers["content-disposition"].params)
    return FormPart(
        name=options["name"],
        data=data.removesuffix(b"\r\n"),
        filename=options.get("filename"),
        content_type=headers.get("content-type", "text/plain"),
    )
