"""A home for the permissions of staff; no table."""

from django.db import models


class Duty(models.Model):
    """Holds the permissions of `accounts.staff.roles`, which `accounts.staff.groups` creates.

    `Meta.permissions` would create them too, and would make each change of a duty or of its label
    a migration that changes nothing in the database.
    """

    class Meta:
        managed = False
        default_permissions = ()

    def __str__(self) -> str:
        return "duty"
