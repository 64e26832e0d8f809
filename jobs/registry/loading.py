"""Read the registry's files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jobs.registry.entry import Model, Presets

FOLDER = Path(__file__).parent


class RegistryError(Exception):
    """The registry's files are wrong; the message says which and where."""


def read_models(folder: Path = FOLDER / "rows") -> list[Model]:
    """Return every model, in the order of their ids.

    Raises `RegistryError` for a row that breaks its schema or has the name of another file.
    """
    presets = read_presets()
    models = []
    for path in folder.glob("*/*.json"):
        model = _build(path.read_text(encoding="utf-8"), name=path.name, presets=presets)
        if (model.provider, model.id) != (path.parent.name, f"{path.parent.name}.{path.stem}"):
            raise RegistryError(f"{path.name}: holds {model.id}, which is not its name.")
        models.append(model)
    return sorted(models, key=lambda model: model.id)


def build_model(row: Mapping[str, Any]) -> Model:
    """Return the model of a row. Raises `RegistryError`."""
    return _build(json.dumps(row), name=str(row.get("id")), presets=read_presets())


def read_presets() -> Presets:
    """Return the tables of named sizes."""
    return {
        table: {name: (width, height) for name, (width, height) in sizes.items()}
        for table, sizes in read_json(FOLDER / "size_presets.json").items()
    }


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _build(text: str, *, name: str, presets: Presets) -> Model:
    try:
        return Model.model_validate_json(text, context=presets)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise RegistryError(f"{name}: {where}: {problem['msg']}") from error
