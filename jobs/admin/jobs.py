"""The admin of jobs: the timeline of each, and the actions on it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from imageskill.lib.admin.actions import StaffAction, can_preview, label_dry_run
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.day_filter import DayFilter
from imageskill.lib.admin.filters import DistinctValuesFilter, NonEmptyValuesFilter
from jobs.admin import job_actions
from jobs.admin.job_filters import JobIssueFilter
from jobs.models import Asset, Job
from jobs.running import timeline


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """One job, from hold to capture."""

    view_permission = "accounts.see_jobs"
    empty_text = "Jobs appear here when an agent's create, edit or upload is accepted."
    object_actions = job_actions.ACTIONS
    export_also = (
        "organization__public_id",
        "capability_id",
        "output_count",
        "sent_at",
        "started_at",
        "call_began_at",
        "submitted_at",
        "answered_at",
        "stored_at",
        "completed_at",
        "storage_failed_at",
    )
    list_display = (
        "public_id",
        "operation",
        "state",
        "model_id",
        "agent",
        "credits",
        "created_at",
    )
    list_filter = (
        "status",
        JobIssueFilter,
        "operation",
        ("error_code", NonEmptyValuesFilter),
        ("model_id", DistinctValuesFilter),
        ("created_at", DayFilter),
        ("completed_at", DayFilter),
    )
    search_fields = (
        "public_id__exact",
        "trace_id__exact",
        "provider_request_id__exact",
        "agent__public_id__exact",
        "organization__public_id__exact",
    )
    search_help_text = "job_, trace_, agt_ or org_ id, or the provider's request ID"
    list_select_related = ("agent",)
    change_form_before_template = "admin/jobs/job_before.html"
    fieldsets: ClassVar = (
        (
            "Job",
            {
                "fields": (
                    "public_id",
                    "operation",
                    "status",
                    "outcome_unknown_at",
                    "agent",
                    "trace_id",
                    "created_at",
                )
            },
        ),
        (
            "Provider",
            {
                "fields": (
                    "model_id",
                    "provider_id",
                    "provider_request_id",
                    "attempts",
                    "redeliveries",
                    "storage_attempts",
                    "deadline_at",
                )
            },
        ),
        (
            "Cost",
            {
                "fields": (
                    "credits_held",
                    "credits_captured",
                    "planned_usd",
                    "reported_usd",
                    "losses_shown",
                )
            },
        ),
        ("Error", {"fields": ("error_code", "error_class", "refusal", "error_message")}),
    )
    copyable_fields = ("trace_id", "provider_request_id")
    labels = {"outcome_unknown_at": "outcome unknown since"}

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load a job with what its page shows."""
        found = (
            self.get_queryset(request)
            .select_related("agent", "organization")
            .prefetch_related(
                Prefetch("assets", Asset.objects.select_related("verdict").order_by("index")),
                "losses",
            )
        )
        return found.filter(pk=object_id).first() if object_id.isdigit() else None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the timeline with the action that closes its gap, and the images."""
        job = self.get_object(request, object_id)
        steps = timeline.build(job) if job else []
        more = {
            "job": job,
            "steps": steps,
            "repair": next(
                (self._repair(request, job, step) for step in steps if step.is_gap), None
            ),
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def _repair(
        self, request: HttpRequest, job: Job, step: timeline.JobStep
    ) -> tuple[StaffAction, str] | None:
        """Return the action for a gap with its URL, where the user may at least preview it."""
        for action in self.object_actions:
            if action.name == step.repair and can_preview(action, request) and action.is_open(job):
                return label_dry_run(action, request), self.action_url(job, action)
        return None

    @display(
        description="status",
        label={
            "completed": "success",
            "failed": "danger",
            "running": "info",
            "storing": "info",
            "unknown": "warning",
        },
    )
    def state(self, job: Job) -> tuple[str, str]:
        if job.is_outcome_unknown:
            return "unknown", "Outcome unknown"
        return job.status, job.get_status_display()

    @display(description="credits")
    def credits(self, job: Job) -> str:
        if job.credits_captured is not None:
            return str(job.credits_captured)
        return "–" if job.is_final else f"{job.credits_held} authorized"

    @display(description="absorbed cost")
    def losses_shown(self, job: Job) -> str:
        losses = [
            f"{loss.get_reason_display()}: {job_actions.format_cost(loss.usd)}"
            for loss in job.losses.all()
        ]
        return "; ".join(losses) or "–"
