"""The catalog as callers read it: rows, filters, one by name, and capabilities. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from imageskill.lib.errors import NotFound
from jobs import registry
from jobs.catalog import capability_rows, model_rows, rows
from jobs.planning import selection
from jobs.planning.selection import DEFAULT
from jobs.registry.entry import Model
from jobs.registry.unavailability import Availability

MAX_ACTIONABLE = 5
_FILTER_COMMANDS = {
    "available": "image-skill models list --available --json",
    "create": "image-skill models list --available --operation image.generate --json",
    "edit": "image-skill models list --available --operation image.edit --json",
    "catalog_only": "image-skill models list --catalog-only --json",
}


@dataclass(frozen=True, kw_only=True)
class CatalogFilters:
    """Which rows to list; None filters nothing."""

    available: bool | None = None
    executable: bool | None = None
    catalog_only: bool | None = None
    operation: str | None = None
    modality: str | None = None
    provider: str | None = None
    query: str | None = None
    details: bool = True


@lru_cache(maxsize=8)
def list_rows(availability: Availability, margin: Decimal) -> tuple[rows.ModelRow, ...]:
    """Return every row, what can run first; cached while the same models can run at that margin."""
    default = selection.default_model("create", availability)
    every = [
        model_rows.build(
            model,
            unavailability=availability.unavailability(model),
            is_default=model is default,
            margin=margin,
        )
        for model in registry.models()
    ]
    defaults = _defaults(availability).values()
    return tuple(sorted(every, key=lambda row: _place(row, defaults)))


def _place(row: rows.ModelRow, defaults: Collection[str]) -> tuple[bool, bool, bool]:
    """Return where a row stands: defaults, others that run, those that could, cataloged ones."""
    is_wired = row["execution"]["model_execution_status"] != "cataloged_not_wired"
    return (not is_wired, row["status"] != "available", row["id"] not in defaults)


def _defaults(availability: Availability) -> dict[str, str]:
    return {
        "create": selection.default_model("create", availability).id,
        "edit": selection.default_model("edit", availability).id,
    }


def list_models(
    filters: CatalogFilters, *, availability: Availability, margin: Decimal
) -> rows.ModelListOut:
    """Return the rows that the filters keep, whole or compact, and a summary."""
    every = list_rows(availability, margin)
    matches = [row for row in every if _matches(row, filters)]
    summary = _summary(every, matches, availability=availability)
    summary["left_out"] = _left_out(every, filters)
    if filters.details:
        return {"models": matches, "summary": summary}
    summary["result_shape"] = "compact_model_summary"
    return {"models": [model_rows.compact(row) for row in matches], "summary": summary}


def get_model(name: str, *, availability: Availability, margin: Decimal) -> rows.ModelRow:
    """Return the whole row of a model by id, alias or `default`. Raises `NotFound`."""
    if name == DEFAULT:
        model: Model | None = selection.default_model("create", availability)
    else:
        model = registry.find(name)
    if model is None:
        near = registry.near_matches(name)
        raise _not_found("model", near, listing="models list", show="models show")
    return next(row for row in list_rows(availability, margin) if row["id"] == model.id)


@lru_cache(maxsize=8)
def list_capabilities(
    availability: Availability, margin: Decimal
) -> tuple[rows.CapabilityRow, ...]:
    """Return every capability: the umbrella of create first, then one for each model."""
    every = list_rows(availability, margin)
    policy = registry.load().policies["create"]
    umbrella_id = policy.capability_id
    assert umbrella_id is not None, "the choice of create has a capability of its own"
    return (
        capability_rows.build_umbrella(every, policy, capability_id=umbrella_id),
        *(capability_rows.build(row) for row in every),
    )


def get_capability(name: str, *, availability: Availability, margin: Decimal) -> rows.CapabilityRow:
    """Return one capability by its id, or by any name of its model. Raises `NotFound`."""
    every = list_capabilities(availability, margin)
    model = registry.find(name)
    wanted = model.capability_id if model else name
    capability = next((row for row in every if row["id"] == wanted), None)
    if capability is None:
        near = capability_rows.near_matches(name, every)
        raise _not_found("capability", near, listing="capabilities list", show="capabilities show")
    return capability


def _matches(row: rows.ModelRow, filters: CatalogFilters) -> bool:
    status = row["execution"]["model_execution_status"]
    tests: Iterable[tuple[Any, Callable[[Any], bool]]] = (
        (filters.available, lambda wanted: (row["status"] == "available") is wanted),
        (filters.executable, lambda wanted: (status == "executable") is wanted),
        (filters.catalog_only, lambda wanted: (status == "cataloged_not_wired") is wanted),
        (filters.operation, lambda wanted: wanted in {*row["operations"], *row["supports"]}),
        (filters.modality, lambda wanted: wanted == row["modality"]),
        (filters.provider, lambda wanted: wanted == row["provider_id"]),
        (filters.query, lambda wanted: _matches_query(row, wanted)),
    )
    return all(test(wanted) for wanted, test in tests if wanted is not None)


def _matches_query(row: rows.ModelRow, query: str) -> bool:
    named = (row["id"], row["display_name"], row["summary"], row["capability_id"])
    terms = (*named, *row["task_tags"], *row["aliases"], *row["operations"], *_endpoints(row))
    text = " ".join(terms).lower()
    return all(word in text for word in query.lower().split())


def _endpoints(row: rows.ModelRow) -> tuple[str, ...]:
    """Return the provider, and its own name of the model, which callers know from its pages."""
    model = registry.find(row["id"])
    return (row["provider_id"], model.call.endpoint if model else "")


def _summary(
    every: Sequence[rows.ModelRow],
    matches: Sequence[rows.ModelRow],
    *,
    availability: Availability,
) -> rows.SummaryOut:
    states = Counter(row["execution"]["model_execution_status"] for row in every)
    providers = Counter(row["provider_id"] for row in every)
    can_run = Counter(row["provider_id"] for row in every if row["status"] == "available")
    return {
        "total": len(every),
        "returned": len(matches),
        "available": can_run.total(),
        "executable": states["executable"],
        "unavailable": states["unavailable"],
        "catalog_only": states["cataloged_not_wired"],
        "cataloged_not_wired": states["cataloged_not_wired"],
        "providers": {
            name: {"total": total, "available": can_run[name]}
            for name, total in sorted(providers.items())
        },
        "defaults": _defaults(availability),
        "first_actionable_model_ids": [
            row["id"] for row in matches if row["status"] == "available"
        ][:MAX_ACTIONABLE],
        "execution_availability": _execution_availability(matches, every),
        "left_out": None,
        "filter_commands": _FILTER_COMMANDS,
        "result_shape": "model_rows",
    }


def _execution_availability(
    matches: Sequence[rows.ModelRow], every: Sequence[rows.ModelRow]
) -> rows.ExecutionAvailabilityOut:
    """Say whether anything of a list can run, and which list has what can."""
    if any(row["status"] == "available" for row in matches):
        return {"status": "available", "message": None, "suggested_command": None}
    is_any = any(row["status"] == "available" for row in every)
    return {
        "status": "unavailable",
        "message": "No model of this list can run here now.",
        "suggested_command": _FILTER_COMMANDS["available"] if is_any else None,
    }


def _left_out(every: Sequence[rows.ModelRow], filters: CatalogFilters) -> rows.LeftOutOut | None:
    """Say how many cataloged rows a list that asked for none of them would have had."""
    if filters.catalog_only is not False:
        return None
    wanted = replace(filters, catalog_only=True)
    count = sum(_matches(row, wanted) for row in every)
    if not count:
        return None
    counted = "1 model is" if count == 1 else f"{count} models are"
    return {
        "count": count,
        "message": f"{counted} left out: known, but not wired to a provider here.",
        "suggested_command": _FILTER_COMMANDS["catalog_only"],
    }


def _not_found(what: str, near: list[str], *, listing: str, show: str) -> NotFound:
    hint = f" Near matches: {', '.join(near)}." if near else ""
    command = f"{show} {near[0]}" if near else listing
    return NotFound(
        f"There is no such {what}.{hint}",
        recovery={"suggested_command": f"image-skill {command} --json", "near_matches": near},
    )
