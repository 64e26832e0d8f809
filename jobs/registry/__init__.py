"""The models, as data.

`rows/` holds one file for each model, `entry` says what may stand in it, and `ranking.json` says
which model is chosen when a caller names none.
"""

from jobs.registry.catalog import Registry, find, get, load, models, near_matches
from jobs.registry.entry import Model
from jobs.registry.loading import RegistryError

__all__ = ["Model", "Registry", "RegistryError", "find", "get", "load", "models", "near_matches"]
