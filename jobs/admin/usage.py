"""What was charged and what was lost."""

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from imageskill.lib.admin.actions import ActionRefused, ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import copyable, display_datetime, object_link
from jobs.models import Loss, Usage
from jobs.running import staff_actions, unresolved_outputs


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    """One charge of a finished operation."""

    view_permission = "accounts.see_jobs"
    empty_text = "Each job that was charged leaves a row here."
    export_fields = (
        "public_id",
        "job__public_id",
        "organization__public_id",
        "agent__public_id",
        "credits",
        "preview_credits",
        "paid_credits",
        "provider_usd",
        "created_at",
    )
    list_display = ("id_shown", "job_shown", "credits", "paid_credits", "provider_usd", "created")
    search_fields = ("public_id__exact", "job__public_id__exact")
    search_help_text = "A usage_ or job_ id"
    list_select_related = ("job",)
    fields = (
        "id_shown",
        "job_shown",
        "credits",
        "preview_credits",
        "paid_credits",
        "provider_usd",
        "created",
    )
    readonly_fields = fields

    @display(description="usage id")
    def id_shown(self, usage: Usage) -> str:
        return copyable(usage.public_id)

    @display(description="job")
    def job_shown(self, usage: Usage) -> str:
        return object_link(usage.job)

    @display(description="at")
    def created(self, usage: Usage) -> str:
        return display_datetime(usage.created_at)


def _close_loss(loss: Loss, action_request: ActionRequest) -> str:
    try:
        unresolved_outputs.close_loss(
            loss=loss, user=action_request.user, reason=action_request.reason
        )
    except staff_actions.JobActionRefused as refusal:
        raise ActionRefused(str(refusal)) from refusal
    return "The case is closed."


class OpenLossFilter(SimpleListFilter):
    """Narrows to results given up whose case nobody has closed."""

    title = "case"
    parameter_name = "case"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Offer the open ones."""
        return [("open", "given up, not closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Loss]) -> QuerySet[Loss]:
        """Narrow where that was chosen."""
        return queryset & unresolved_outputs.open_losses() if self.value() == "open" else queryset


@admin.register(Loss)
class LossAdmin(ReadOnlyAdmin):
    """What a provider bills and nobody pays us for."""

    view_permission = "accounts.see_jobs"
    empty_text = (
        "What a provider bills and nobody pays us for would stand here: results "
        "that came too late or got lost."
    )
    export_fields = (
        "job__public_id",
        "reason",
        "usd",
        "created_at",
    )
    deeds = (
        StaffAction(
            name="close",
            label="Close the case",
            permission="accounts.job_repair",
            dry_run="accounts.job_dry_run",
            preview=lambda loss: (
                "The case leaves the orphans; your reason says what became of it.",
                (
                    f"{'An unknown number of' if loss.usd is None else loss.usd} USD stay in our "
                    "losses. No credit moves: the hold went back when the job ended."
                ),
            ),
            perform=_close_loss,
            is_open=lambda loss: loss.closed_at is None,
        ),
    )
    list_display = ("job_shown", "reason", "usd", "created", "closed")
    list_filter = ("reason", OpenLossFilter)
    list_select_related = ("job",)
    fields = ("job_shown", "reason", "usd", "created", "closed")
    readonly_fields = fields

    @display(description="job")
    def job_shown(self, loss: Loss) -> str:
        return object_link(loss.job)

    @display(description="at")
    def created(self, loss: Loss) -> str:
        return display_datetime(loss.created_at)

    @display(description="closed")
    def closed(self, loss: Loss) -> str:
        return display_datetime(loss.closed_at)
