"""What reversals took is called a clawback.

The table keeps its name. Django renames the content type along; the permissions are renamed here.
"""

from django.db import migrations


def _rename_permissions(apps, old, new):
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="billing", content_type__model__in=[old, new]
    )
    for action in ("add", "change", "delete", "view"):
        permissions.filter(codename=f"{action}_{old}").update(
            codename=f"{action}_{new}", name=f"Can {action} {new}"
        )


def forward(apps, schema_editor):
    _rename_permissions(apps, "taking", "clawback")


def backward(apps, schema_editor):
    _rename_permissions(apps, "clawback", "taking")


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0020_every_moment_from_one_clock"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelTable(name="taking", table="billing_taking"),
        migrations.RenameModel(old_name="Taking", new_name="Clawback"),
        migrations.RunPython(forward, backward, elidable=True),
    ]
