"""Refunds and disputes with their phases."""

import django.db.models.deletion
import django.utils.timezone
import functools
import imageskill.lib.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_duties_of_staff'),
        ('billing', '0004_receipts_are_final_and_packs_are_offered'),
    ]

    operations = [
        migrations.CreateModel(
            name='PaymentReversal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('payment_reversal',), **{}), editable=False, max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('refund', 'refund'), ('dispute', 'dispute')], max_length=8)),
                ('stripe_id', models.CharField(max_length=255, unique=True)),
                ('charge_id', models.CharField(blank=True, max_length=255)),
                ('payment_intent_id', models.CharField(blank=True, max_length=255)),
                ('amount_cents', models.PositiveIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('reason', models.CharField(blank=True, max_length=64)),
                ('stripe_status', models.CharField(max_length=64)),
                ('evidence_due_by', models.DateTimeField(blank=True, null=True)),
                ('state', models.CharField(choices=[('seen', 'seen, nothing moved'), ('applied', 'credits taken'), ('undone', 'credits given back'), ('lost', 'dispute lost'), ('closed', 'over, nothing moved'), ('rejected', "can't be reconciled"), ('set_aside', 'of a payment that granted nothing')], default='seen', max_length=16)),
                ('credits', models.PositiveIntegerField(default=0)),
                ('excess_credits', models.PositiveIntegerField(default=0)),
                ('problem', models.CharField(blank=True, choices=[('no_receipt', 'no receipt is known for its charge'), ('other_currency', 'not the currency of the receipt'), ('reversed_already', 'the receipt was reversed already'), ('exceeds_receipt', 'more than was left of the receipt'), ('reinstated_after_loss', 'funds came back after it was lost')], max_length=32)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('resolution', models.CharField(blank=True, max_length=1000)),
                ('credit_event_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('credit_event',), **{}), editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='accounts.organization')),
                ('receipt', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='billing.receipt')),
            ],
        ),
        migrations.CreateModel(
            name='ReversalPhase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phase', models.CharField(choices=[('seen', 'heard of'), ('taken', 'credits taken'), ('rejected', "refused: it can't be reconciled"), ('undone', 'given back'), ('lost', 'lost'), ('closed', 'over without effect')], max_length=16)),
                ('details', models.JSONField(default=dict)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('reversal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='phases', to='billing.paymentreversal')),
            ],
        ),
        migrations.AddIndex(
            model_name='paymentreversal',
            index=models.Index(fields=['organization', '-id'], name='reversal_newest_of'),
        ),
        migrations.AddIndex(
            model_name='paymentreversal',
            index=models.Index(fields=['state', '-id'], name='reversal_by_state'),
        ),
        migrations.AddIndex(
            model_name='paymentreversal',
            index=models.Index(fields=['charge_id'], name='reversal_by_charge'),
        ),
        migrations.AddIndex(
            model_name='paymentreversal',
            index=models.Index(fields=['payment_intent_id'], name='reversal_by_payment_intent'),
        ),
        migrations.AddIndex(
            model_name='paymentreversal',
            index=models.Index(condition=models.Q(('kind', 'dispute'), ('state__in', ('seen', 'applied'))), fields=['evidence_due_by'], name='reversal_by_deadline'),
        ),
        migrations.AddIndex(
            model_name='paymentreversal',
            index=models.Index(condition=models.Q(models.Q(('problem', ''), _negated=True), ('resolved_at__isnull', True)), fields=['-id'], name='reversal_flagged'),
        ),
        migrations.AddConstraint(
            model_name='paymentreversal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('organization__isnull', True), ('receipt__isnull', True)), models.Q(('organization__isnull', False), ('receipt__isnull', False)), _connector='OR'), name='reversal_of_a_receipt_knows_its_organization'),
        ),
        migrations.AddConstraint(
            model_name='paymentreversal',
            constraint=models.CheckConstraint(condition=models.Q(('credits', 0), ('receipt__isnull', False), _connector='OR'), name='reversal_moves_credits_of_a_receipt'),
        ),
        migrations.AddConstraint(
            model_name='paymentreversal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'lost'), _negated=True), ('kind', 'dispute'), _connector='OR'), name='reversal_only_disputes_are_lost'),
        ),
        migrations.AddConstraint(
            model_name='paymentreversal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('problem', ''), _negated=True), _connector='OR'), name='reversal_rejected_says_why'),
        ),
        migrations.AddConstraint(
            model_name='paymentreversal',
            constraint=models.CheckConstraint(condition=models.Q(('resolved_at__isnull', True), models.Q(('resolution', ''), _negated=True), _connector='OR'), name='reversal_resolved_with_a_note'),
        ),
        migrations.AddConstraint(
            model_name='reversalphase',
            constraint=models.UniqueConstraint(fields=('reversal', 'phase'), name='reversal_phase_once'),
        ),
        migrations.RunSQL(
            "CREATE TRIGGER billing_reversalphase_is_append_only BEFORE UPDATE OR DELETE"
            " ON billing_reversalphase FOR EACH ROW EXECUTE FUNCTION refuse_change();",
            "DROP TRIGGER billing_reversalphase_is_append_only ON billing_reversalphase;",
        ),
    ]
