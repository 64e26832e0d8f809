"""The HTTP request of a `Call`."""

from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from imageskill.cli.grammar.reading import Call
from imageskill.cli.grammar.spec import IMAGE, REFERENCE, Endpoint, Flag
from imageskill.cli.grammar.values import asset_id, split_reference

_REFERENCE_FIELDS = {
    "element-frontal": "",
    "element-reference": "reference_index",
    "reference-image": "reference_task",
}


class UploadRequired(Exception):
    """An image is still a path or URL; it must be uploaded first."""

    def __init__(self, flag: str) -> None:
        super().__init__(flag)
        self.flag = flag


class EndpointRequest(NamedTuple):
    """One request to the API; `body` None where it has none."""

    method: str
    target: str  # path and query
    body: dict[str, Any] | None = None


def build(call: Call, **extra: Any) -> EndpointRequest:
    """Build the request; `extra` are further fields of its body. Raises `UploadRequired`."""
    if call.is_on("guide"):
        return _guide(call)
    fields = _fields(call)
    endpoint = call.command.endpoint if fields else _bare_endpoint(call)
    assert endpoint is not None
    path = endpoint.path
    for name in [name for name in fields if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(fields.pop(name), safe=""))
    if endpoint.has_body:
        return EndpointRequest(endpoint.method, path, fields | extra)
    query = urlencode({name: _query_value(value) for name, value in fields.items()})
    return EndpointRequest(endpoint.method, f"{path}?{query}" if query else path)


def _bare_endpoint(call: Call) -> Endpoint | None:
    return call.command.bare_endpoint or call.command.endpoint


def _guide(call: Call) -> EndpointRequest:
    """Ask for the guide; the prompt itself stays with the caller."""
    has_prompt = any(call.given.get(name) for name in ("prompt", "prompt-file"))
    query = {"operation": call.command.words[0], "prompt_present": _query_value(has_prompt)}
    query |= {name: call.given[name] for name in ("model", "modality") if call.given.get(name)}
    return EndpointRequest("GET", f"/v1/guide?{urlencode(query)}")


def _fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for flag in call.command.flags:
        value = call.get(flag.name)
        if flag.name not in call.given and any(call.is_on(name) for name in flag.lifted_by):
            continue
        if flag.field and value is not None and (value is not False or flag.default is False):
            fields[flag.field] = flag.sent_as or _as_asset(flag, value)
    references = _references(call)
    if references:
        fields["references"] = references
    return fields


def _as_asset(flag: Flag, value: Any) -> Any:
    if flag.kind != IMAGE:
        return value
    found = asset_id(value)
    if found is None:
        raise UploadRequired(flag.name)
    return found


def _references(call: Call) -> list[dict[str, Any]]:
    found = []
    for flag in call.command.flags:
        if flag.kind == REFERENCE:
            texts = call.get(flag.name) or []
            found += [_reference(flag.name, text, place) for place, text in enumerate(texts)]
    return found


def _reference(flag: str, text: str, place: int) -> dict[str, Any]:
    image, index, rest = split_reference(text)
    asset = asset_id(image)
    if asset is None:
        raise UploadRequired(flag)
    # Without an index, a view belongs to the first element; images count up.
    fallback = 0 if flag == "element-reference" else place
    entry: dict[str, Any] = {
        "asset_id": asset,
        "role": flag.replace("-image", "_image").replace("-", "_"),
        "index": fallback if index is None else index,
    }
    if rest is not None and (name := _REFERENCE_FIELDS[flag]):
        entry[name] = int(rest) if rest.isdigit() else rest
    return entry


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
