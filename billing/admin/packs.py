"""Credit packs in the console: changed by a second person, or at once by an operator."""

from collections.abc import Callable, Sequence

from django import forms
from django.contrib import admin
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from billing.admin.approval_requests import ApprovalRequestAdmin
from billing.approvals import DecisionRefused
from billing.models import CreditPack, PackChange
from billing.purchases import pack_changes, packs
from imageskill.lib.admin.actions import ActionForm, ActionRefused, ActionRequest, StaffAction
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_amount

_EDIT_PERMISSIONS = (pack_changes.REQUEST_PERMISSION, pack_changes.DIRECT_PERMISSION)


class PackForm(ActionForm):
    """How a pack is to be."""

    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)
    display_name = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget)
    credits = forms.IntegerField(
        min_value=packs.MIN_CREDITS,
        max_value=packs.MAX_CREDITS,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="One credit costs one cent.",
    )
    is_offered = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)
    is_default = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget)


class NewPackForm(PackForm):
    """A further pack, under an id of its own."""

    pack_id = forms.SlugField(max_length=64, widget=UnfoldAdminTextInputWidget)


def _propose(pack: CreditPack, action: ActionRequest) -> str:
    fields = {"pack_id": pack.pack_id, **action.fields}
    made = pack_changes.propose(reason=action.reason, user=action.user, **fields)
    return "It waits for a second person." if made.needs_second_person else "The pack is so now."


def _decide(
    verb: Callable[..., PackChange], done: str
) -> Callable[[PackChange, ActionRequest], str]:
    def perform(change: PackChange, action: ActionRequest) -> str:
        try:
            verb(request_id=change.pk, user=action.user, note=action.reason)
        except DecisionRefused as refusal:
            raise ActionRefused(str(refusal)) from refusal
        return done

    return perform


_PACK_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="change",
        label="Change",
        permission=_EDIT_PERMISSIONS,
        preview=lambda pack: (
            f"{pack.pack_id}: {pack.credits} credits for {display_amount(pack.amount_cents)}.",
            "Quotes that were made keep their terms.",
            "Finance needs a second person; operators change it at once.",
        ),
        perform=_propose,
        form=PackForm,
        initial_values=lambda pack: {
            name: getattr(pack, name)
            for name in ("name", "display_name", "credits", "is_offered", "is_default")
        },
        is_sensitive=True,
    ),
    StaffAction(
        name="new",
        label="New pack like this",
        permission=_EDIT_PERMISSIONS,
        preview=lambda _: ("A further pack is offered under an id of its own.",),
        perform=_propose,
        form=NewPackForm,
        initial_values=lambda pack: {"credits": pack.credits, "is_offered": True},
        is_sensitive=True,
    ),
)
_CHANGE_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="approve",
        label="Approve",
        permission=_EDIT_PERMISSIONS,
        preview=lambda change: (
            f"{change.pack_id}: {change.credits} credits for {display_amount(change.credits)}.",
            "It is offered." if change.is_offered else "It is no longer offered.",
            f"{change.requested_by} asked because: {change.reason}",
        ),
        perform=_decide(pack_changes.approve, "The pack is so now."),
        is_open=lambda change: change.state == change.State.REQUESTED,
        is_sensitive=True,
    ),
    StaffAction(
        name="turn-down",
        label="Turn down",
        permission=_EDIT_PERMISSIONS,
        preview=lambda _: ("The pack stays as it is.",),
        perform=_decide(pack_changes.reject, "Turned down."),
        is_open=lambda change: change.state == change.State.REQUESTED,
    ),
)


@admin.register(CreditPack)
class CreditPackAdmin(ReadOnlyAdmin):
    """A pack that is or was offered."""

    view_permission = "accounts.see_packs"
    empty_text = (
        "Packs come with the installation; a further one is made from the page of another one."
    )
    object_actions = _PACK_ACTIONS
    export_fields = (
        "pack_id",
        "name",
        "display_name",
        "credits",
        "amount_cents",
        "currency",
        "is_offered",
        "is_default",
        "created_at",
        "updated_at",
    )
    list_display = ("pack_id", "display_name", "credits", "price", "is_offered", "is_default")
    fields = ("pack_id", "name", "display_name", "credits", "price", "is_offered", "is_default")
    readonly_fields = fields

    @display(description="price")
    def price(self, pack: CreditPack) -> str:
        return display_amount(pack.amount_cents)


@admin.register(PackChange)
class PackChangeAdmin(ApprovalRequestAdmin):
    """A change of a pack that was asked for."""

    view_permission = "accounts.see_packs"
    empty_text = (
        "A change of a pack that finance asks for, on the pack's page, waits here "
        "for a second person."
    )
    object_actions = _CHANGE_ACTIONS
    export_fields = (
        "pack_id",
        "name",
        "display_name",
        "credits",
        "is_offered",
        "is_default",
        "state",
        "reason",
        "needs_second_person",
        "requested_by__email",
        "requested_at",
        "expires_at",
        "decided_by__email",
        "decided_at",
        "decision_note",
    )
    list_display = ("pack_id", "credits", "standing", "requested_by", "asked")
    list_filter = ("state",)
    list_select_related = ("requested_by",)
    fields = (
        "pack_id",
        "name",
        "display_name",
        "credits",
        "is_offered",
        "is_default",
        "state",
        "reason",
        "requested_by",
        "asked",
        "until",
        "decided_by",
        "decided",
        "decision_note",
    )
    readonly_fields = fields
