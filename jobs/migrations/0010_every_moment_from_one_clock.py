"""Take each default moment from `imageskill.lib.clock`; the database has nothing to change."""

import imageskill.lib.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0009_things_by_their_names'),
    ]

    operations = [
        migrations.AlterField(
            model_name='asset',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='assetcheck',
            name='checked_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='job',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='loss',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='prompt',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='usage',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
    ]
