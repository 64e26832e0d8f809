"""The logs: activity, telemetry and audit, all read-only."""

from django.contrib import admin
from unfold.decorators import display

from accounts.models import ActivityEvent, AuditLine, TelemetryRow
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.filters import DistinctValuesFilter
from imageskill.lib.admin.formatting import copyable, display_datetime, object_link


@admin.register(ActivityEvent)
class ActivityEventAdmin(ReadOnlyAdmin):
    """The events that agents read."""

    view_permission = "accounts.see_agents"
    empty_text = "Events of agents, their jobs and their credits appear here."
    copyable_fields = ("subject_id",)
    export_fields = (
        "public_id",
        "occurred_at",
        "type",
        "summary",
        "operation",
        "status",
        "subject_type",
        "subject_id",
        "organization__public_id",
        "agent__public_id",
        "trace_id",
    )
    list_display = ("type", "summary", "subject_id", "status", "agent_shown", "at")
    list_filter = (("type", DistinctValuesFilter),)
    search_fields = ("public_id__exact", "agent__public_id__exact", "references__contains")
    search_help_text = "evt_ or agt_ id, or any id that an event refers to: trace_, job_, receipt_"
    list_select_related = ("agent",)
    fields = (
        "id_shown",
        "type",
        "summary",
        "status",
        "at",
        "agent_shown",
        "subject_id",
        "links",
        "cost",
        "details",
        "trace_shown",
    )
    readonly_fields = fields

    @display(description="ID")
    def id_shown(self, event: ActivityEvent) -> str:
        return copyable(event.public_id)

    @display(description="trace")
    def trace_shown(self, event: ActivityEvent) -> str:
        return copyable(event.trace_id)

    @display(description="agent")
    def agent_shown(self, event: ActivityEvent) -> str:
        return object_link(event.agent)

    @display(description="time")
    def at(self, event: ActivityEvent) -> str:
        return display_datetime(event.occurred_at)


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
    export_fields = (
        "at",
        "kind",
        "name",
        "endpoint",
        "client",
        "api_version",
        "actor_type",
        "actor_id",
        "capability",
        "provider",
        "status",
        "http_status",
        "exit_code",
        "duration_ms",
        "estimated_usd",
        "output_count",
        "error_code",
        "retry_state",
        "job_id",
        "trace_id",
    )
    list_display = ("name", "kind", "http_status", "error_code", "duration_ms", "actor_id", "when")
    search_fields = ("trace_id__exact", "actor_id__exact")
    search_help_text = "trace_ or agt_ id"

    @display(description="time")
    def when(self, row: TelemetryRow) -> str:
        return display_datetime(row.at)


@admin.register(AuditLine)
class AuditLineAdmin(ReadOnlyAdmin):
    """Who did what, when and why."""

    view_permission = "accounts.see_audit"
    empty_text = "Each change made by staff or sponsors appears here: who, what, when and why."
    copyable_fields = (
        "subject",
        "trace_id",
    )
    export_fields = (
        "at",
        "actor",
        "action",
        "subject",
        "reason",
        "trace_id",
    )
    list_display = ("action", "subject", "actor", "reason", "when")
    search_fields = ("subject__exact", "actor__iexact")
    list_filter = (("action", DistinctValuesFilter),)
    search_help_text = "ID or email"
    fields = ("when", "actor", "action", "subject", "reason", "before", "after", "trace_id")
    readonly_fields = fields

    @display(description="time")
    def when(self, line: AuditLine) -> str:
        return display_datetime(line.at)
