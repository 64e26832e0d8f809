"""The admin of feedback reports."""

from django.contrib import admin
from unfold.decorators import display

from feedback.models import Report
from imageskill.lib.admin.bases import ReadOnlyAdmin


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """One report, in the agent's own words."""

    view_permission = "accounts.see_feedback"
    empty_text = "Feedback from agents appears here. Triage it in the Feedback inbox."
    copyable_fields = (
        "trace_id",
        "dedupe_key",
    )
    export_also = ("organization__public_id",)
    list_display = ("title_shown", "state", "severity", "type", "repeats", "agent", "created_at")
    list_filter = ("state", "severity")
    search_fields = ("public_id__exact", "dedupe_key__exact", "agent__public_id__exact")
    search_help_text = "sig_ or agt_ id, or dedupe key"
    list_select_related = ("agent",)
    fields = (
        "public_id",
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
        "agent",
        "created_at",
    )

    @display(description="report")
    def title_shown(self, report: Report) -> str:
        return str(report)
