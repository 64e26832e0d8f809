"""What the client tells the service beside the request, and the mode that turns it off."""

from collections.abc import Mapping
from typing import Any

from imageskill import __version__

VARIABLE = "IMAGE_SKILL_NO_TELEMETRY"
HEADER = "x-image-skill-telemetry"


def is_disabled(environment: Mapping[str, str]) -> bool:
    """Return whether the no-telemetry test mode is on."""
    return environment.get(VARIABLE, "").strip().lower() in {"1", "true", "yes", "on"}


def headers(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that tell the service which client calls, or that nothing be recorded."""
    if is_disabled(environment):
        return {HEADER: "off", "User-Agent": "image-skill"}
    return {"User-Agent": f"image-skill/{__version__}"}


def status(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return, for doctor, what is recorded and by whom."""
    return {
        "status": "test_mode_off" if is_disabled(environment) else "on",
        "recorded_by": "service",
        "client_reports": [] if is_disabled(environment) else ["client version", "command"],
        "variable": VARIABLE,
    }
