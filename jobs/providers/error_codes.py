"""Codes fit for logs and staff: a provider's own, as long as they are codes and not prose."""

import re
from typing import Any

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")


def safe_code(value: Any) -> str:
    """Return a provider's code in lower case, or an empty text where it may be prose."""
    return value.lower() if isinstance(value, str) and _CODE.fullmatch(value) else ""
