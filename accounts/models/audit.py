"""The audit log: changes by staff and sponsors. Append-only."""

from typing import ClassVar

from django.db import models

from accounts.models.users import User
from imageskill.lib import clock


class AuditLine(models.Model):
    """One change; recorded by the function that makes it."""

    at = models.DateTimeField(default=clock.now, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor = models.CharField(max_length=254)  # the email at the time, or the name of a system
    action = models.CharField(max_length=64)
    subject = models.CharField("subject", max_length=128)
    reason = models.CharField(max_length=1000, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    trace_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "audit line"
        verbose_name_plural = "audit log"
        indexes: ClassVar = [
            models.Index(fields=["subject", "-id"], name="audit_of_subject"),
            models.Index(fields=["user", "-id"], name="audit_of_user"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"
