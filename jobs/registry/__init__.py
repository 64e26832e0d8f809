"""The models, as data.

`rows/` holds one file each, `row.schema.json` their schema, `ranking.json` which of them are
chosen when a caller names none.
"""

from jobs.registry.catalog import Registry, find, get, load, models, near_matches
from jobs.registry.entry import Model
from jobs.registry.loading import RegistryError

__all__ = ["Model", "Registry", "RegistryError", "find", "get", "load", "models", "near_matches"]
