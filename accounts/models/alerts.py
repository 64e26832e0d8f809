"""Alerts: emails to sponsors, one per cause."""

from typing import ClassVar

from django.db import models

from accounts.models.users import User
from imageskill.lib import clock


class Alert(models.Model):
    """One email to a sponsor; the key names its cause, so that it is sent once."""

    class Kind(models.TextChoices):
        """What happened; each has a template in `templates/emails/alerts/`."""

        CLAIMED = "claimed", "agent claimed"
        HANDED_OVER = "handed_over", "agent handed over"
        TOKEN_ROTATED = "token_rotated", "token rotated"
        CAP_NEAR = "cap_near", "80 % of a cap used"
        CAP_REACHED = "cap_reached", "a cap is used up"
        PURCHASE = "purchase", "credits bought"
        REFUND = "refund", "refund"
        DISPUTE = "dispute", "dispute"
        PROMPT_SHOWN = "prompt_shown", "staff looked at a prompt"
        MONEY_ROLE = "money_role", "role that approves money given"
        STARTER_CEILING = "starter_ceiling", "free credits of a day used up"

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=24, choices=Kind.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="alerts")
    subject = models.CharField("about", max_length=128)
    facts = models.JSONField(default=dict)  # names and amounts in the email
    created_at = models.DateTimeField(default=clock.now, editable=False)
    mail_tried_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="alert_of_user"),
            models.Index(
                fields=["created_at"],
                name="alert_to_mail",
                condition=models.Q(mailed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
