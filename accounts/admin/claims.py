"""The admin of claim requests: who they were sent to, and their outcome."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from accounts.claims import inboxes
from accounts.models import Claim
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import copyable, display_datetime, object_link

# Staff who act on agents see the whole address; everybody else sees it redacted.
FULL_ADDRESS_PERMISSION = "accounts.act_on_agents"


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    """One claim request, from the call that made it to the decision."""

    view_permission = "accounts.see_agents"
    empty_text = "Claim requests appear here when an agent names a contact email."
    export_fields = (
        "public_id",
        "agent__public_id",
        "state",
        "withheld",
        "created_at",
        "mailed_at",
        "expires_at",
        "decided_at",
    )
    list_display = (
        "id_shown",
        "agent_shown",
        "standing",
        "mail",
        "address",
        "asked",
        "expires",
        "decided",
    )
    list_filter = ("state", "withheld")
    search_fields = ("public_id__exact", "agent__public_id__exact", "recipient__address__iexact")
    search_help_text = "claim_ or agt_ id, or the email that the request was sent to"
    list_select_related = ("agent", "recipient")
    fields = (
        "id_shown",
        "agent_shown",
        "state",
        "address",
        "invited",
        "asked",
        "mail",
        "tried",
        "expires",
        "decided",
        "decider",
    )
    readonly_fields: ClassVar = (*fields, "address_hint")

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        """Show as much of the address as the permissions allow."""
        return _visible_fields(self.list_display, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Show as much of the address as the permissions allow."""
        return _visible_fields(self.fields, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Load a request with the people in it."""
        claims = self.get_queryset(request).select_related(
            "agent", "recipient", "invited_by", "decided_by"
        )
        return claims.filter(pk=object_id).first() if object_id.isdigit() else None

    @display(description="ID")
    def id_shown(self, claim: Claim) -> str:
        return copyable(claim.public_id)

    @display(description="agent")
    def agent_shown(self, claim: Claim) -> str:
        return object_link(claim.agent)

    @display(
        description="status",
        label={"accepted": "success", "reported": "danger", "requested": "info"},
    )
    def standing(self, claim: Claim) -> tuple[str, str]:
        return claim.state, claim.get_state_display()

    @display(description="mail")
    def mail(self, claim: Claim) -> str:
        if claim.withheld:
            return f"Not sent: {claim.get_withheld_display()}"
        return display_datetime(claim.mailed_at) if claim.mailed_at else "Not sent"

    @display(description="last mail attempt")
    def tried(self, claim: Claim) -> str:
        return display_datetime(claim.mail_tried_at)

    @display(description="sent to")
    def address(self, claim: Claim) -> str:
        return claim.recipient.address

    @display(description="sent to")
    def address_hint(self, claim: Claim) -> str:
        return inboxes.redact(claim.recipient.address)

    @display(description="requested by")
    def invited(self, claim: Claim) -> str:
        return object_link(claim.invited_by) if claim.invited_by else "Agent or staff"

    @display(description="requested")
    def asked(self, claim: Claim) -> str:
        return display_datetime(claim.created_at)

    @display(description="expires")
    def expires(self, claim: Claim) -> str:
        return display_datetime(claim.expires_at)

    @display(description="decided")
    def decided(self, claim: Claim) -> str:
        return display_datetime(claim.decided_at)

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
