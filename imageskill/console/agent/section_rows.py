"""The rows of the agent page, each as it is now or was at a past moment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from accounts.claims import inboxes
from accounts.models import Claim, Token
from billing.ledger import history as past_credits
from billing.models import Lot, Receipt
from feedback import history as past_reports
from feedback.models import Report
from jobs import states
from jobs.models import Job
from jobs.running import history as past_jobs


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job and its status."""

    job: Job
    status: str
    error_code: str
    credits: str


@dataclass(frozen=True, slots=True)
class LotRow:
    """A credit grant, what remains of it (None: not known), and the URL of its receipt."""

    lot: Lot
    left: int | None
    url: str


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report and its status (None: not known)."""

    report: Report
    state: str | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token, whether it is revoked, and its last use; `used_since` hides an earlier one."""

    token: Token
    is_ended: bool
    last_used_at: datetime | None
    used_since: bool


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim request, its recipient, and its steps, each with its time if it has one."""

    claim: Claim
    address: str
    steps: list[tuple[str, datetime | None]]


def jobs(rows: Iterable[Job], at: datetime | None) -> list[JobRow]:
    """Return each job's status."""
    return [_job(job, at) for job in rows]


def lots(rows: Sequence[Lot], receipts: Mapping[str, str], at: datetime | None) -> list[LotRow]:
    """Return what remains of each credit grant; `receipts` has receipts' URLs by reference."""
    then = past_credits.remaining_at(rows, at=at) if at else {lot.pk: lot.left for lot in rows}
    return [
        LotRow(lot, None if then is None else then[lot.pk], receipts.get(lot.reference, ""))
        for lot in rows
    ]


def receipt_urls(receipts: Iterable[Receipt]) -> dict[str, str]:
    """Return each receipt's URL by its public id."""
    return {
        one.public_id: reverse("admin:billing_receipt_change", args=[one.pk]) for one in receipts
    }


def reports(rows: Sequence[Report], at: datetime | None) -> list[ReportRow]:
    """Return each report's status."""
    states = past_reports.states_at(rows, at=at) if at else {row.pk: str(row.state) for row in rows}
    labels = {str(value): str(label) for value, label in Report.State.choices}
    return [ReportRow(row, labels.get(states[row.pk] or "")) for row in rows]


def tokens(rows: Iterable[Token], at: datetime | None) -> list[TokenRow]:
    """Return whether each token is revoked, and its last use."""
    return [_token(token, at) for token in rows]


def claims(
    rows: Iterable[Claim], at: datetime | None, *, with_address: bool, now: datetime
) -> list[ClaimRow]:
    """Return each claim request's steps up to the moment."""
    return [
        ClaimRow(
            claim,
            claim.recipient.address if with_address else inboxes.redact(claim.recipient.address),
            list(_claim_steps(claim, at or now)),
        )
        for claim in rows
    ]


_STATUS_LABELS = dict(states.CHOICES)


def _job(job: Job, at: datetime | None) -> JobRow:
    if at:
        then = past_jobs.job_at(job, at=at)
        status, error, captured = then.status, then.error_code, then.credits_captured
        is_over = job.completed_at is not None and job.completed_at <= at
    else:
        status, error, captured = job.status, job.error_code, job.credits_captured
        is_over = job.is_final
    held = f"{job.credits_held} authorized" if job.credits_held and not is_over else "–"
    return JobRow(
        job, _STATUS_LABELS.get(status, status), error, held if captured is None else str(captured)
    )


def _token(token: Token, at: datetime | None) -> TokenRow:
    used = token.last_used_at
    if at is None:
        return TokenRow(token, not token.is_active, used, used_since=False)
    used_since = used is not None and used > at
    is_ended = token.revoked_at is not None and token.revoked_at <= at
    return TokenRow(token, is_ended, None if used_since else used, used_since)


def _claim_steps(claim: Claim, until: datetime) -> Iterator[tuple[str, datetime | None]]:
    is_decided = claim.decided_at is not None and claim.decided_at <= until
    if claim.withheld:
        yield f"mail not sent: {claim.get_withheld_display().lower()}", None
    elif claim.mailed_at is not None and claim.mailed_at <= until:
        yield "mailed", claim.mailed_at
    else:
        yield "not mailed" if is_decided else "mail pending", None
    if not is_decided:
        yield "expired" if claim.expires_at <= until else "expires", claim.expires_at
        return
    by = f" by {claim.decided_by}" if claim.decided_by else ""
    yield f"{claim.get_state_display().lower()}{by}", claim.decided_at
