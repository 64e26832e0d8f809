"""Requests of refunds and corrections, reconciliation, and closed months."""

import django.db.models.deletion
import django.utils.timezone
import functools
import imageskill.lib.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_duties_of_staff'),
        ('billing', '0005_refunds_and_disputes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReconciledDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('environment', models.CharField(choices=[('live', 'live'), ('test', 'test'), ('stand_in', 'stand-in')], max_length=16)),
                ('stripe_payments_cents', models.BigIntegerField(default=0)),
                ('stripe_refunds_cents', models.BigIntegerField(default=0)),
                ('stripe_disputes_cents', models.BigIntegerField(default=0)),
                ('stripe_fees_cents', models.BigIntegerField(default=0)),
                ('receipts_cents', models.BigIntegerField(default=0)),
                ('refunds_cents', models.BigIntegerField(default=0)),
                ('disputes_cents', models.BigIntegerField(default=0)),
                ('granted_credits', models.BigIntegerField(default=0)),
                ('reversed_credits', models.BigIntegerField(default=0)),
                ('open_differences', models.PositiveIntegerField(default=0)),
                ('reconciled_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-day'],
                'constraints': [models.UniqueConstraint(fields=('day', 'environment'), name='reconciled_day_once')],
            },
        ),
        migrations.CreateModel(
            name='RefundBlock',
            fields=[
                ('receipt', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='refund_block', serialize=False, to='billing.receipt')),
                ('reason', models.CharField(max_length=1000)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('blocked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='BalanceMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stripe_id', models.CharField(max_length=255, unique=True)),
                ('category', models.CharField(choices=[('payment', 'payment'), ('refund', 'refund'), ('refund_failure', 'refund that came back'), ('dispute', 'dispute withdrawn'), ('dispute_reversal', 'dispute reinstated'), ('other', 'other')], max_length=24)),
                ('stripe_type', models.CharField(max_length=64)),
                ('source_id', models.CharField(blank=True, db_index=True, max_length=255)),
                ('amount_cents', models.BigIntegerField()),
                ('fee_cents', models.BigIntegerField()),
                ('net_cents', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('exchange_rate', models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ('environment', models.CharField(choices=[('live', 'live'), ('test', 'test'), ('stand_in', 'stand-in')], max_length=16)),
                ('is_ours', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('read_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('receipt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.receipt')),
                ('reversal', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.paymentreversal')),
            ],
            options={
                'indexes': [models.Index(fields=['-created_at'], name='balance_movement_newest')],
            },
        ),
        migrations.CreateModel(
            name='CreditCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'waits for a second person'), ('approved', 'approved'), ('turned_down', 'turned down'), ('expired', 'expired, nobody decided in time')], default='requested', max_length=12)),
                ('needs_second_person', models.BooleanField(default=True)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('reason', models.CharField(max_length=1000)),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_note', models.CharField(blank=True, max_length=1000)),
                ('kind', models.CharField(choices=[('goodwill', 'free credits as goodwill'), ('adjust_preview', 'free credits corrected'), ('adjust_paid', 'bought credits corrected'), ('write_off', 'a debt written off')], max_length=16)),
                ('credits', models.IntegerField()),
                ('applied_credits', models.IntegerField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='accounts.organization')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['state', '-id'], name='correction_by_state')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='creditcorrection_never_decided_by_who_asked'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('needs_second_person', False), ('decided_by__isnull', False), _connector='OR'), name='creditcorrection_approved_by_a_second_person_where_needed'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='creditcorrection_says_why'), models.CheckConstraint(condition=models.Q(('credits__gt', 0), models.Q(('credits__lt', 0), ('kind__in', ('adjust_preview', 'adjust_paid'))), _connector='OR'), name='correction_of_something'), models.CheckConstraint(condition=models.Q(('kind', 'goodwill'), ('needs_second_person', True), _connector='OR'), name='correction_alone_only_as_goodwill'), models.CheckConstraint(condition=models.Q(models.Q(('applied_credits__isnull', False), ('state', 'approved')), models.Q(models.Q(('state', 'approved'), _negated=True), ('applied_credits__isnull', True)), _connector='OR'), name='correction_applied_when_approved')],
            },
        ),
        migrations.CreateModel(
            name='Difference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=300, unique=True)),
                ('reason', models.CharField(choices=[('missing_event', 'Stripe moved money that we know nothing of'), ('missing_movement', 'we counted what Stripe did not move'), ('double', 'moved more than once'), ('amount', 'another amount'), ('exchange', 'another currency'), ('state', 'moved, but it has not had its effect here')], max_length=24)),
                ('day', models.DateField()),
                ('environment', models.CharField(choices=[('live', 'live'), ('test', 'test'), ('stand_in', 'stand-in')], max_length=16)),
                ('stripe_id', models.CharField(blank=True, max_length=255)),
                ('stripe_cents', models.BigIntegerField(null=True)),
                ('our_cents', models.BigIntegerField(null=True)),
                ('state', models.CharField(choices=[('open', 'open'), ('agreed', 'agrees by now'), ('closed', 'closed with a note')], default='open', max_length=8)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('found_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to=settings.AUTH_USER_MODEL)),
                ('receipt', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='billing.receipt')),
                ('reversal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='billing.paymentreversal')),
            ],
            options={
                'ordering': ['-day', '-id'],
                'indexes': [models.Index(fields=['state', '-id'], name='difference_by_state')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('state', 'closed'), _negated=True), models.Q(('closed_at__isnull', False), ('owner__isnull', False), models.Q(('note', ''), _negated=True)), _connector='OR'), name='difference_closed_by_its_owner_with_a_note')],
            },
        ),
        migrations.CreateModel(
            name='MonthClose',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('figures', models.JSONField()),
                ('previous_digest', models.CharField(blank=True, max_length=64)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('closed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('reopen_reason', models.CharField(blank=True, max_length=1000)),
                ('reopened_at', models.DateTimeField(blank=True, null=True)),
                ('closed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reopen_asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reopened_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-month', '-version'],
                'constraints': [models.UniqueConstraint(fields=('month', 'version'), name='month_close_once_a_version'), models.UniqueConstraint(condition=models.Q(('reopened_at__isnull', True)), fields=('month',), name='month_close_one_in_force'), models.CheckConstraint(condition=models.Q(models.Q(('reopened_at__isnull', True), ('reopened_by__isnull', True)), models.Q(('reopen_asked_by__isnull', False), ('reopened_at__isnull', False), ('reopened_by__isnull', False), models.Q(('reopened_by', models.F('reopen_asked_by')), _negated=True)), _connector='OR'), name='month_close_reopened_by_a_second_person')],
            },
        ),
        migrations.CreateModel(
            name='RefundRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'waits for a second person'), ('approved', 'approved'), ('turned_down', 'turned down'), ('expired', 'expired, nobody decided in time')], default='requested', max_length=12)),
                ('needs_second_person', models.BooleanField(default=True)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('reason', models.CharField(max_length=1000)),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_note', models.CharField(blank=True, max_length=1000)),
                ('amount_cents', models.PositiveIntegerField()),
                ('reason_code', models.CharField(choices=[('requested_by_customer', 'the buyer asked'), ('duplicate', 'paid twice'), ('service', 'the service failed'), ('fraudulent', "not the card's owner"), ('unused', 'unused credits, asked for by the sponsor')], max_length=32)),
                ('is_from_sponsor', models.BooleanField(default=False)),
                ('stripe_key', models.CharField(default=functools.partial(imageskill.lib.ids.random_text, *(22,), **{}), editable=False, max_length=64, unique=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('stripe_refund_id', models.CharField(blank=True, max_length=255)),
                ('failure', models.CharField(blank=True, max_length=200)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('receipt', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refund_requests', to='billing.receipt')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reversal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='billing.paymentreversal')),
                ('unmatched_payment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refund_requests', to='billing.unmatchedpayment')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['state', '-id'], name='refund_request_by_state'), models.Index(condition=models.Q(('finished_at__isnull', True), ('state', 'approved')), fields=['id'], name='refund_request_to_send')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='refundrequest_never_decided_by_who_asked'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('needs_second_person', False), ('decided_by__isnull', False), _connector='OR'), name='refundrequest_approved_by_a_second_person_where_needed'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='refundrequest_says_why'), models.CheckConstraint(condition=models.Q(('receipt__isnull', False), ('unmatched_payment__isnull', False), _connector='XOR'), name='refund_request_is_about_one_payment'), models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='refund_request_of_something'), models.UniqueConstraint(condition=models.Q(('finished_at__isnull', True), ('state__in', ('requested', 'approved'))), fields=('receipt',), name='refund_request_one_open_a_receipt'), models.UniqueConstraint(condition=models.Q(('finished_at__isnull', True), ('state__in', ('requested', 'approved'))), fields=('unmatched_payment',), name='refund_request_one_open_a_payment')],
            },
        ),
    ]
