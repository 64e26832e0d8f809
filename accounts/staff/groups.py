"""Staff groups and permissions in the database, kept equal to `accounts.staff.roles`.

They are synced after each migrate, so no migration repeats the table: a new role or permission
reaches every existing database, and a removed one disappears from it.
"""

from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, transaction

from accounts.staff.roles import PERMISSIONS, ROLES


def sync(*, using: str = DEFAULT_DB_ALIAS, apps: Apps = current_apps, **_: Any) -> None:
    """Set each role's permissions, as a receiver of `post_migrate`.

    A group that is no longer a role keeps its members and loses its permissions.
    """
    try:
        apps.get_model("accounts", "Duty")
    except LookupError:  # migrated back to before the model existed
        return
    groups = apps.get_model("auth", "Group")._default_manager.using(using)
    with transaction.atomic(using=using):
        permissions = _sync_permissions(using, apps)
        for role, code_names in ROLES.items():
            group, _created = groups.get_or_create(name=role)
            group.permissions.set([permissions[code_name] for code_name in sorted(code_names)])
        for group in groups.exclude(name__in=ROLES):
            group.permissions.clear()


def _sync_permissions(using: str, apps: Apps) -> dict[str, Any]:
    """Create, relabel and delete permissions to match the table; return them by code name.

    Deleting a permission also removes it from the users and groups that had it.
    """
    content_type, _created = (
        apps.get_model("contenttypes", "ContentType")
        ._default_manager.using(using)
        .get_or_create(app_label="accounts", model="duty")
    )
    model = apps.get_model("auth", "Permission")
    permissions = model._default_manager.using(using)
    permissions.filter(content_type=content_type).exclude(codename__in=PERMISSIONS).delete()
    permissions.bulk_create(
        [
            model(content_type=content_type, codename=code_name, name=label[:255])
            for code_name, label in PERMISSIONS.items()
        ],
        update_conflicts=True,
        unique_fields=["content_type", "codename"],
        update_fields=["name"],
    )
    return {row.codename: row for row in permissions.filter(content_type=content_type)}
