"""The vendors, by name: each folder beside this file is one, described in its `__init__`."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from jobs.providers.vendor import Vendor


def _vendors() -> Iterator[Vendor]:
    for folder in iter_modules([str(Path(__file__).parent)]):
        if folder.ispkg:
            vendor: Vendor = import_module(f"jobs.providers.{folder.name}").VENDOR
            yield vendor


VENDORS: Mapping[str, Vendor] = {vendor.name: vendor for vendor in _vendors()}
"""Each vendor by its name."""
