"""The registry as a whole: every model by each of its names, and the default choice."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jobs.registry.consistency import contradictions
from jobs.registry.entry import Model
from jobs.registry.loading import FOLDER, RegistryError, read_json, read_models
from jobs.registry.operations import Operation


@dataclass(frozen=True, kw_only=True)
class Tier:
    """The parameters of a default choice, for the intents of a class (or for any)."""

    parameters: Mapping[str, Any]
    intents: str | None = None


@dataclass(frozen=True, kw_only=True)
class RankedModel:
    """A model of the ranking, with its tiers from the highest."""

    model: Model
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, kw_only=True)
class SelectionPolicy:
    """How a model is chosen for an operation when the caller names none."""

    id: str
    ranking: tuple[RankedModel, ...]
    passes_by_unknown_cost: bool
    capability_id: str | None = None  # of the choice as a whole


@dataclass(frozen=True, kw_only=True)
class Registry:
    """All models, in the order of their ids."""

    models: tuple[Model, ...]
    by_name: Mapping[str, Model]
    policies: Mapping[Operation, SelectionPolicy]
    intent_classes: Mapping[str, frozenset[str]]

    def __hash__(self) -> int:
        return hash(self.models)


@lru_cache
def load() -> Registry:
    """Return the registry, read and checked once in a process. Raises `RegistryError`."""
    return build(read_models(), ranking=read_json(FOLDER / "ranking.json"))


def build(models: Iterable[Model], *, ranking: Mapping[str, Any]) -> Registry:
    """Return the registry of these models. Raises `RegistryError`."""
    every = tuple(models)
    for model in every:
        for contradiction in contradictions(model):
            raise RegistryError(f"{model.id}: {contradiction}.")
    by_id = {model.id: model for model in every}
    return Registry(
        models=every,
        by_name=_index_by_name(every),
        policies={
            operation: _policy(part, operation=operation, by_id=by_id)
            for operation, part in ranking["policies"].items()
        },
        intent_classes={
            name: frozenset(words) for name, words in ranking["intent_classes"].items()
        },
    )


def models() -> tuple[Model, ...]:
    """Return every model, cataloged ones included, in the order of their ids."""
    return load().models


def get(name: str) -> Model:
    """Return a model by id, alias or its id without the provider. Raises `KeyError`."""
    return load().by_name[name]


def find(name: str, *, provider: str | None = None) -> Model | None:
    """Return the model with that name, or with that name within the provider, or None."""
    names = load().by_name
    model = names.get(name) or (names.get(f"{provider}.{name}") if provider else None)
    return model or names.get(name.lower())


def near_matches(name: str, *, limit: int = 3) -> list[str]:
    """Return the ids of the models whose names are closest to an unknown one."""
    names = load().by_name
    close = difflib.get_close_matches(name.lower()[:200], names, n=limit * 2, cutoff=0.5)
    return list(dict.fromkeys(names[match].id for match in close))[:limit]


def _index_by_name(every: tuple[Model, ...]) -> dict[str, Model]:
    names: dict[str, Model] = {}
    for model in every:
        for name in {model.id, model.bare_name, *model.aliases}:
            if name == "default" or names.setdefault(name, model) is not model:
                raise RegistryError(f"{model.id}: the name {name} is taken.")
    return names


def _policy(
    part: Mapping[str, Any], *, operation: str, by_id: Mapping[str, Model]
) -> SelectionPolicy:
    ranks = []
    for rank in part["ranking"]:
        model = by_id.get(rank["model"])
        if model is None or not model.is_wired or model.operation != operation:
            raise RegistryError(f"ranking.json: {rank['model']} can't be chosen for {operation}.")
        tiers = tuple(Tier(**tier) for tier in rank.get("tiers", [{"parameters": {}}]))
        for tier in tiers:
            for name in set(tier.parameters) - set(model.executable_parameters):
                raise RegistryError(f"ranking.json: {model.id} takes no {name}.")
        ranks.append(RankedModel(model=model, tiers=tiers))
    return SelectionPolicy(
        id=part["id"],
        ranking=tuple(ranks),
        passes_by_unknown_cost=part["passes_by_unknown_cost"],
        capability_id=part.get("capability_id"),
    )
