"""The catalog by capability: what can be done, with which controls and grants. Pure."""

import difflib
from collections.abc import Iterable

from jobs.catalog import rows
from jobs.registry.catalog import SelectionPolicy


def build(model: rows.ModelRow) -> rows.CapabilityRow:
    """Return the capability of one model, from its row."""
    return {
        "id": model["capability_id"],
        "display_name": model["display_name"],
        "summary": model["summary"],
        "operation": model["operations"][0],
        "operations": model["operations"],
        "modality": model["modality"],
        "status": model["status"],
        "availability_reason": model["availability_reason"],
        "model_execution_status": model["execution"]["model_execution_status"],
        "default_model": model["id"],
        "models": [model["id"]],
        "selection_policy": None,
        "normalized_controls": _controls(model),
        "model_parameters": model["model_parameters"],
        "fixed_controls": model["fixed_controls"],
        "economics": model["economics"],
        "auth": _auth(model["capability"]["grants_required"]),
        "deprecation": model["migration"],
        "show_command": f"image-skill capabilities show {model['capability_id']} --json",
    }


def build_umbrella(
    models: Iterable[rows.ModelRow], policy: SelectionPolicy, *, capability_id: str
) -> rows.CapabilityRow:
    """Return the capability of a create whose model the policy chooses.

    Its controls and parameters are those of the model that a plain request gets now.
    """
    by_id = {model["id"]: model for model in models}
    default = next(model for model in by_id.values() if model["default"])
    return {
        **build(default),
        "id": capability_id,
        "display_name": "Create an image",
        "summary": "Creates an image with the strongest model available for intent and budget.",
        "models": [rank.model.id for rank in policy.ranking],
        "selection_policy": policy.id,
        "deprecation": None,
        "show_command": f"image-skill capabilities show {capability_id} --json",
    }


def near_matches(name: str, capabilities: Iterable[rows.CapabilityRow]) -> list[str]:
    """Return the ids closest to an unknown one."""
    ids = [capability["id"] for capability in capabilities]
    return difflib.get_close_matches(name.lower()[:200], ids, n=3, cutoff=0.5)


def _controls(model: rows.ModelRow) -> rows.ControlsOut:
    media_in, media_out = model["media"]["input"], model["media"]["output"]
    return {
        "prompt": model["prompt"],
        "aspect_ratio": {"values": model["aspect_ratios"]},
        "output_count": {"minimum": 1, "maximum": media_out["max_outputs_per_request"]},
        "output": {"formats": media_out["formats"], "default_format": media_out["default_format"]},
        "input_asset_id": media_in["images"],
        "mask_asset_id": media_in["mask"],
        "references": media_in["references"],
        "guards": ["max_estimated_usd_per_image", "max_usd", "accept_unknown_cost"],
    }


def _auth(grants: list[str]) -> rows.CapabilityAuthOut:
    return {"live": {"token": "required", "grants_required": grants}, "dry_run": {"token": "none"}}
