"""The timeline on the pages of a payment: of its quote, its attempts, its receipt."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from billing.models import LotPart, Quote
from billing.purchases import payment_timeline
from billing.purchases.payment_timeline import (
    MAX_PER_KIND,
    PaymentStep,
    PaymentTimeline,
    TruncatedList,
)
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import copyable_link, display_datetime, list_link


class TimelineAdmin(ReadOnlyAdmin):
    """A model that is about one quote's payment, with the whole of it on its page."""

    change_form_after_template = "admin/billing/timeline.html"

    def get_quote(self, thing: Any) -> Quote:
        """Return the quote whose payment the page is about."""
        quote: Quote = thing.quote
        return quote

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the payment's timeline."""
        thing = self.get_object(request, object_id)
        timeline = payment_timeline.build(self.get_quote(thing)) if thing else None
        shown = _timeline_context(timeline, sees_jobs=request.user.has_perm("accounts.see_jobs"))
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **shown, "timeline": timeline}
        )


def _timeline_context(timeline: PaymentTimeline | None, *, sees_jobs: bool) -> dict[str, Any]:
    if timeline is None:
        return {}
    return {
        "rows": [
            (display_datetime(step.at), step, _step_link(step, sees_jobs=sees_jobs))
            for step in timeline.steps
        ],
        "raw_events": [copyable_link(event) for event in timeline.events],
        "left_out": [_truncation_notice(truncated) for truncated in timeline.left_out],
    }


def _step_link(step: PaymentStep, *, sees_jobs: bool) -> SafeString | str:
    if not step.job_id:
        return copyable_link(step.about)
    return job_link(step.job_id) if sees_jobs else step.job_id


def job_link(job_id: str) -> SafeString:
    """Link to a job by its public id; what lies above billing is known by address alone."""
    url = reverse("admin:jobs_job_changelist", query={"q": job_id})
    return format_html('<a href="{}">{}</a>', url, job_id)


def _truncation_notice(left_out: TruncatedList) -> SafeString:
    """Return a note for each model that has more rows than the page shows, with a link to all."""
    kind = left_out.model._meta.verbose_name_plural
    every = list_link(left_out.model, "show all", **left_out.filters)
    return format_html("The first {} {} are shown: {}.", MAX_PER_KIND, kind, every)


@admin.register(LotPart)
class LotPartAdmin(ReadOnlyAdmin):
    """What jobs and reversals consumed of a credit grant."""

    view_permission = "accounts.see_payments"
    empty_text = "Consumption appears here once jobs or refunds draw on purchased credits."
    export_fields = ("id", "lot__reference", "reference", "taken", "returned")
    list_display = ("reference_shown", "taken", "returned", "lot__reference")
    copyable_fields = ("lot__reference",)
    labels = {"lot__reference": "credit grant"}
    search_fields = ("reference__exact",)
    search_help_text = "A job_ or payment_reversal_ id"
    list_select_related = ("lot",)
    fields = list_display

    @display(description="job or reversal")
    def reference_shown(self, part: LotPart) -> SafeString | str:
        return job_link(part.reference) if part.reference.startswith("job_") else part.reference
