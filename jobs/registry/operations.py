"""The two operations that make images, and what each of them means everywhere."""

from collections.abc import Mapping
from typing import Literal

Operation = Literal["create", "edit"]

REQUIRED_GRANTS: Mapping[Operation, str] = {"create": "image.create", "edit": "image.edit"}

DEFAULT_ASPECT_RATIO: Mapping[Operation, str] = {"create": "1:1", "edit": "auto"}
"""What a request without an aspect ratio gets."""

WIRE_NAMES: Mapping[Operation, str] = {"create": "image.generate", "edit": "image.edit"}
"""The names by which the catalog, jobs and providers speak of them."""
