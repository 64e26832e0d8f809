"""Take each default moment from `imageskill.lib.clock`; the database has nothing to change."""

import imageskill.lib.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0019_paid_credits_are_those_in_lots'),
    ]

    operations = [
        migrations.AlterField(
            model_name='balancemovement',
            name='read_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='bookscheck',
            name='started_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='creditcorrection',
            name='requested_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='creditpack',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='creditpack',
            name='updated_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='difference',
            name='found_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='disputeevidence',
            name='edited_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='jobhold',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='lot',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='monthclose',
            name='closed_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='packchange',
            name='requested_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='paymentattempt',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='paymentattempt',
            name='updated_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='paymentreversal',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='paymentreversal',
            name='updated_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='quote',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='receipt',
            name='issued_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='reconciledday',
            name='reconciled_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='refundblock',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='refundrequest',
            name='requested_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='reversalphase',
            name='at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='startercount',
            name='updated_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='stripeevent',
            name='received_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='taking',
            name='created_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='transfer',
            name='created_at',
            field=models.DateTimeField(db_index=True, default=imageskill.lib.clock.now),
        ),
        migrations.AlterField(
            model_name='unmatchedpayment',
            name='found_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
    ]
