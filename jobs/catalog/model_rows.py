"""A model as the wire shows it: the whole row, and the compact one without schemas. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jobs.planning import inputs, prices, sizes
from jobs.planning.prices import Cost
from jobs.registry.consistency import DEFAULT_ASPECT_RATIO
from jobs.registry.entry import (
    ImagePrice,
    ImageRule,
    MegapixelPrice,
    Model,
    ParameterRule,
    TierPrice,
)
from jobs.registry.unavailability import CATALOGED, Unavailability

CatalogRow = dict[str, Any]

REQUIRED_GRANTS = {"create": "image.create", "edit": "image.edit"}
FORMAT_BY_MIME_TYPE = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
KNOWN_INTENTS = ["explore", "draft", "final", "finalize", "product", "hero"]


def build(
    model: Model, *, obstacle: Unavailability | None, is_default: bool, margin: Decimal
) -> CatalogRow:
    """Return everything about a model: what it takes, makes and costs, and whether it can run."""
    economics = _economics(model, margin)
    return {
        **_identity(model, obstacle=obstacle, is_default=is_default),
        "execution": {
            "model_execution_status": execution_status(model, obstacle),
            "artifact_storage": "image_skill_owned",
        },
        "capability": {
            "id": model.capability_id,
            "grants_required": grants_required(model),
            "intents": KNOWN_INTENTS if model.is_wired else [],
        },
        "prompt": _prompt(model),
        "media": {"input": _media_in(model), "output": _media_out(model)},
        "aspect_ratios": list(model.aspect_ratio.values),
        "model_parameters": parameter_schema(model),
        "fixed_controls": fixed_controls(model),
        "economics": economics,
        "estimated_usd_per_image": economics["estimated_usd_per_image"],
        "credits_required": economics["credit_pricing"]["credits_required"],
        "safety": {"prompt_checked": model.prompt.use == "required", **model.safety.model_dump()},
        "migration": model.migration.model_dump(mode="json", exclude_none=True) or None,
    }


def compact(full: Mapping[str, Any]) -> CatalogRow:
    """Return the flat row that leaves the parameter schemas out."""
    output = full["media"]["output"]
    kept = (
        "id",
        "default",
        "display_name",
        "summary",
        "provider_id",
        "modality",
        "status",
        "availability_reason",
        "supports",
        "operations",
        "capability_id",
        "task_tags",
        "aliases",
        "accepts_input_images",
        "aspect_ratios",
        "estimated_usd_per_image",
        "credits_required",
        "latency_class",
        "show_command",
    )
    return {
        **{name: full[name] for name in kept},
        **full["execution"],
        "pricing_confidence": full["economics"]["credit_pricing"]["pricing_confidence"],
        "cost_known": full["economics"]["cost_known"],
        "budget_required_for_live": full["economics"]["budget_required_for_live"],
        "max_outputs_per_request": output["max_outputs_per_request"],
        "max_resolution": output["max_resolution"],
        "grants_required": full["capability"]["grants_required"],
    }


def execution_status(model: Model, obstacle: Unavailability | None) -> str:
    """Return whether the model runs here: executable, unavailable, or cataloged_not_wired."""
    if not model.is_wired:
        return CATALOGED.reason
    return "executable" if obstacle is None else "unavailable"


def grants_required(model: Model) -> list[str]:
    """Name the grants that a live run needs."""
    return [REQUIRED_GRANTS[model.operation]] if model.is_wired and model.operation else []


def parameter_schema(model: Model) -> CatalogRow:
    """Return the JSON Schema of model_parameters, each property marked executable or not."""
    schema: CatalogRow = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: dict(part) for name, part in model.parameters.items()},
    }
    if model.parameter_rules:
        schema["allOf"] = [_condition(model, rule) for rule in model.parameter_rules]
    return schema


def fixed_controls(model: Model) -> CatalogRow:
    """Return what is sent with every request, whatever the caller asks."""
    fixed = dict(model.call.fixed)
    if model.call.count_field and model.output.max_count == 1:
        fixed[model.call.count_field] = 1
    return fixed


def _identity(model: Model, *, obstacle: Unavailability | None, is_default: bool) -> CatalogRow:
    return {
        "id": model.id,
        "default": is_default,
        "display_name": model.display_name,
        "summary": model.summary,
        "provider_id": model.provider,
        "modality": model.modality,
        "status": "available" if obstacle is None else "unavailable",
        "availability_reason": obstacle and obstacle.reason,
        "availability_message": obstacle and obstacle.message,
        "supports": list(model.supports),
        "operations": list(model.operations),
        "capability_id": model.capability_id,
        "task_tags": list(model.task_tags),
        "aliases": list(model.aliases),
        "accepts_input_images": model.input_image is not None,
        "latency_class": model.latency_class,
        "show_command": f"image-skill models show {model.id} --json",
    }


def _prompt(model: Model) -> CatalogRow:
    rule = model.prompt
    if rule.use == "forbidden":
        return {"use": rule.use}
    return {"use": rule.use, "min_length": rule.min_length, "max_length": rule.max_length}


def _media_in(model: Model) -> CatalogRow:
    image, mask, references = model.input_image, model.mask, model.references
    return {
        "images": {"required": image is not None, "max": image.max if image else 0}
        | (_image_rule(image) if image else {}),
        "mask": {"supported": mask is not None, "required": bool(mask and mask.required)}
        | (_image_rule(mask) if mask else {}),
        "references": {
            "supported": references is not None,
            "required": False,
            "max": references.entry_limit if references else 0,
        }
        | (_references(model) if references else {}),
        "aspect_ratios": {"values": list(model.aspect_ratio.values)},
    }


def _image_rule(rule: ImageRule) -> CatalogRow:
    return {
        "mime_types": list(rule.mime_types),
        "max_bytes": rule.max_bytes,
        "min_edge": rule.min_edge,
        "min_aspect_ratio": rule.min_ratio,
        "max_aspect_ratio": rule.max_ratio,
    } | ({"meaning": rule.meaning} if rule.meaning else {})


def _references(model: Model) -> CatalogRow:
    rule = model.references
    assert rule is not None
    shape = {"roles": list(rule.roles), "max_indexes": rule.max_indexes, "tasks": list(rule.tasks)}
    if rule.kind == "elements":
        shape["max_element_references_per_index"] = rule.max_per_index
    if rule.meaning:
        shape["meaning"] = rule.meaning
    return shape | {"asset": _image_rule(inputs.REFERENCE_RULE)}


def _media_out(model: Model) -> CatalogRow:
    output = model.output
    can_choose = model.call.format_field is not None
    return {
        "max_outputs_per_request": output.max_count,
        "mime_types": list(output.mime_types),
        "formats": [
            FORMAT_BY_MIME_TYPE[kind] for kind in output.mime_types if kind in FORMAT_BY_MIME_TYPE
        ]
        if can_choose
        else [],
        "default_format": output.default_format,
        "max_resolution": output.max_resolution,
        "transparent_background": output.transparent_background,
    }


def _economics(model: Model, margin: Decimal) -> CatalogRow:
    cost = base_cost(model, margin=margin)
    credit_pricing = prices.cost_document(cost)["credit_pricing"]
    return {
        "estimated_usd_per_image": cost.estimated_usd,
        "cost_known": cost.estimated_usd is not None,
        "budget_required_for_live": cost.estimated_usd is None,
        "price": _price(model),
        "credit_pricing": credit_pricing,
    }


def base_cost(model: Model, *, margin: Decimal) -> Cost:
    """Price one output of a request that sets nothing but what it must."""
    ratio = DEFAULT_ASPECT_RATIO[model.operation or "create"]
    return prices.estimate(
        model,
        parameters={},
        size=sizes.planned_size(model, {}, aspect_ratio=ratio),
        output_count=1,
        images_in=0 if model.input_image is None else 1,
        margin=margin,
    )


def _price(model: Model) -> CatalogRow:
    """Tell the price rule, so that a caller can see what a parameter will cost."""
    rule = model.price.rule
    match rule:
        case ImagePrice():
            shape: CatalogRow = {
                "kind": "per_image",
                "usd": rule.usd,
                "usd_per_input": rule.input_usd,
            }
        case TierPrice():
            shape = {
                "kind": "tier",
                "parameter": rule.parameter,
                "usd": dict(rule.usd),
                "usd_per_input": rule.input_usd,
            }
        case MegapixelPrice():
            shape = {
                "kind": "per_megapixel",
                "usd": rule.usd,
                "pixels": prices.MEGAPIXEL,
                "rounds_up": rule.rounds_up,
            }
        case _:
            shape = {"kind": "output_tokens", "usd_per_million": dict(rule.usd_per_million)}
    return shape | {
        "quoted_before_the_run": model.price.is_quoted,
        "priced_from_usage": model.price.is_metered and not model.price.is_quoted,
    }


def _condition(model: Model, rule: ParameterRule) -> CatalogRow:
    """Write a rule between parameters as JSON Schema."""
    when = {} if rule.value is None else {"properties": {rule.parameter: {"const": rule.value}}}
    needed = [
        name
        for name, values in rule.needs.items()
        if model.parameters[name].get("default") not in values
    ]
    return {
        "if": {"required": [rule.parameter], **when},
        "then": {
            "properties": {name: {"enum": list(values)} for name, values in rule.needs.items()},
            "required": needed,
        },
    }
