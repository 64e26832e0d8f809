"""The admin of claim requests: who they were sent to, and their outcome."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from accounts.claims import inboxes
from accounts.models import Claim
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_datetime, object_link

# Staff who act on agents see the whole address; everybody else sees it redacted.
FULL_ADDRESS_PERMISSION = "accounts.act_on_agents"


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    """One claim request, from the call that made it to the decision."""

    view_permission = "accounts.see_agents"
    empty_text = "Claim requests appear here when an agent names a contact email."
    export_also = (
        "withheld",
        "mailed_at",
    )
    list_display = (
        "public_id",
        "agent",
        "state",
        "mail",
        "address",
        "created_at",
        "expires_at",
        "decided_at",
    )
    list_filter = ("state", "withheld")
    search_fields = ("public_id__exact", "agent__public_id__exact", "recipient__address__iexact")
    search_help_text = "claim_ or agt_ id, or the email that the request was sent to"
    list_select_related = ("agent", "recipient")
    fields = (
        "public_id",
        "agent",
        "state",
        "address",
        "invited",
        "created_at",
        "mail",
        "mail_tried_at",
        "expires_at",
        "decided_at",
        "decider",
    )
    badges = {"state": {"accepted": "success", "reported": "danger", "requested": "info"}}
    labels = {"state": "status", "created_at": "requested", "mail_tried_at": "last mail attempt"}

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        """Show as much of the address as the permissions allow."""
        return _visible_fields(super().get_list_display(request), request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Show as much of the address as the permissions allow."""
        return _visible_fields(self.fields, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load a request with the people in it."""
        claims = self.get_queryset(request).select_related(
            "agent", "recipient", "invited_by", "decided_by"
        )
        return claims.filter(pk=object_id).first() if object_id.isdigit() else None

    @display(description="mail")
    def mail(self, claim: Claim) -> str:
        if claim.withheld:
            return f"Not sent: {claim.get_withheld_display()}"
        return display_datetime(claim.mailed_at) if claim.mailed_at else "Not sent"

    @display(description="sent to")
    def address(self, claim: Claim) -> str:
        return claim.recipient.address

    @display(description="sent to")
    def address_hint(self, claim: Claim) -> str:
        return inboxes.redact(claim.recipient.address)

    @display(description="requested by")
    def invited(self, claim: Claim) -> str:
        return object_link(claim.invited_by) if claim.invited_by else "Agent or staff"

    @display(description="decided by")
    def decider(self, claim: Claim) -> str:
        if claim.decided_by is None and claim.state in {
            Claim.State.DECLINED,
            Claim.State.REPORTED,
        }:
            return "Recipient of the link"
        return object_link(claim.decided_by)


def _visible_fields(names: Sequence[str], request: HttpRequest) -> Sequence[str]:
    if request.user.has_perm(FULL_ADDRESS_PERMISSION):
        return names
    return [{"address": "address_hint"}.get(name, name) for name in names]
