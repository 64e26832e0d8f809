"""Give the groups of staff what `accounts.duties` says now, and nothing else."""

from importlib import import_module

from django.db import migrations

_given = import_module("accounts.migrations.0005_duties_of_staff")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_saved_filters")]

    operations = [migrations.RunPython(_given.assign, migrations.RunPython.noop)]
