"""Take each default moment from `imageskill.lib.clock`; the database has nothing to change."""

import imageskill.lib.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0004_github_events_that_failed_are_kept'),
    ]

    operations = [
        migrations.AlterField(
            model_name='githubevent',
            name='received_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='queueitem',
            name='next_attempt_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='queueitem',
            name='queued_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='report',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
    ]
