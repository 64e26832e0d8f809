"""Nothing any more: groups follow `accounts.staff.roles` after each migrate, not once by a migration."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_saved_filters")]

    operations = []
