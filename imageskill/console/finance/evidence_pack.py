"""The evidence of a dispute from our records: receipt, usage, downloads and activity after it."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from django.conf import settings
from django.db.models import Prefetch, Sum

from accounts.models import ActivityEvent, Agent
from billing.models import PaymentReversal, Receipt
from billing.reversals import evidence
from imageskill.lib import amounts, clock
from jobs.models import Asset, DownloadDay, Job

_MAX_ROWS = 100
_OMITTED_NOTE = "… (further lines omitted)"


@dataclass(frozen=True, slots=True)
class EvidencePack:
    """The gathered parts as text, and the images that go with them."""

    parts: dict[str, str]
    assets: list[Asset]


def build(reversal: PaymentReversal) -> EvidencePack:
    """Return the parts of the evidence from our records; nothing is saved or sent."""
    receipt = reversal.receipt
    if receipt is None:
        return EvidencePack({"uncategorized_text": "There is no receipt for this charge."}, [])
    jobs = list(
        Job.objects.filter(
            organization_id=receipt.organization_id,
            status="completed",
            completed_at__gte=receipt.issued_at,
        )
        .exclude(operation=Job.Operation.UPLOAD)
        .prefetch_related(Prefetch("assets", Asset.objects.order_by("index")))
        .order_by("completed_at")[:_MAX_ROWS]
    )
    assets = [asset for job in jobs for asset in job.assets.all()]
    owner = receipt.organization.owner
    first = jobs[0].completed_at if jobs else None
    parts = {
        "product_description": (
            f"{_credits(receipt.credits)} (prepaid) for Image Skill, an image generation service. "
            f"Receipt {receipt.number} of {clock.iso(receipt.issued_at)}, "
            f"{amounts.format_amount(receipt.amount_cents, receipt.currency)}. "
            "Credits are granted at once and spent by the customer's agent."
        ),
        "customer_email_address": owner.email if owner else _contact(receipt),
        "service_date": f"{first:%Y-%m-%d}" if first else f"{receipt.issued_at:%Y-%m-%d}",
        "access_activity_log": _log(
            _usage_lines(jobs), _download_lines(assets), _activity_lines(receipt)
        ),
        "refund_policy_disclosure": (
            f"Unused credits are refunded on request within {settings.REFUND_WINDOW_DAYS} days."
        ),
    }
    return EvidencePack({name: text for name, text in parts.items() if text}, assets[:_MAX_ROWS])


def _contact(receipt: Receipt) -> str:
    agent = Agent.objects.filter(organization_id=receipt.organization_id).order_by("pk").first()
    return agent.contact if agent else ""


def _log(usage: list[str], downloads: list[str], activity: list[str]) -> str:
    """Join the lines, within Stripe's limit: half for usage, a quarter for each other kind."""
    half = evidence.MAX_CHARACTERS // 2
    shares = ((usage, half), (downloads, half // 2), (activity, half // 2))
    return "\n".join(line for lines, share in shares for line in _fit_lines(lines, share))


def _fit_lines(lines: list[str], most: int) -> list[str]:
    """Return as many whole lines as fit, with a note where some don't."""
    ends = list(accumulate(len(line) + 2 for line in lines))  # browsers send back "\r\n"
    if not ends or ends[-1] <= most:
        return lines
    fit = bisect_right(ends, most - len(_OMITTED_NOTE) - 2)
    return [*lines[:fit], _OMITTED_NOTE]


def _usage_lines(jobs: list[Job]) -> list[str]:
    """Return a line for each finished job: time, operation, cost, hashes of its images."""
    return [
        f"{clock.iso_or_none(job.completed_at)} {job.operation} {job.public_id}, "
        f"{_credits(job.credits_captured or 0)}, images "
        + ", ".join(f"{asset.public_id} sha256 {asset.sha256}" for asset in job.assets.all())
        for job in jobs
    ]


def _download_lines(assets: list[Asset]) -> list[str]:
    """Return how often these images were downloaded, in total and for each image and day."""
    days = DownloadDay.objects.filter(asset__in=assets)
    total = days.aggregate(total=Sum("count", default=0))["total"]
    if not total:
        return []
    return [f"These images were downloaded {_format_times(total)}. By day:"] + [
        f"{day.day} {day.asset.public_id} downloaded {_format_times(day.count)}, "
        f"last at {clock.iso(day.last_at)}"
        for day in days.select_related("asset").order_by("day", "asset_id")[:_MAX_ROWS]
    ]


def _credits(number: int) -> str:
    return "1 credit" if number == 1 else f"{number:,} credits"


def _format_times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _activity_lines(receipt: Receipt) -> list[str]:
    events = ActivityEvent.objects.filter(
        organization_id=receipt.organization_id, occurred_at__gte=receipt.issued_at
    ).order_by("pk")[:_MAX_ROWS]
    return [
        f"{clock.iso(event.occurred_at)} {event.type} {event.subject_id} {event.status}"
        for event in events
    ]
