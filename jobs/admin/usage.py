"""The admin of usage and absorbed cost."""

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from imageskill.lib.admin.actions import ActionRefused, ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin
from jobs.admin import job_actions
from jobs.models import Loss, Usage
from jobs.running import staff_actions, unresolved_outputs


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    """The charge of one completed job."""

    view_permission = "accounts.see_jobs"
    empty_text = "Each charged job adds a row here."
    export_also = (
        "organization__public_id",
        "agent__public_id",
    )
    list_display = ("public_id", "job", "credits", "paid_credits", "provider_usd", "created_at")
    search_fields = ("public_id__exact", "job__public_id__exact")
    search_help_text = "usage_ or job_ id"
    list_select_related = ("job",)
    fields = (
        "public_id",
        "job",
        "credits",
        "preview_credits",
        "paid_credits",
        "provider_usd",
        "created_at",
    )


def _close_loss(loss: Loss, action_request: ActionRequest) -> str:
    try:
        unresolved_outputs.close_loss(
            loss=loss, user=action_request.user, reason=action_request.reason
        )
    except staff_actions.JobActionRefused as refusal:
        raise ActionRefused(str(refusal)) from refusal
    return "The case is resolved."


class OpenLossFilter(SimpleListFilter):
    """Narrows to failed storage whose case is not resolved."""

    title = "case"
    parameter_name = "case"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the one choice."""
        return [("open", "Not stored, open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Loss]) -> QuerySet[Loss]:
        """Narrow where that was chosen."""
        return queryset & unresolved_outputs.open_losses() if self.value() == "open" else queryset


@admin.register(Loss)
class LossAdmin(ReadOnlyAdmin):
    """What a provider bills for jobs that nobody is charged for."""

    view_permission = "accounts.see_jobs"
    empty_text = (
        "Provider costs that nobody is charged for appear here, such as output that came too late."
    )
    object_actions = (
        StaffAction(
            name="close",
            label="Resolve",
            permission="accounts.job_repair",
            dry_run="accounts.job_dry_run",
            preview=lambda loss: (
                "The case leaves Unresolved outputs, with your reason as its resolution.",
                f"The absorbed cost stays on record: {job_actions.format_cost(loss.usd)}.",
                "No credits move: the hold was released when the job ended.",
            ),
            perform=_close_loss,
            is_open=lambda loss: loss.closed_at is None,
        ),
    )
    list_display = ("job", "reason", "usd", "created_at", "closed_at")
    labels = {"closed_at": "resolved"}
    list_filter = ("reason", OpenLossFilter)
    list_select_related = ("job",)
    fields = ("job", "reason", "usd", "created_at", "closed_at")
