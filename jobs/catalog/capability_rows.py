"""The same catalog by capability: what can be done, with which controls and grants. Pure."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from jobs.registry.catalog import SelectionPolicy

CatalogRow = dict[str, Any]


def build(model: Mapping[str, Any]) -> CatalogRow:
    """Make the capability of one model, from its row."""
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


def build_umbrella(models: Iterable[Mapping[str, Any]], policy: SelectionPolicy) -> CatalogRow:
    """Make the capability that stands for create when the caller leaves the choice to us.

    Its controls and parameters are those of the model that a plain request gets now.
    """
    by_id = {model["id"]: model for model in models}
    default = next(model for model in by_id.values() if model["default"])
    return {
        **build(default),
        "id": policy.capability_id,
        "display_name": "Create an image",
        "summary": "Creates an image with the strongest model available for intent and budget.",
        "models": [rank.model.id for rank in policy.ranking],
        "selection_policy": policy.id,
        "deprecation": None,
        "show_command": f"image-skill capabilities show {policy.capability_id} --json",
    }


def near_matches(name: str, capabilities: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the capabilities whose ids are closest to one that nobody has."""
    ids = [capability["id"] for capability in capabilities]
    return difflib.get_close_matches(name.lower()[:200], ids, n=3, cutoff=0.5)


def _controls(model: Mapping[str, Any]) -> CatalogRow:
    """Return what the request's own fields, the same for every model, may hold here."""
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


def _auth(grants: list[str]) -> CatalogRow:
    return {"live": {"token": "required", "grants_required": grants}, "dry_run": {"token": "none"}}
