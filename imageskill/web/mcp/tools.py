"""The tools: one for each command, with a schema made from its flags and from the registry."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_types import Tool, ToolAnnotations

from imageskill.cli.grammar import table
from imageskill.cli.grammar.shared_flags import CREDENTIAL, SAVING
from imageskill.cli.grammar.spec import INTEGER, JSON, NUMBER, SWITCH, WORDS, Command, Flag
from imageskill.web.mcp import descriptions, menus, results

JsonObject = Mapping[str, Any]

_TYPES = {SWITCH: "boolean", INTEGER: "integer", NUMBER: "number", JSON: "object", WORDS: "array"}
_CLIENT_ONLY = {"auth", "help", "version", "completion", "mcp", "doctor"}
_LOCAL_ONLY = {"upload", "assets get"}
_IMAGE_MAKING = {"create", "edit"}
# Arguments that a model has no use for: it writes prompts itself, and menus are always short.
_UNUSED = {
    "create": {"prompt-file"},
    "edit": {"prompt-file"},
    "models list": {"details", "summary"},
}
_ABOUT_THE_CONFIG = {"save", "no-save", "show-token"}  # of signup: a file of the caller's machine
_MAX_ROWS = 25  # of lists in pages, so that a result stays within its size


UPLOAD_TOOL = Tool(
    name="upload",
    title="Upload",
    description=(
        "Upload a small image, up to 2.5 MB, so that edit and references can name it. Larger ones "
        "go to POST /v1/upload with the same bearer token."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "bytes_base64": {"type": "string", "description": "A PNG, JPEG, WebP, GIF or AVIF."},
            "filename": {"type": "string", "description": "Its name, without a path."},
        },
        "required": ["bytes_base64"],
        "additionalProperties": False,
    },
    output_schema=results.OUTPUT_SCHEMA,
    annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False),
)


class UnknownTool(Exception):
    """No tool has that name, or it has no such argument."""


def list_tools(models: Sequence[JsonObject], *, runs_locally: bool) -> list[Tool]:
    """List the tools; `models` are rows of `models list`, for the schemas of create and edit.

    On the caller's own machine there are tools that work on files, too.
    """
    found = [
        _tool(command, models, runs_locally=runs_locally)
        for command in _commands(runs_locally=runs_locally)
    ]
    return found if runs_locally else [*found, UPLOAD_TOOL]


def command_line(name: str, arguments: JsonObject, *, runs_locally: bool) -> list[str]:
    """Write a call of a tool as the words of its command; raises `UnknownTool`."""
    for command in _commands(runs_locally=runs_locally):
        if tool_name(command) == name:
            flags = {field_name(flag): flag for flag in _flags(command, runs_locally)}
            return [*command.words, *_words(flags, _with_limit(arguments)), "--json"]
    raise UnknownTool("Unknown tool.")


def _with_limit(arguments: JsonObject) -> JsonObject:
    limit = arguments.get("limit")
    is_above = type(limit) is int and limit > _MAX_ROWS
    return {**arguments, "limit": _MAX_ROWS} if is_above else arguments


def arguments_of(command: Command, *, runs_locally: bool) -> dict[str, Flag] | None:
    """Return the flags of a command's tool by argument; None where it is no tool here."""
    if command not in _commands(runs_locally=runs_locally):
        return None
    return {field_name(flag): flag for flag in _flags(command, runs_locally)}


def tool_name(command: Command) -> str:
    """Return the name of a command's tool, such as `credits_packs_list`."""
    return "_".join(command.words).replace("-", "_")


def field_name(flag: Flag) -> str:
    """Return the name of a flag's argument, such as `max_usd`."""
    return flag.name.replace("-", "_").removesuffix("_json")


def _commands(*, runs_locally: bool) -> list[Command]:
    return [
        command
        for command in table.COMMANDS
        if command.words[0] not in _CLIENT_ONLY
        and (runs_locally or " ".join(command.words) not in _LOCAL_ONLY)
    ]


