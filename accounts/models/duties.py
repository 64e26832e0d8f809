"""A home for the permissions of staff; no table."""

from typing import ClassVar

from django.db import models

from accounts.duties import DUTIES


class Duty(models.Model):
    """Holds the permissions of `accounts.duties`."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions: ClassVar = list(DUTIES.items())

    def __str__(self) -> str:
        return "duty"
