"""Groups and permissions of staff in the database: always what `accounts.staff.roles` says.

They follow the table of roles after each migrate, so no migration repeats it: a new role or duty
reaches every database that is deployed to, and one that was taken away leaves it.
"""

from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, transaction

from accounts.staff.roles import DUTIES, ROLES


def sync(*, using: str = DEFAULT_DB_ALIAS, apps: Apps = current_apps, **_: Any) -> None:
    """Return each role its duties and take away all else, as a receiver of `post_migrate`.

    A group that is no role any more keeps its members and loses its permissions.
    """
    try:
        apps.get_model("accounts", "Duty")
    except LookupError:  # migrated back to before there were duties
        return
    groups = apps.get_model("auth", "Group")._default_manager.using(using)
    with transaction.atomic(using=using):
        permissions = _sync_permissions(using, apps)
        for role, duties in ROLES.items():
            group, _created = groups.get_or_create(name=role)
            group.permissions.set([permissions[duty] for duty in sorted(duties)])
        for group in groups.exclude(name__in=ROLES):
            group.permissions.clear()


def _sync_permissions(using: str, apps: Apps) -> dict[str, Any]:
    """Return the permission of each duty; deleting one takes it from whoever had it."""
    content_type, _created = (
        apps.get_model("contenttypes", "ContentType")
        ._default_manager.using(using)
        .get_or_create(app_label="accounts", model="duty")
    )
    model = apps.get_model("auth", "Permission")
    permissions = model._default_manager.using(using)
    permissions.filter(content_type=content_type).exclude(codename__in=DUTIES).delete()
    permissions.bulk_create(
        [
            model(content_type=content_type, codename=duty, name=label[:255])
            for duty, label in DUTIES.items()
        ],
        update_conflicts=True,
        unique_fields=["content_type", "codename"],
        update_fields=["name"],
    )
    return {row.codename: row for row in permissions.filter(content_type=content_type)}
