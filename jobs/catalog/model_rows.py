"""Models as the catalog shows them: the whole row, and the compact one without schemas. Pure."""

from decimal import Decimal
from typing import Any

from jobs.catalog import rows
from jobs.images.formats import MIME_TYPE_BY_OUTPUT_FORMAT
from jobs.planning import inputs, prices, sizes
from jobs.planning.prices import Cost
from jobs.registry.entry import ImageRule, Model, ParameterRule
from jobs.registry.operations import DEFAULT_ASPECT_RATIO, REQUIRED_GRANTS
from jobs.registry.prices import ImagePrice, MegapixelPrice, TierPrice
from jobs.registry.unavailability import Unavailability

KNOWN_INTENTS = ["explore", "draft", "final", "finalize", "product", "hero"]


def build(
    model: Model, *, unavailability: Unavailability | None, is_default: bool, margin: Decimal
) -> rows.ModelRow:
    """Return the row of a model: what it accepts, makes and costs, and whether it can run."""
    economics = _economics(model, margin)
    return {
        "id": model.id,
        "default": is_default,
        "display_name": model.display_name,
        "summary": model.summary,
        "provider_id": model.provider,
        "modality": model.modality,
        "status": "available" if unavailability is None else "unavailable",
        "availability_reason": None if unavailability is None else unavailability.reason,
        "availability_message": None if unavailability is None else unavailability.message,
        "supports": list(model.supports),
        "operations": list(model.operations),
        "capability_id": model.capability_id,
        "task_tags": list(model.task_tags),
        "aliases": list(model.aliases),
        "accepts_input_images": model.input_image is not None,
        "latency_class": model.latency_class,
        "show_command": f"image-skill models show {model.id} --json",
        "execution": {
            "model_execution_status": execution_status(model, unavailability),
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
        "safety": {
            "prompt_checked": model.prompt.use == "required",
            "provider_moderation": model.safety.provider_moderation,
        },
        "migration": _migration(model),
    }


def compact(full: rows.ModelRow) -> rows.CompactModelRow:
    """Return the flat row that leaves the parameter schemas out."""
    output, economics = full["media"]["output"], full["economics"]
    return {
        "id": full["id"],
        "default": full["default"],
        "display_name": full["display_name"],
        "summary": full["summary"],
        "provider_id": full["provider_id"],
        "modality": full["modality"],
        "status": full["status"],
        "availability_reason": full["availability_reason"],
        "supports": full["supports"],
        "operations": full["operations"],
        "capability_id": full["capability_id"],
        "task_tags": full["task_tags"],
        "aliases": full["aliases"],
        "accepts_input_images": full["accepts_input_images"],
        "aspect_ratios": full["aspect_ratios"],
        "estimated_usd_per_image": full["estimated_usd_per_image"],
        "credits_required": full["credits_required"],
        "latency_class": full["latency_class"],
        "show_command": full["show_command"],
        "model_execution_status": full["execution"]["model_execution_status"],
        "artifact_storage": full["execution"]["artifact_storage"],
        "pricing_confidence": economics["credit_pricing"]["pricing_confidence"],
        "cost_known": economics["cost_known"],
        "budget_required_for_live": economics["budget_required_for_live"],
        "max_outputs_per_request": output["max_outputs_per_request"],
        "max_resolution": output["max_resolution"],
        "grants_required": full["capability"]["grants_required"],
    }


def execution_status(model: Model, unavailability: Unavailability | None) -> rows.ExecutionStatus:
    """Return whether the model runs here."""
    if not model.is_wired:
        return "cataloged_not_wired"
    return "executable" if unavailability is None else "unavailable"


def grants_required(model: Model) -> list[str]:
    """Return the grants that a live run needs."""
    return [REQUIRED_GRANTS[model.operation]] if model.is_wired and model.operation else []


def parameter_schema(model: Model) -> rows.JsonSchema:
    """Return the JSON Schema of model_parameters, each property marked executable or not."""
    schema: rows.JsonSchema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: dict(part) for name, part in model.parameters.items()},
    }
    if model.parameter_rules:
        schema["allOf"] = [_condition(model, rule) for rule in model.parameter_rules]
    return schema


def fixed_controls(model: Model) -> dict[str, Any]:
    """Return what is sent with every request, whatever the caller sends."""
    fixed = dict(model.call.fixed)
    if model.call.count_field and model.output.max_count == 1:
        fixed[model.call.count_field] = 1
    return fixed


