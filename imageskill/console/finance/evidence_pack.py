"""The evidence of a dispute from our records: receipt, usage, downloads and activity after it."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate

from django.conf import settings
from django.db.models import Prefetch, Sum

from accounts.models import ActivityEvent, Agent
from billing.models import PaymentReversal, Receipt
from billing.reversals import evidence
from imageskill.lib import amounts
from jobs.models import Asset, DownloadDay, Job

_MAX_ROWS = 100
_VERBS = {"create": "generated", "edit": "edited"}
_ACTIVITIES = {
    "credits.payment_backed_granted": "the purchased credits were added to the customer's account",
    "credits.payment_backed_refunded": "a refund was paid to the customer",
    "asset.uploaded": "the customer uploaded an image to edit",
    "feedback.created": "the customer sent us a message",
}
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
        "product_description": _letter(receipt, jobs, assets),
        "customer_email_address": owner.email if owner else _contact(receipt),
        "service_date": _date(first or receipt.issued_at),
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


def _letter(receipt: Receipt, jobs: list[Job], assets: list[Asset]) -> str:
    """Describe the purchase and its use in sentences, for somebody at a bank who knows neither."""
    price = amounts.format_amount(receipt.amount_cents, receipt.currency)
    paragraphs = [
        "To the reviewer of this dispute,",
        (
            "Image Skill sells prepaid credits for generating and editing images. On "
            f"{_date(receipt.issued_at)}, the customer bought {_credits(receipt.credits)} for "
            f"{price} (receipt {receipt.number}). The credits were available immediately."
        ),
        _usage_summary(jobs, assets),
        "The access log lists each use with its date and time.",
    ]
    return "\n\n".join(paragraphs)


def _usage_summary(jobs: list[Job], assets: list[Asset]) -> str:
    if not jobs:
        return "The customer has not used them so far; they remain available to the customer."
    spent = _credits(sum(job.credits_captured or 0 for job in jobs))
    total = _total_downloads(assets)
    downloads = f" The images were downloaded {_format_times(total)}." if total else ""
    return (
        f"After the purchase, from {_moment(jobs[0].completed_at)} to "
        f"{_moment(jobs[-1].completed_at)}, the customer received {_images(len(assets))} and "
        f"spent {spent}.{downloads} The attached file shows images that were delivered."
    )


def _usage_lines(jobs: list[Job]) -> list[str]:
    """Return a line for each finished job: when, what the customer received, what it cost."""
    return [
        f"{_moment(job.completed_at)}: {_images(len(job.assets.all()))} "
        f"{_VERBS.get(job.operation, 'delivered')} and delivered, "
        f"{_credits(job.credits_captured or 0)} spent (order {job.public_id})"
        for job in jobs
    ]


def _download_lines(assets: list[Asset]) -> list[str]:
    """Return how often these images were downloaded, in total and for each image and day."""
    total = _total_downloads(assets)
    if not total:
        return []
    days = DownloadDay.objects.filter(asset__in=assets).select_related("asset")
    return [f"These images were downloaded {_format_times(total)}. By day:"] + [
        f"{_date(day.day)}: image {day.asset.public_id} downloaded {_format_times(day.count)}, "
        f"last on {_moment(day.last_at)}"
        for day in days.order_by("day", "asset_id")[:_MAX_ROWS]
    ]


def _total_downloads(assets: list[Asset]) -> int:
    days = DownloadDay.objects.filter(asset__in=assets)
    return int(days.aggregate(total=Sum("count", default=0))["total"])


def _activity_lines(receipt: Receipt) -> list[str]:
    """Return what else the customer did; events that mean nothing to a bank are left out."""
    events = ActivityEvent.objects.filter(
        organization_id=receipt.organization_id,
        occurred_at__gte=receipt.issued_at,
        type__in=_ACTIVITIES,
    ).order_by("pk")[:_MAX_ROWS]
    return [f"{_moment(event.occurred_at)}: {_ACTIVITIES[event.type]}" for event in events]


def _date(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _moment(at: datetime | None) -> str:
    return f"{_date(at)}, {at:%H:%M} UTC" if at else "an unknown time"


def _credits(number: int) -> str:
    return "1 credit" if number == 1 else f"{number:,} credits"


def _images(number: int) -> str:
    return "1 image" if number == 1 else f"{number:,} images"


def _format_times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
