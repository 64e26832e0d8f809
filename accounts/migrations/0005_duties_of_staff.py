"""Give the groups of staff the permissions of `accounts.duties`."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.duties import DUTIES, ROLES


def assign(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="accounts", model="duty"
    )
    permission = apps.get_model("auth", "Permission")
    made = {
        name: permission.objects.get_or_create(
            content_type=content_type, codename=name, defaults={"name": label[:255]}
        )[0]
        for name, label in DUTIES.items()
    }
    for role, duties in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.set([made[name] for name in sorted(duties)])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_claims_and_alerts"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="Duty",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "permissions": list(DUTIES.items()),
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.RunPython(assign, migrations.RunPython.noop),
    ]
