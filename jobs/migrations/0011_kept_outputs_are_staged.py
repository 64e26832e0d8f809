"""Outputs that wait for storage are called staged.

The table keeps its name. Django renames the content type along; the permissions are renamed here.
"""

import django.db.models.deletion
from django.db import migrations, models


def _rename_permissions(apps, old, new):
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="jobs", content_type__model__in=[old, new]
    )
    for action in ("add", "change", "delete", "view"):
        permissions.filter(codename=f"{action}_{old}").update(
            codename=f"{action}_{new}", name=f"Can {action} {new}"
        )


def forward(apps, schema_editor):
    _rename_permissions(apps, "keptoutput", "stagedoutput")


def backward(apps, schema_editor):
    _rename_permissions(apps, "stagedoutput", "keptoutput")


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0010_every_moment_from_one_clock"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelTable(name="keptoutput", table="jobs_keptoutput"),
        migrations.RenameModel(old_name="KeptOutput", new_name="StagedOutput"),
        migrations.AlterField(
            model_name="stagedoutput",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="staged_outputs",
                to="jobs.job",
            ),
        ),
        migrations.RunPython(forward, backward, elidable=True),
    ]
