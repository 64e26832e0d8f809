"""The endpoint of feedback."""

from typing import Any

from ninja import Router

from accounts import grants
from accounts.api.auth import bearer
from accounts.models import Agent
from feedback import intake
from feedback.schemas import ReportIn, ReportOut
from imageskill.lib.envelope import openapi_command
from imageskill.lib.errors import InvalidArguments
from imageskill.lib.http import ApiRequest

router = Router(auth=bearer, tags=["feedback"])


@router.post(
    "/v1/feedback",
    response=ReportOut,
    operation_id="create_feedback",
    openapi_extra=openapi_command("image-skill feedback create"),
    summary="Report what fails, confuses or is missing",
)
def create_feedback(request: ApiRequest, report: ReportIn) -> dict[str, Any]:
    """Accept a report; guidance on how to make it more useful comes in `warnings`."""
    agent: Agent = request.auth
    grants.require(agent, "feedback.create")
    if not report.title.strip() and not report.body.strip():
        raise InvalidArguments(
            "A report needs a title or a body.",
            details=[{"field": "title", "message": "title or body is required"}],
            recovery={"required_flags": ["--title", "--body"]},
        )
    accepted = intake.accept(agent=agent, fields=report.dict(exclude={"allow_weak_signal"}))
    if accepted.had_secrets:
        request.warnings.append("Something that looks like a token or key was redacted; rotate it.")
    if not (report.allow_weak_signal and accepted.quality.is_weak):
        request.warnings.extend(accepted.quality.guidance)
    report_row = accepted.report
    return {
        "feedback_id": report_row.public_id,
        "state": report_row.state,
        "duplicate_of": report_row.duplicate_of.public_id if report_row.duplicate_of else None,
        "weak_signal": report_row.is_weak,
        "quality": {"score": accepted.quality.score, "missing": accepted.quality.missing},
        "event_id": accepted.event.public_id,
    }
