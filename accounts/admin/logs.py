"""The logs: activity, telemetry and audit, all read-only."""

from django.contrib import admin

from accounts.models import ActivityEvent, AuditLine, TelemetryRow
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.filters import DistinctValuesFilter


@admin.register(ActivityEvent)
class ActivityEventAdmin(ReadOnlyAdmin):
    """The events that agents read."""

    view_permission = "accounts.see_agents"
    empty_text = "Events of agents, their jobs and their credits appear here."
    copyable_fields = ("subject_id", "trace_id")
    labels = {"occurred_at": "time"}
    export_also = (
        "operation",
        "subject_type",
        "organization__public_id",
    )
    list_display = ("type", "summary", "subject_id", "status", "agent", "occurred_at")
    list_filter = (("type", DistinctValuesFilter),)
    search_fields = ("public_id__exact", "agent__public_id__exact", "references__contains")
    search_help_text = "evt_ or agt_ id, or any id that an event refers to: trace_, job_, receipt_"
    list_select_related = ("agent",)
    fields = (
        "public_id",
        "type",
        "summary",
        "status",
        "occurred_at",
        "agent",
        "subject_id",
        "links",
        "cost",
        "details",
        "trace_id",
    )


@admin.register(TelemetryRow)
class TelemetryRowAdmin(ReadOnlyAdmin):
    """Outcome and duration of calls and jobs."""

    view_permission = "accounts.see_telemetry"
    empty_text = "Each call and each job adds a row here within seconds; old rows expire."
    copyable_fields = (
        "trace_id",
        "actor_id",
        "job_id",
    )
    export_also = (
        "endpoint",
        "client",
        "api_version",
        "actor_type",
        "capability",
        "provider",
        "status",
        "exit_code",
        "estimated_usd",
        "output_count",
        "retry_state",
        "job_id",
        "trace_id",
    )
    list_display = ("name", "kind", "http_status", "error_code", "duration_ms", "actor_id", "at")
    labels = {"at": "time"}
    search_fields = ("trace_id__exact", "actor_id__exact")
    search_help_text = "trace_ or agt_ id"


@admin.register(AuditLine)
class AuditLineAdmin(ReadOnlyAdmin):
    """Who did what, when and why."""

    view_permission = "accounts.see_audit"
    empty_text = "Each change made by staff or sponsors appears here: who, what, when and why."
    copyable_fields = (
        "subject",
        "trace_id",
    )
    list_display = ("action", "subject", "actor", "reason", "at")
    labels = {"at": "time"}
    search_fields = ("subject__exact", "actor__iexact")
    list_filter = (("action", DistinctValuesFilter),)
    search_help_text = "ID or email"
    fields = ("at", "actor", "action", "subject", "reason", "before", "after", "trace_id")
