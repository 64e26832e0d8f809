"""The vendors, in one table. A new one is a folder, a line here, and a line in settings."""

from collections.abc import Mapping

from jobs.providers.fal.vendor import VENDOR as FAL
from jobs.providers.local.vendor import VENDOR as LOCAL
from jobs.providers.openai.vendor import VENDOR as OPENAI
from jobs.providers.vendor import Vendor
from jobs.providers.xai.vendor import VENDOR as XAI

VENDORS: Mapping[str, Vendor] = {vendor.name: vendor for vendor in (LOCAL, FAL, OPENAI, XAI)}
"""Each vendor by its name."""
