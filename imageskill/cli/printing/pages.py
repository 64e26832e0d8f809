"""Answers that need more than a value beside each title: help, a model, the check-up."""

from collections.abc import Callable
from typing import Any

from imageskill.cli.printing.layout import columns, definitions, fields, paragraph, summaries

Data = dict[str, Any]


def _help(data: Data) -> list[str]:
    if "commands" in data:
        rows = [(one["name"], one["summary"]) for one in data["commands"]]
        return [*paragraph(f"Usage: {_for_people(data['usage'])}"), "", *summaries(rows)]
    lines = [*paragraph(data["summary"]), "", *paragraph(f"Usage: {_for_people(data['usage'])}")]
    if data["notes"]:
        lines += ["", *paragraph(data["notes"].replace("`", ""))]
    if data["flags"]:
        lines += ["", "Options:", *definitions(map(_flag, data["flags"]))]
    examples = [f"  {_for_people(one)}" for one in data["examples"]]
    return [*lines, "", "Examples:", *examples]


def _flag(flag: Data) -> tuple[str, str]:
    meaning = flag["help"]
    if flag["choices"]:
        meaning += f" One of {', '.join(flag['choices'])}."
    if flag["default"] not in (None, False, []):
        meaning += f" Default: {flag['default']}."
    notes = [word for word in ("required", "repeatable") if flag[word]]
    term = " ".join(part for part in (flag["name"], flag["value"]) if part)
    return term + (f"  ({', '.join(notes)})" if notes else ""), meaning


def _for_people(command: str) -> str:
    return command.removesuffix(" --json")


def _model(data: Data) -> list[str]:
    model = data.get("model") or {}
    media = model.get("media") or {}
    output = media.get("output") or {}
    lines: list[str] = []
    for title, value in (
        ("Model", model.get("id")),
        ("Name", model.get("display_name")),
        ("Provider", model.get("provider_id")),
        ("Makes", model.get("summary")),
        ("Status", model.get("status")),
        ("Because", model.get("availability_message")),
        ("Operations", model.get("supports")),
        ("Credits per image", model.get("credits_required")),
        ("Provider cost, USD", model.get("estimated_usd_per_image")),
        ("Images per request", output.get("max_outputs_per_request")),
        ("Largest size", output.get("max_resolution")),
        ("Formats", output.get("mime_types")),
        ("Aspect ratios", model.get("aspect_ratios")),
        ("Input images", _inputs(media.get("input") or {})),
        ("Retirement", model.get("migration")),
    ):
        lines += fields(title, [value])
    parameters = (model.get("model_parameters") or {}).get("properties") or {}
    usable = [(name, one) for name, one in parameters.items() if one.get("executable")]
    if usable:
        rows = [(name, _parameter(one)) for name, one in usable]
        lines += ["", "Parameters, for --model-parameters-json:", *definitions(rows)]
    return lines


def _inputs(media: Data) -> str:
    images = media.get("images") or {}
    parts = [f"{images.get('required', 0)} to {images.get('max', 0)}"]
    parts += [name for name in ("mask", "references") if (media.get(name) or {}).get("supported")]
    return " + ".join(parts)


def _parameter(schema: Data) -> str:
    choices = schema.get("enum")
    kind = ", ".join(map(str, choices)) if choices else str(schema.get("type") or "")
    bounds = [f"{word} {schema[key]}" for word, key in _BOUNDS if schema.get(key) is not None]
    return "; ".join(part for part in (kind, *bounds, schema.get("description")) if part)


_BOUNDS = (("from", "minimum"), ("to", "maximum"), ("default", "default"))


def _doctor(data: Data) -> list[str]:
    server, auth = data["hosted_api"], data["auth"]
    problem = (server.get("error") or {}).get("message")
    lines: list[str] = []
    for title, value in (
        ("Client", data["cli_version"]),
        ("Server", data["api_base_url"]),
        ("Reachable", problem or server["status"] or server["reachable"]),
        ("Server version", server["api_version"]),
        ("Token", _token(auth)),
        ("Config file", auth["config_path"]),
        *((f"{name.replace('_', ' ').capitalize()}", _folder(one))
          for name, one in data["output"].items()),
        ("Telemetry", data["telemetry"]["status"]),
    ):  # fmt: skip
        lines += fields(title, [value])
    entries = data["in_flight"]["entries"]
    if entries:
        rows = [(one["command"], one["started_at"]) for one in entries]
        lines += ["", "Unfinished:", *columns(("command", "started_at"), rows), "", "Get them by:"]
        lines += [f"  {one['recover_command']}" for one in entries]
    return lines


def _token(auth: Data) -> str:
    source = auth["token_source"]
    return f"{auth['token_status']} (from {source})" if source else str(auth["token_status"])


def _folder(one: Data) -> str:
    return f"{one['path']} ({'writable' if one['writable'] else one['reason']})"


PAGES: dict[str, Callable[[Data], list[str]]] = {
    "help": _help,
    "models show": _model,
    "doctor": _doctor,
}
