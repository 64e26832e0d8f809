"""Requests that one person makes and another decides."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import User
from imageskill.lib import clock


class ApprovalRequestQuerySet(models.QuerySet[Any]):
    """Sets of requests."""

    def waiting(self) -> "ApprovalRequestQuerySet":
        """Narrow to requests that are pending, oldest first."""
        return self.filter(state=ApprovalRequest.State.REQUESTED).order_by("id")


class ApprovalRequest(models.Model):
    """A request; one that needs a second person is never decided by whoever made it."""

    class State(models.TextChoices):
        """The status of a request."""

        REQUESTED = "requested", "Pending approval"
        APPROVED = "approved", "Approved"
        TURNED_DOWN = "turned_down", "Rejected"
        EXPIRED = "expired", "Expired"  # nobody decided in time

    state = models.CharField(max_length=12, choices=State.choices, default=State.REQUESTED)
    needs_second_person = models.BooleanField(default=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=clock.now, editable=False)
    reason = models.CharField(max_length=1000)
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=1000, blank=True)

    objects: ClassVar = ApprovalRequestQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                name="%(class)s_never_decided_by_who_asked",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
            ),
            models.CheckConstraint(
                name="%(class)s_approved_by_a_second_person_where_needed",
                condition=~Q(state="approved")
                | Q(needs_second_person=False)
                | Q(decided_by__isnull=False),
            ),
            models.CheckConstraint(name="%(class)s_says_why", condition=~Q(reason="")),
        ]

    @property
    def is_pending(self) -> bool:
        """Whether it still has to be decided."""
        return self.state == self.State.REQUESTED
