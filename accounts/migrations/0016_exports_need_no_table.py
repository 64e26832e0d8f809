from django.core.files.storage import storages
from django.db import migrations


def delete_files(apps, schema_editor):
    """Delete the files that still wait: once the table is gone, nothing else would."""
    keys = apps.get_model("accounts", "Export").objects.exclude(storage_key="")
    for key in keys.values_list("storage_key", flat=True):
        storages["kept"].delete(key)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_labels")]

    operations = [
        migrations.RunPython(delete_files, migrations.RunPython.noop),
        migrations.DeleteModel(name="Export"),
    ]
