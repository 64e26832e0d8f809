"""Reads the registry's files and makes immutable models of them."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError

from jobs.registry.entry import (
    AspectRatioRule,
    ImagePrice,
    ImageRule,
    MegapixelPrice,
    Model,
    OutputRule,
    ParameterRule,
    Price,
    PromptRule,
    ProviderCall,
    ReferenceFields,
    ReferenceRule,
    Size,
    SizeLimits,
    SizeRule,
    TierPrice,
    TokenPrice,
)

FOLDER = Path(__file__).parent
RegistryRow = Mapping[str, Any]


class RegistryError(Exception):
    """The registry's files are wrong; says which and where."""


def read_rows(folder: Path = FOLDER / "rows") -> list[dict[str, Any]]:
    """Read every row, in the order of their ids.

    Raises `RegistryError` for a row that breaks the schema, has a bad parameter schema, or
    stands in a file not named after it.
    """
    validator = Draft202012Validator(
        read_json(FOLDER / "row.schema.json"), format_checker=FormatChecker()
    )
    rows = []
    for path in sorted(folder.glob("*/*.json")):
        row = read_json(path)
        for error in validator.iter_errors(row):
            raise RegistryError(f"{path.name}: {error.json_path}: {error.message}")
        if row["id"] != f"{path.parent.name}.{path.stem}":
            raise RegistryError(f"{path.name}: holds {row['id']}, which is not its name.")
        for name, schema in row["parameters"].items():
            try:
                Draft202012Validator.check_schema(schema)
            except SchemaError as error:
                raise RegistryError(f"{path.name}: {name}: {error.message}") from error
        rows.append(row)
    return sorted(rows, key=lambda row: str(row["id"]))


def read_json(path: Path) -> Any:
    """Read one JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def build_model(row: RegistryRow, *, presets: Mapping[str, Mapping[str, Size]]) -> Model:
    """Make a model of a row that keeps to the schema."""
    return Model(
        id=row["id"],
        display_name=row["display_name"],
        summary=row["summary"],
        provider=row["provider"],
        modality=row["modality"],
        is_wired=row["wired"],
        operations=tuple(row["operations"]),
        supports=tuple(row["supports"]),
        capability_id=row["capability_id"],
        aliases=tuple(row["aliases"]),
        task_tags=tuple(row["task_tags"]),
        latency_class=row["latency_class"],
        prompt=PromptRule(**row["prompt"]),
        output=OutputRule(**{**row["output"], "mime_types": tuple(row["output"]["mime_types"])}),
        aspect_ratio=AspectRatioRule(**row["aspect_ratio"]),
        size=_size(row["size"], presets),
        parameters=row["parameters"],
        price=_price(row["price"]),
        call=_call(row["call"]),
        input_image=_image_rule(row.get("input_image")),
        mask=_image_rule(row.get("mask")),
        references=_references(row.get("references")),
        parameter_rules=tuple(_parameter_rule(rule) for rule in row.get("parameter_rules", ())),
        safety=row["safety"],
        migration=row.get("migration", {}),
    )


def _size(part: RegistryRow, presets: Mapping[str, Mapping[str, Size]]) -> SizeRule:
    table = part.get("presets")
    return SizeRule(
        parameter=part.get("parameter"),
        presets=presets[table] if table else {},
        limits=SizeLimits(**_decimals_in(part.get("rules", {}), "max_ratio")),
        tier=part.get("tier"),
        short_edge=part.get("short_edge", {}),
    )


def _price(part: RegistryRow) -> Price:
    rule = _price_rule(part["rule"])
    rates = rule.usd_per_million if isinstance(rule, TokenPrice) else part.get("rates_usd", {})
    return Price(
        rule=rule,
        is_quoted=part["quoted"],
        is_metered=part["metered"],
        source=part["source"],
        fallback_extra_usd=Decimal(part.get("fallback_extra_usd", "0")),
        rates_usd=_decimals(rates),
    )


def _price_rule(part: RegistryRow) -> ImagePrice | TierPrice | MegapixelPrice | TokenPrice:
    input_usd = Decimal(part.get("input_usd", "0"))
    match part["kind"]:
        case "image":
            return ImagePrice(usd=Decimal(part["usd"]), input_usd=input_usd)
        case "tier":
            usd = _decimals(part["usd"])
            return TierPrice(parameter=part["parameter"], usd=usd, input_usd=input_usd)
        case "megapixel":
            return MegapixelPrice(usd=Decimal(part["usd"]), rounds_up=part["rounding"] == "up")
        case _:
            return TokenPrice(
                usd_per_million=_decimals(part["usd_per_million"]),
                dearest=part["dearest"],
                output_tokens=part.get("output_tokens", {}),
                quality_factor=part.get("formula", {}).get("quality_factor", {}),
            )


def _call(part: RegistryRow) -> ProviderCall:
    references = part.get("references")
    if references:
        numbered = tuple(references.get("numbered_fields", ()))
        references = ReferenceFields(**{**references, "numbered_fields": numbered})
    return ProviderCall(**{**part, "references": references})


def _image_rule(part: RegistryRow | None) -> ImageRule | None:
    if part is None:
        return None
    fields = _decimals_in(part, "min_ratio", "max_ratio")
    return ImageRule(**{**fields, "mime_types": tuple(part["mime_types"])})


def _references(part: RegistryRow | None) -> ReferenceRule | None:
    if part is None:
        return None
    return ReferenceRule(**{**part, "tasks": tuple(part.get("tasks", ()))})


def _parameter_rule(part: RegistryRow) -> ParameterRule:
    needs = {name: tuple(values) for name, values in part["needs"].items()}
    return ParameterRule(parameter=part["parameter"], value=part.get("value"), needs=needs)


def _decimals(texts: Mapping[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}


def _decimals_in(part: RegistryRow, *names: str) -> dict[str, Any]:
    return {name: Decimal(value) if name in names else value for name, value in part.items()}
