"""The inbox of Stripe's events in the console."""

from django.contrib import admin
from unfold.decorators import display

from billing.admin import stripe_event_actions
from billing.models import StripeEvent
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.filters import DistinctValuesFilter
from imageskill.lib.admin.formatting import copyable, display_datetime


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    """One received event and what became of it."""

    object_actions = stripe_event_actions.EVENT_ACTIONS

    view_permission = "accounts.see_payments"
    empty_text = (
        "Stripe sends an event for each step of a payment; each stands here as "
        "soon as its webhook comes."
    )
    copyable_fields = (
        "object_id",
        "related_ids",
    )
    export_fields = (
        "event_id",
        "type",
        "object_id",
        "is_live_mode",
        "state",
        "outcome",
        "error",
        "attempts",
        "deliveries",
        "created_at",
        "received_at",
        "handled_at",
        "next_attempt_at",
    )
    list_display = ("type", "state", "object_id", "deliveries", "attempts", "outcome", "at")
    list_filter = ("state", ("type", DistinctValuesFilter))
    search_fields = ("event_id__exact", "object_id__exact", "related_ids__contains")
    search_help_text = (
        "evt_, or any id that its object has or names: cs_, pi_, ch_, re_, du_, payatt_"
    )
    fields = (
        "id_shown",
        "type",
        "state",
        "outcome",
        "error",
        "object_id",
        "related_ids",
        "is_live_mode",
        "deliveries",
        "attempts",
        "at",
        "handled",
        "next_attempt_at",
        "payload",
    )
    readonly_fields = fields

    @display(description="event id")
    def id_shown(self, event: StripeEvent) -> str:
        return copyable(event.event_id)

    @display(description="received")
    def at(self, event: StripeEvent) -> str:
        return display_datetime(event.received_at)

    @display(description="handled")
    def handled(self, event: StripeEvent) -> str:
        return display_datetime(event.handled_at)
