"""The model that staff permissions belong to; it has no table."""

from django.db import models


class Duty(models.Model):
    """Content type of the permissions in `accounts.staff.roles`, synced by `accounts.staff.groups`.

    `Meta.permissions` would create them too, but each change of a label would need a migration
    that changes nothing in the database. The name stays: stored content types refer to it.
    """

    class Meta:
        managed = False
        default_permissions = ()

    def __str__(self) -> str:
        return "duty"