def _flags(command: Command, runs_locally: bool) -> list[Flag]:
    return [
        flag
        for flag in command.flags
        if flag not in CREDENTIAL
        and not (command.is_spending and flag in SAVING)  # `assets_get` saves images
        and not flag.is_hidden
        and flag.name not in _UNUSED.get(" ".join(command.words), ())
        and (runs_locally or not (flag.is_local or flag.name in _ABOUT_THE_CONFIG))
    ]


def _tool(command: Command, models: Sequence[JsonObject], *, runs_locally: bool) -> Tool:
    flags = _flags(command, runs_locally)
    name = tool_name(command)
    properties = {field_name(flag): _schema(flag, runs_locally=runs_locally) for flag in flags}
    if name in menus.LISTS:
        properties |= menus.PAGING
    elif "limit" in properties:
        properties["limit"] |= {"maximum": _MAX_ROWS}
    operation = command.words[0]
    if operation in _IMAGE_MAKING:
        _describe_models(
            properties, [model for model in models if operation in model.get("supports", ())]
        )
    method = command.endpoint.method if command.endpoint else "GET"
    return Tool(
        name=name,
        title=command.label.removeprefix("image-skill ").capitalize(),
        description=descriptions.of_tool(name, runs_locally=runs_locally),
        input_schema={
            "type": "object",
            "properties": properties,
            "required": _required(command, flags),
            "additionalProperties": False,
        },
        output_schema=results.OUTPUT_SCHEMA,
        annotations=ToolAnnotations(
            read_only_hint=method == "GET" and command.words != ("assets", "get"),
            destructive_hint=method == "DELETE" or "cancel" in command.words,
            idempotent_hint=method in {"GET", "DELETE"},
            open_world_hint=False,
        ),
    )


def _required(command: Command, flags: Sequence[Flag]) -> list[str]:
    """Return what a call must give: also where a rule leaves one flag of several to choose."""
    names = {flag.name for flag in flags}
    needed = {flag.name for flag in flags if flag.is_required}
    for rule in command.rules:
        left = names.intersection(rule.flags)
        if rule.kind != "at_most" and len(left) == 1:
            needed |= left
    return [field_name(flag) for flag in flags if flag.name in needed]


def _schema(flag: Flag, *, runs_locally: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _TYPES.get(flag.kind, "string")}
    if flag.kind == WORDS:
        schema["items"] = {"type": "string"}
    if flag.kind == INTEGER:
        schema["minimum"] = flag.minimum
    if flag.kind == NUMBER:
        schema["minimum"] = 0
    if flag.choices:
        schema["enum"] = list(flag.choices)
    if flag.is_repeatable:
        schema = {"type": "array", "items": schema}
    if flag.default is not None:
        schema["default"] = flag.default
    help_text = descriptions.of_argument(field_name(flag), flag.help, runs_locally=runs_locally)
    return schema | {"description": help_text}


def _describe_models(properties: dict[str, dict[str, Any]], models: Sequence[JsonObject]) -> None:
    """Add which models there are, and which parameters each of them takes."""
    ids = [model["id"] for model in models if model.get("status") == "available"]
    if ids:
        properties["model"]["enum"] = ids
    takers: dict[str, list[str]] = {}
    for model in models:
        for name in _executable_parameters(model) if model["id"] in ids else []:
            takers.setdefault(name, []).append(model["id"])
    properties["model_parameters"]["properties"] = {
        name: {"description": f"Taken by {', '.join(names)}."} for name, names in takers.items()
    }


def _executable_parameters(model: JsonObject) -> list[str]:
    schema = model.get("model_parameters") or {}
    return [
        name for name, part in (schema.get("properties") or {}).items() if part.get("executable")
    ]


def _words(flags: Mapping[str, Flag], arguments: JsonObject) -> list[str]:
    unknown = set(arguments) - set(flags)
    if unknown:
        known = ", ".join(flags) or "none"
        raise UnknownTool(f"Unknown argument; the tool takes: {known}.")
    words = []
    for name, value in arguments.items():
        flag = flags[name]
        many = value if flag.is_repeatable and isinstance(value, list) else [value]
        words += [f"--{flag.name}={_text(one, flag)}" for one in many if one is not None]
    return words


def _text(value: Any, flag: Flag) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and flag.kind == WORDS:
        return ",".join(str(one) for one in value)
    return json.dumps(value, ensure_ascii=False)
