"""Wallets, transfers and entries; lots and holds; counters of use."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0002_activity_and_audit_are_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='StarterCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=120, unique=True)),
                ('grants', models.PositiveIntegerField(default=0)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='Lot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=80, unique=True)),
                ('granted', models.BigIntegerField()),
                ('left', models.BigIntegerField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='LotPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=80)),
                ('taken', models.BigIntegerField()),
                ('returned', models.BigIntegerField(default=0)),
                ('lot', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='billing.lot')),
            ],
        ),
        migrations.CreateModel(
            name='Taking',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=80, unique=True)),
                ('cause_key', models.CharField(max_length=160, unique=True)),
                ('receipt_id', models.CharField(db_index=True, max_length=80)),
                ('cause', models.CharField(choices=[('refund', 'a refund: payments'), ('dispute', 'a dispute: suspense')], max_length=8)),
                ('state', models.CharField(choices=[('open', 'in force'), ('undone', 'everything was given back'), ('lost', 'a lost dispute: for good')], default='open', max_length=8)),
                ('taken', models.BigIntegerField()),
                ('owed', models.BigIntegerField()),
                ('written_off', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='Wallet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('preview', 'free credits'), ('paid', 'payment-backed credits'), ('held', 'reserved by running jobs'), ('owed', 'taken back by a reversal after it was spent'), ('promotions', 'where free credits come from'), ('payments', 'where bought credits come from and refunded ones return'), ('revenue', 'what jobs consumed'), ('suspense', 'open disputes'), ('losses', 'lost disputes and debts written off'), ('adjustments', 'corrections by staff')], max_length=16)),
                ('balance', models.BigIntegerField(default=0)),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200, unique=True)),
                ('kind', models.CharField(choices=[('preview_grant', 'free credits given'), ('paid_grant', 'bought credits given'), ('hold_preview', 'free credits reserved for a job'), ('hold_paid', 'bought credits reserved for a job'), ('capture', "a job's reserved credits consumed"), ('return_preview', 'reserved free credits given back'), ('return_paid', 'reserved bought credits given back'), ('refund', 'bought credits taken back by a refund'), ('refund_owed', 'the part of a refund that was spent already'), ('refund_undone', 'a refund failed: its credits given back'), ('refund_owed_undone', 'a refund failed: what it left owed forgiven'), ('refund_settled', 'bought credits that pay for what a refund left owed'), ('refund_owed_settled', 'what a refund left owed, paid for'), ('refund_loss_recovered', 'a refund failed: its write-off taken back'), ('dispute', 'bought credits set aside by a dispute'), ('dispute_owed', 'the part of a dispute that was spent already'), ('dispute_won', 'a dispute won: its credits given back'), ('dispute_owed_won', 'a dispute won: what it left owed forgiven'), ('dispute_settled', 'bought credits that pay for what a dispute left owed'), ('dispute_owed_settled', 'what a dispute left owed, paid for'), ('dispute_loss_recovered', 'a dispute won: its write-off taken back'), ('dispute_lost', 'a dispute lost: its credits leave suspense'), ('dispute_lost_owed', "a dispute lost: its debt's other side leaves suspense"), ('write_off', 'a debt that the house bears'), ('adjust_preview_up', 'correction: free credits added'), ('adjust_preview_down', 'correction: free credits removed'), ('adjust_paid_up', 'correction: bought credits added'), ('adjust_paid_down', 'correction: bought credits removed')], max_length=24)),
                ('credits', models.BigIntegerField()),
                ('actor', models.CharField(max_length=80)),
                ('reason', models.CharField(blank=True, max_length=400)),
                ('reference', models.CharField(db_index=True, max_length=80)),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('parent', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='billing.transfer')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.wallet')),
                ('target', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.wallet')),
            ],
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('credits', models.BigIntegerField()),
                ('balance_after', models.BigIntegerField()),
                ('transfer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='billing.transfer')),
                ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='billing.wallet')),
            ],
        ),
        migrations.CreateModel(
            name='DailyUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('jobs', models.PositiveIntegerField(default=0)),
                ('credits', models.BigIntegerField(default=0)),
                ('agent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.agent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('agent', 'day'), name='daily_use_one_a_day'), models.CheckConstraint(condition=models.Q(('credits__gte', 0), ('jobs__gte', 0)), name='daily_use_is_never_negative')],
            },
        ),
        migrations.CreateModel(
            name='JobHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job_id', models.CharField(max_length=80, unique=True)),
                ('preview', models.BigIntegerField()),
                ('paid', models.BigIntegerField()),
                ('state', models.CharField(choices=[('open', 'the job is running'), ('captured', 'the job was charged'), ('released', 'everything went back')], default='open', max_length=10)),
                ('captured_preview', models.BigIntegerField(default=0)),
                ('captured_paid', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['organization'], name='hold_open_by_organization')],
                'constraints': [models.CheckConstraint(condition=models.Q(('paid__gte', 0), ('preview__gte', 0), ('preview__gt', django.db.models.expressions.CombinedExpression(models.F('paid'), '*', models.Value(-1)))), name='hold_of_something'), models.CheckConstraint(condition=models.Q(('captured_paid__gte', 0), ('captured_paid__lte', models.F('paid')), ('captured_preview__gte', 0), ('captured_preview__lte', models.F('preview'))), name='hold_captures_at_most_itself'), models.CheckConstraint(condition=models.Q(('state', 'captured'), models.Q(('captured_paid', 0), ('captured_preview', 0)), _connector='OR'), name='hold_charges_only_when_captured'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state', 'open')), models.Q(('closed_at__isnull', False), ('state__in', ['captured', 'released'])), _connector='OR'), name='hold_is_closed_with_a_time')],
            },
        ),
        migrations.AddIndex(
            model_name='lot',
            index=models.Index(condition=models.Q(('left__gt', 0)), fields=['organization', 'id'], name='lot_spendable'),
        ),
        migrations.AddIndex(
            model_name='lot',
            index=models.Index(fields=['organization', '-id'], name='lot_by_organization'),
        ),
        migrations.AddConstraint(
            model_name='lot',
            constraint=models.CheckConstraint(condition=models.Q(('left__gte', 0), ('left__lte', models.F('granted'))), name='lot_left_is_between_nothing_and_granted'),
        ),
        migrations.AddIndex(
            model_name='lotpart',
            index=models.Index(fields=['reference', '-id'], name='lot_part_by_reference'),
        ),
        migrations.AddIndex(
            model_name='lotpart',
            index=models.Index(fields=['lot', '-id'], name='lot_part_by_lot'),
        ),
        migrations.AddConstraint(
            model_name='lotpart',
            constraint=models.CheckConstraint(condition=models.Q(('returned__gte', 0), ('returned__lte', models.F('taken')), ('taken__gt', 0)), name='lot_part_returns_at_most_what_it_took'),
        ),
        migrations.AddIndex(
            model_name='taking',
            index=models.Index(condition=models.Q(('owed__gt', 0)), fields=['organization', 'id'], name='taking_owed'),
        ),
        migrations.AddConstraint(
            model_name='taking',
            constraint=models.CheckConstraint(condition=models.Q(('owed__gte', 0), ('taken__gte', 0), ('written_off__gte', 0)), name='taking_is_never_negative'),
        ),
        migrations.AddConstraint(
            model_name='taking',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'undone'), _negated=True), models.Q(('owed', 0), ('taken', 0), ('written_off', 0)), _connector='OR'), name='taking_undone_leaves_nothing'),
        ),
        migrations.AddConstraint(
            model_name='wallet',
            constraint=models.CheckConstraint(condition=models.Q(('organization__isnull', True), ('balance__gte', 0), _connector='OR'), name='wallet_of_an_organization_is_never_negative'),
        ),
        migrations.AddConstraint(
            model_name='wallet',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('organization__isnull', False), ('purpose__in', ('preview', 'paid', 'held', 'owed'))), models.Q(('organization__isnull', True), ('purpose__in', ['promotions', 'payments', 'revenue', 'suspense', 'losses', 'adjustments'])), _connector='OR'), name='wallet_purpose_fits_its_owner'),
        ),
        migrations.AddConstraint(
            model_name='wallet',
            constraint=models.UniqueConstraint(fields=('organization', 'purpose'), name='wallet_one_per_organization_and_purpose'),
        ),
        migrations.AddConstraint(
            model_name='wallet',
            constraint=models.UniqueConstraint(condition=models.Q(('organization__isnull', True)), fields=('purpose',), name='wallet_one_of_the_house_per_purpose'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['organization', '-id'], name='transfer_by_organization'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('credits__gt', 0)), name='transfer_moves_more_than_nothing'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='transfer_leads_elsewhere'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='transfer_has_a_key'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['wallet', '-id'], name='entry_by_wallet'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('credits', 0), _negated=True), name='entry_is_not_nothing'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.UniqueConstraint(models.F('transfer'), django.db.models.functions.math.Sign('credits'), name='entry_one_on_each_side'),
        ),
    ]
