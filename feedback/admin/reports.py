"""The admin of feedback reports."""

from django.contrib import admin
from unfold.decorators import display

from feedback.models import Report
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import copyable, display_datetime, object_link


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """One report, in the agent's own words."""

    view_permission = "accounts.see_feedback"
    empty_text = "Feedback from agents appears here. Triage it in the Feedback inbox."
    copyable_fields = (
        "trace_id",
        "dedupe_key",
    )
    export_fields = (
        "public_id",
        "created_at",
        "state",
        "type",
        "severity",
        "confidence",
        "title",
        "body",
        "command",
        "expected",
        "actual",
        "friction",
        "proof_needed",
        "strategic_reason",
        "surface",
        "source",
        "quality_score",
        "is_weak",
        "repeats",
        "duplicate_of__public_id",
        "organization__public_id",
        "agent__public_id",
        "trace_id",
    )
    list_display = ("title_shown", "state", "severity", "type", "repeats", "agent_shown", "at")
    list_filter = ("state", "severity")
    search_fields = ("public_id__exact", "dedupe_key__exact", "agent__public_id__exact")
    search_help_text = "sig_ or agt_ id, or dedupe key"
    list_select_related = ("agent",)
    fields = (
        "id_shown",
        "state",
        "type",
        "severity",
        "confidence",
        "title",
        "body",
        "command",
        "expected",
        "actual",
        "friction",
        "proof_needed",
        "strategic_reason",
        "surface",
        "evidence",
        "next_state",
        "dedupe_key",
        "source",
        "trace_id",
        "quality_score",
        "is_weak",
        "duplicate_of",
        "repeats",
        "agent_shown",
        "at",
    )
    readonly_fields = fields

    @display(description="report")
    def title_shown(self, report: Report) -> str:
        return str(report)

    @display(description="ID")
    def id_shown(self, report: Report) -> str:
        return copyable(report.public_id)

    @display(description="agent")
    def agent_shown(self, report: Report) -> str:
        return object_link(report.agent)

    @display(description="created")
    def at(self, report: Report) -> str:
        return display_datetime(report.created_at)