def base_cost(model: Model, *, margin: Decimal) -> Cost:
    """Return the cost of one output, for a request that sets only what it must."""
    ratio = DEFAULT_ASPECT_RATIO[model.operation or "create"]
    return prices.estimate(
        model,
        parameters={},
        size=sizes.planned_size(model, {}, aspect_ratio=ratio),
        output_count=1,
        images_in=0 if model.input_image is None else 1,
        margin=margin,
    )


def _prompt(model: Model) -> rows.PromptOut:
    rule = model.prompt
    if rule.use == "forbidden":
        return {"use": rule.use}
    return {"use": rule.use, "min_length": rule.min_length, "max_length": rule.max_length}


def _media_in(model: Model) -> rows.InputMediaOut:
    image, mask = model.input_image, model.mask
    return {
        "images": {
            "required": image is not None,
            "max": image.max if image else 0,
            **_image_rule(image),
        },
        "mask": {
            "supported": mask is not None,
            "required": bool(mask and mask.required),
            **_image_rule(mask),
        },
        "references": _references(model),
        "aspect_ratios": {"values": list(model.aspect_ratio.values)},
    }


def _image_rule(rule: ImageRule | None) -> rows.ImageRuleOut:
    if rule is None:
        return {}
    out: rows.ImageRuleOut = {
        "mime_types": list(rule.mime_types),
        "max_bytes": rule.max_bytes,
        "min_edge": rule.min_edge,
        "min_aspect_ratio": rule.min_ratio,
        "max_aspect_ratio": rule.max_ratio,
    }
    if rule.meaning:
        out["meaning"] = rule.meaning
    return out


def _references(model: Model) -> rows.ReferencesOut:
    rule = model.references
    if rule is None:
        return {"supported": False, "required": False, "max": 0}
    out: rows.ReferencesOut = {
        "supported": True,
        "required": False,
        "max": rule.entry_limit,
        "roles": list(rule.roles),
        "max_indexes": rule.max_indexes,
        "tasks": list(rule.tasks),
        "asset": _image_rule(inputs.REFERENCE_RULE),
    }
    if rule.kind == "elements":
        out["max_element_references_per_index"] = rule.max_per_index
    if rule.meaning:
        out["meaning"] = rule.meaning
    return out


def _media_out(model: Model) -> rows.OutputMediaOut:
    output = model.output
    can_choose = model.call.format_field is not None
    return {
        "max_outputs_per_request": output.max_count,
        "mime_types": list(output.mime_types),
        "formats": _formats(output.mime_types) if can_choose else [],
        "default_format": output.default_format,
        "max_resolution": output.max_resolution,
        "transparent_background": output.transparent_background,
    }


def _formats(mime_types: tuple[str, ...]) -> list[str]:
    names = {mime_type: name for name, mime_type in MIME_TYPE_BY_OUTPUT_FORMAT.items()}
    return [names[mime_type] for mime_type in mime_types if mime_type in names]


def _economics(model: Model, margin: Decimal) -> rows.EconomicsOut:
    cost = base_cost(model, margin=margin)
    return {
        "estimated_usd_per_image": cost.estimated_usd,
        "cost_known": cost.estimated_usd is not None,
        "budget_required_for_live": cost.estimated_usd is None,
        "price": _price(model),
        "credit_pricing": prices.cost_document(cost, names_vendor=True)["credit_pricing"],
    }


def _price(model: Model) -> rows.PriceOut:
    """Return the price rule, from which a caller can tell what a parameter costs."""
    rule = model.price.rule
    out: rows.PriceOut = {
        "kind": "output_tokens",
        "quoted_before_the_run": model.price.is_quoted,
        "priced_from_usage": model.price.is_metered and not model.price.is_quoted,
    }
    match rule:
        case ImagePrice():
            out |= {"kind": "per_image", "usd": rule.usd, "usd_per_input": rule.input_usd}
        case TierPrice():
            out |= {"kind": "tier", "parameter": rule.parameter, "usd": dict(rule.usd)}
            out["usd_per_input"] = rule.input_usd
        case MegapixelPrice():
            out |= {"kind": "per_megapixel", "usd": rule.usd, "rounds_up": rule.rounds_up}
            out["pixels"] = prices.MEGAPIXEL
        case _:
            out["usd_per_million"] = dict(rule.usd_per_million)
    return out


def _migration(model: Model) -> rows.MigrationOut | None:
    plan = model.migration
    out: rows.MigrationOut = {}
    if plan.replacement:
        out["replacement"] = plan.replacement
    if plan.retires_on:
        out["retires_on"] = plan.retires_on.isoformat()
    return out or None


def _condition(model: Model, rule: ParameterRule) -> rows.JsonSchema:
    """Return a rule between parameters as JSON Schema."""
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
