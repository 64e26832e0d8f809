"""The endpoint of feedback."""

from ninja import Router

from accounts import grants
from accounts.api.auth import bearer
from accounts.models import Agent
from feedback import intake
from feedback.schemas import QualityOut, ReportIn, ReportOut
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
def create_feedback(request: ApiRequest, report: ReportIn) -> ReportOut:
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
        request.warnings.append(
            "Something that looks like a token, key or personal data was removed. Rotate any token."
        )
    if not (report.allow_weak_signal and accepted.quality.is_weak):
        request.warnings.extend(accepted.quality.guidance)
    row, quality = accepted.report, accepted.quality
    return ReportOut(
        feedback_id=row.public_id,
        state=row.state,
        duplicate_of=row.duplicate_of.public_id if row.duplicate_of else None,
        weak_signal=row.is_weak,
        quality=QualityOut(score=quality.score, missing=list(quality.missing)),
        event_id=accepted.event.public_id,
    )
