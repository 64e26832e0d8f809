"""What to do after reading events, as commands made of the ids that the events link."""

from collections.abc import Sequence

from accounts.api.schemas import ActivityNextOut, InspectFundsOut
from accounts.models import ActivityEvent

_METHODS = "image-skill credits methods --json"
_SELF_FUND = InspectFundsOut(
    purpose="inspect_funds",
    first_safe_command=_METHODS,
    inspect_methods_command=_METHODS,
    inspect_packs_command="image-skill credits packs list --json",
    quota_command="image-skill usage quota --json",
)


def after(events: Sequence[ActivityEvent]) -> ActivityNextOut:
    """Return what to do about the newest job and image among the events."""
    job_id = next((event.links["job_id"] for event in events if event.links.get("job_id")), None)
    asset_id = next(filter(None, map(_asset_id, events)), None)
    edit = f"image-skill edit --input {asset_id} --prompt PROMPT --guide --json"
    return ActivityNextOut(
        inspect_job=job_id and f"image-skill jobs show {job_id} --json",
        inspect_asset=asset_id and f"image-skill assets show {asset_id} --json",
        iterate_edit=edit if asset_id else None,
        self_fund=_SELF_FUND,
    )


def _asset_id(event: ActivityEvent) -> str | None:
    linked = event.links.get("asset_ids") or [event.links.get("asset_id")]
    return str(linked[0]) if linked[0] else None
