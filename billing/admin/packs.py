"""Credit packs in the console: changed by a second person, or at once by an operator."""

from collections.abc import Callable, Sequence

from django import forms
from django.contrib import admin
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from billing.admin.approval_requests import ApprovalRequestAdmin
from billing.approvals import DecisionRefused
from billing.models import CreditPack, PackChange
from billing.purchases import pack_changes, packs
from imageskill.lib.admin.actions import (
    ActionForm,
    ActionRequest,
    StaffAction,
    translate_refusals,
)
from imageskill.lib.admin.bases import ReadOnlyAdmin
from imageskill.lib.admin.formatting import display_amount, format_count

_EDIT_PERMISSIONS = (pack_changes.REQUEST_PERMISSION, pack_changes.DIRECT_PERMISSION)


class PackForm(ActionForm):
    """What a pack changes to."""

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
    """A new pack, under its own id."""

    pack_id = forms.SlugField(max_length=64, widget=UnfoldAdminTextInputWidget)


def _propose(pack: CreditPack, action: ActionRequest) -> str:
    fields = {"pack_id": pack.pack_id, **action.fields}
    made = pack_changes.propose(reason=action.reason, user=action.user, **fields)
    return "Pending approval by a second person." if made.needs_second_person else "Pack updated."


def _decide(
    function: Callable[..., PackChange], done: str
) -> Callable[[PackChange, ActionRequest], str]:
    @translate_refusals(DecisionRefused)
    def perform(change: PackChange, action: ActionRequest) -> str:
        function(request_id=change.pk, user=action.user, note=action.reason)
        return done

    return perform


def _describe(pack_id: str, credits: int, cents: int) -> str:
    return f"{pack_id}: {format_count(credits, 'credit')} for {display_amount(cents)}."


_PACK_ACTIONS: Sequence[StaffAction] = (
    StaffAction(
        name="change",
        label="Edit pack",
        permission=_EDIT_PERMISSIONS,
        preview=lambda pack: (
            _describe(pack.pack_id, pack.credits, pack.amount_cents),
            "Existing quotes keep their terms.",
            "Changes by finance need approval; those by operators apply at once.",
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
        label="Duplicate pack",
        permission=_EDIT_PERMISSIONS,
        preview=lambda _: ("A new pack is offered, under its own id.",),
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
            _describe(change.pack_id, change.credits, change.credits),  # a credit costs a cent
            "It is for sale." if change.is_offered else "It is no longer for sale.",
            f"Requested by {change.requested_by}: {change.reason}",
        ),
        perform=_decide(pack_changes.approve, "Approved. Pack updated."),
        is_open=lambda change: change.state == change.State.REQUESTED,
        is_sensitive=True,
    ),
    StaffAction(
        name="turn-down",
        label="Reject",
        permission=_EDIT_PERMISSIONS,
        preview=lambda _: ("The pack stays unchanged.",),
        perform=_decide(pack_changes.reject, "Rejected."),
        is_open=lambda change: change.state == change.State.REQUESTED,
    ),
)


@admin.register(CreditPack)
class CreditPackAdmin(ReadOnlyAdmin):
    """A pack that is or was offered."""

    view_permission = "accounts.see_packs"
    empty_text = "Packs come with the installation; duplicate one on its page to add another."
    object_actions = _PACK_ACTIONS
    export_also = (
        "currency",
        "created_at",
        "updated_at",
    )
    labels = {"amount_cents": "price"}
    list_display = (
        "pack_id",
        "display_name",
        "credits",
        "amount_cents",
        "is_offered",
        "is_default",
    )
    fields = (
        "pack_id",
        "name",
        "display_name",
        "credits",
        "amount_cents",
        "is_offered",
        "is_default",
    )


@admin.register(PackChange)
class PackChangeAdmin(ApprovalRequestAdmin):
    """A requested change of a pack."""

    view_permission = "accounts.see_packs"
    empty_text = "Changes appear here once finance requests one on a pack's page."
    object_actions = _CHANGE_ACTIONS
    export_also = ("needs_second_person",)
    list_display = ("pack_id", "credits", "state", "requested_by", "requested_at")
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
        "requested_at",
        "expires_at",
        "decided_by",
        "decided_at",
        "decision_note",
    )
