"""What to do after a create, an edit or a look at a job or an image. Never queries the database."""

from collections.abc import Sequence

from billing.purchases import purchase_hints
from billing.purchases.purchase_hints import CreditNeed
from jobs.api.answers import NextActionsOut
from jobs.models import Asset, Job


def after_job(
    job: Job, assets: Sequence[Asset], *, need: CreditNeed | None = None
) -> NextActionsOut:
    """Return what to do about a job and the first of its images."""
    out = NextActionsOut(
        wait_job=None if job.is_final else f"image-skill jobs wait {job.public_id} --json",
        inspect_job=f"image-skill jobs show {job.public_id} --json",
        inspect_asset=None,
        download_asset=None,
        iterate_edit=None,
        self_fund=purchase_hints.build_self_fund(need),
    )
    if assets:
        asset_id, extension = assets[0].public_id, assets[0].extension
        file = f"{asset_id}.{extension}"
        out.inspect_asset = f"image-skill assets show {asset_id} --json"
        out.download_asset = f"image-skill assets get {asset_id} --output {file} --json"
        out.iterate_edit = f"image-skill edit --input {asset_id} --prompt PROMPT --guide --json"
    return out


def after_plan(need: CreditNeed | None) -> NextActionsOut:
    """Return what to do after a dry run; who is unknown has no balance to fill."""
    if need is None:
        return NextActionsOut()
    return NextActionsOut(self_fund=purchase_hints.build_self_fund(need))


def recommended_quote_command(actions: NextActionsOut) -> str | None:
    """Return the command that quotes more credits, where they are needed soon."""
    fund = actions.self_fund
    return fund.quote_command if fund is not None and fund.recommended else None
