"""All tables of billing as 0001 to 0031 leave them, made at once in a new database."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
import functools
from typing import Any
import imageskill.lib.clock
import imageskill.lib.ids
from django.conf import settings
from django.db import migrations, models

HOUSE = """
INSERT INTO billing_wallet (id, organization_id, purpose, balance) VALUES
    (1000000000000001, NULL, 'promotions', 0),
    (1000000000000002, NULL, 'payments', 0),
    (1000000000000003, NULL, 'revenue', 0),
    (1000000000000004, NULL, 'suspense', 0),
    (1000000000000005, NULL, 'losses', 0),
    (1000000000000006, NULL, 'adjustments', 0)
ON CONFLICT (id) DO NOTHING
"""

# Checked at commit: a transfer has exactly its two entries, which add up to zero. The unique
# index on entries refuses a third one later, so checking at each transfer is enough.
BALANCED = """
CREATE FUNCTION billing_transfer_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    given bigint;
    entries bigint;
BEGIN
    SELECT count(*),
           coalesce(sum(credits) FILTER (WHERE wallet_id = NEW.source_id), 0),
           coalesce(sum(credits) FILTER (WHERE wallet_id = NEW.target_id), 0)
      INTO entries, taken, given
      FROM billing_ledgerentry WHERE transfer_id = NEW.id;
    IF entries <> 2 OR taken <> -NEW.credits OR given <> NEW.credits THEN
        RAISE EXCEPTION 'transfer % does not balance: % entries, % and %',
            NEW.key, entries, taken, given
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_entries_add_up_to_zero';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_entries_add_up_to_zero
    AFTER INSERT ON billing_transfer DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing_transfer_balances();
"""

APPEND_ONLY = """
CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

NEVER_TRUNCATED = """
CREATE TRIGGER {table}_is_never_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

FINAL = ("billing_transfer", "billing_ledgerentry", "billing_receipt", "billing_reversalphase")

FROZEN = """
CREATE TRIGGER billing_monthclose_is_frozen
    BEFORE DELETE OR UPDATE OF month, version, figures, previous_digest, digest, closed_by_id,
                               closed_at
    ON billing_monthclose FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

# Checked at commit, when wallets and lots of a movement are both written.
AGREE = """
CREATE FUNCTION billing_paid_is_in_lots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    paid bigint;
    in_lots bigint;
BEGIN
    SELECT balance INTO paid FROM billing_wallet
     WHERE organization_id = NEW.organization_id AND purpose = 'paid';
    SELECT coalesce(sum("left"), 0) INTO in_lots FROM billing_lot
     WHERE organization_id = NEW.organization_id AND "left" > 0;
    IF paid IS DISTINCT FROM in_lots THEN
        RAISE EXCEPTION 'organization %: % paid, % in lots', NEW.organization_id, paid, in_lots
            USING ERRCODE = 'check_violation', CONSTRAINT = 'paid_credits_are_those_in_lots',
                  HINT = 'manage.py repair_lots shows why.';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lot_rests_make_up_the_paid_wallet
    AFTER INSERT OR UPDATE OF "left" ON billing_lot DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION billing_paid_is_in_lots();
CREATE CONSTRAINT TRIGGER paid_wallet_is_made_up_of_lots
    AFTER UPDATE OF balance ON billing_wallet DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.purpose = 'paid' AND NEW.balance <> OLD.balance)
    EXECUTE FUNCTION billing_paid_is_in_lots();
"""

PACKS = (
    ("starter-500", "Starter", 500, True),
    ("builder-2000", "Builder", 2000, False),
    ("studio-5000", "Studio", 5000, False),
)


def offer(apps: Any, _: Any) -> None:
    """Add the packs that an installation begins with; staff edit them in the console."""
    apps.get_model("billing", "CreditPack").objects.bulk_create(
        apps.get_model("billing", "CreditPack")(
            pack_id=pack_id,
            name=name,
            display_name=f"{name}: {credits} credits",
            credits=credits,
            amount_cents=credits,
            is_default=is_default,
        )
        for pack_id, name, credits, is_default in PACKS
    )


class Migration(migrations.Migration):

    replaces = [
        ('billing', '0001_ledger'),
        ('billing', '0002_the_books_guard_themselves'),
        ('billing', '0003_quotes_attempts_receipts_and_the_inbox'),
        ('billing', '0004_receipts_are_final_and_packs_are_offered'),
        ('billing', '0005_refunds_and_disputes'),
        ('billing', '0006_requests_reconciliation_and_month_close'),
        ('billing', '0007_figures_by_day'),
        ('billing', '0008_closed_months_are_frozen'),
        ('billing', '0009_evidence_of_disputes'),
        ('billing', '0010_final_rows_are_not_truncated'),
        ('billing', '0011_changes_of_packs'),
        ('billing', '0012_filters_go_by_indexes'),
        ('billing', '0013_wallet_totals'),
        ('billing', '0014_balances_of_past_moments'),
        ('billing', '0015_payments_are_filtered_by_indexes'),
        ('billing', '0016_reconciliation_is_filtered_by_indexes'),
        ('billing', '0017_refunds_are_found_by_stripes_id'),
        ('billing', '0018_things_by_their_names'),
        ('billing', '0019_paid_credits_are_those_in_lots'),
        ('billing', '0020_every_moment_from_one_clock'),
        ('billing', '0021_takings_are_clawbacks'),
        ('billing', '0022_events_can_be_given_up'),
        ('billing', '0023_labels'),
        ('billing', '0024_sponsors_refunds_by_two'),
        ('billing', '0025_effects_follow_from_facts'),
        ('billing', '0026_facts_of_what_is_known'),
        ('billing', '0027_reconciled_amounts_are_signed'),
        ('billing', '0028_receipts_are_documents'),
        ('billing', '0029_payers_of_earlier_receipts'),
        ('billing', '0030_early_fraud_warnings'),
        ('billing', '0031_checks_of_what_changed'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0021_starter_ceiling_is_mailed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(editable=False, max_length=64, unique=True)),
                ('number', models.CharField(max_length=32, unique=True)),
                ('payment_method', models.CharField(choices=[('fake', 'Fake'), ('stripe_checkout', 'Stripe Checkout')], max_length=32)),
                ('environment', models.CharField(choices=[('live', 'Live'), ('test', 'Test'), ('stand_in', 'Stand-in')], max_length=16)),
                ('idempotency_key', models.CharField(max_length=200)),
                ('credits', models.PositiveIntegerField()),
                ('amount_cents', models.PositiveIntegerField()),
                ('discount_cents', models.PositiveIntegerField(default=0, verbose_name='discount')),
                ('currency', models.CharField(max_length=3)),
                ('owed_settled_credits', models.PositiveIntegerField(default=0, verbose_name='applied to debt')),
                ('balance_after', models.PositiveIntegerField()),
                ('credit_event_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('credit_event',), **{}), editable=False, max_length=64, unique=True)),
                ('tax_cents', models.PositiveIntegerField(default=0, verbose_name='tax')),
                ('is_tax_included', models.BooleanField(default=False, verbose_name='tax included in the price')),
                ('tax_reason', models.CharField(blank=True, max_length=32)),
                ('seller', models.JSONField(default=dict)),
                ('billed_to', models.JSONField(default=dict)),
                ('method_kind', models.CharField(blank=True, max_length=32, verbose_name='payment method')),
                ('method_brand', models.CharField(blank=True, max_length=32, verbose_name='card brand')),
                ('method_last4', models.CharField(blank=True, max_length=4, verbose_name='last four digits')),
                ('paid_at', models.DateTimeField(null=True)),
                ('payment_intent_id', models.CharField(blank=True, max_length=255)),
                ('charge_id', models.CharField(blank=True, max_length=255)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
                ('issued_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='accounts.agent')),
            ],
        ),
        migrations.CreateModel(
            name='StarterCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=120, unique=True)),
                ('grants', models.PositiveIntegerField(default=0)),
                ('updated_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='WalletTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('preview', 'Preview credits'), ('paid', 'Paid credits'), ('held', 'Held credits'), ('owed', 'Owed credits'), ('promotions', 'Promotions'), ('payments', 'Payments'), ('revenue', 'Revenue'), ('suspense', 'Suspense'), ('losses', 'Losses'), ('adjustments', 'Adjustments')], max_length=16, unique=True)),
                ('credits', models.BigIntegerField()),
                ('counted_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='BooksCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('finished_at', models.DateTimeField()),
                ('actor', models.CharField(max_length=80)),
                ('problem_count', models.PositiveIntegerField()),
                ('problems', models.JSONField(default=list)),
                ('is_full', models.BooleanField(default=True)),
                ('last_transfer_id', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'ledger check',
                'indexes': [models.Index(fields=['-id'], name='books_check_newest')],
            },
        ),
        migrations.CreateModel(
            name='CreditPack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pack_id', models.SlugField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('display_name', models.CharField(max_length=120)),
                ('credits', models.PositiveIntegerField()),
                ('amount_cents', models.PositiveIntegerField()),
                ('currency', models.CharField(default='USD', max_length=3)),
                ('is_offered', models.BooleanField(default=True)),
                ('is_default', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('credits__gte', 1), ('credits__lte', 5000)), name='pack_has_credits'), models.CheckConstraint(condition=models.Q(('amount_cents', models.F('credits'))), name='pack_costs_a_cent_a_credit'), models.CheckConstraint(condition=models.Q(('currency', 'USD')), name='pack_is_in_dollars'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='pack_one_default'), models.CheckConstraint(condition=models.Q(('is_default', False), ('is_offered', True), _connector='OR'), name='pack_default_is_offered')],
            },
        ),
        migrations.CreateModel(
            name='EarlyFraudWarning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stripe_id', models.CharField(max_length=255, unique=True)),
                ('charge_id', models.CharField(max_length=255)),
                ('payment_intent_id', models.CharField(blank=True, max_length=255)),
                ('fraud_type', models.CharField(max_length=64)),
                ('is_actionable', models.BooleanField()),
                ('warned_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['charge_id'], name='fraud_warning_by_charge')],
            },
        ),
        migrations.CreateModel(
            name='Lot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=80, unique=True)),
                ('granted', models.BigIntegerField()),
                ('left', models.BigIntegerField()),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'verbose_name': 'credit grant',
                'indexes': [models.Index(condition=models.Q(('left__gt', 0)), fields=['organization', 'id'], name='lot_spendable'), models.Index(fields=['organization', '-id'], name='lot_by_organization')],
                'constraints': [models.CheckConstraint(condition=models.Q(('left__gte', 0), ('left__lte', models.F('granted'))), name='lot_left_is_between_nothing_and_granted')],
            },
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
            options={
                'verbose_name': 'credit consumption',
                'verbose_name_plural': 'credit consumption',
                'indexes': [models.Index(fields=['reference', '-id'], name='lot_part_by_reference'), models.Index(fields=['lot', '-id'], name='lot_part_by_lot')],
                'constraints': [models.CheckConstraint(condition=models.Q(('returned__gte', 0), ('returned__lte', models.F('taken')), ('taken__gt', 0)), name='lot_part_returns_at_most_what_it_took')],
            },
        ),
        migrations.CreateModel(
            name='MoneyDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('name', models.CharField(max_length=24)),
                ('environment', models.CharField(blank=True, max_length=16)),
                ('count', models.PositiveIntegerField(default=0)),
                ('credits', models.BigIntegerField(default=0)),
                ('amount_cents', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'daily total',
                'constraints': [models.UniqueConstraint(fields=('day', 'name', 'environment'), name='money_once_for_day_and_name')],
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
                ('closed_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('reopen_reason', models.CharField(blank=True, max_length=1000)),
                ('reopened_at', models.DateTimeField(blank=True, null=True)),
                ('closed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reopen_asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reopening requested by')),
                ('reopened_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-month', '-version'],
                'constraints': [models.UniqueConstraint(fields=('month', 'version'), name='month_close_once_a_version'), models.UniqueConstraint(condition=models.Q(('reopened_at__isnull', True)), fields=('month',), name='month_close_one_in_force'), models.CheckConstraint(condition=models.Q(models.Q(('reopened_at__isnull', True), ('reopened_by__isnull', True)), models.Q(('reopen_asked_by__isnull', False), ('reopened_at__isnull', False), ('reopened_by__isnull', False), models.Q(('reopened_by', models.F('reopen_asked_by')), _negated=True)), _connector='OR'), name='month_close_reopened_by_a_second_person')],
            },
        ),
        migrations.CreateModel(
            name='PackChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'Pending approval'), ('approved', 'Approved'), ('turned_down', 'Rejected'), ('expired', 'Expired')], default='requested', max_length=12)),
                ('needs_second_person', models.BooleanField(default=True)),
                ('requested_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('reason', models.CharField(max_length=1000)),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_note', models.CharField(blank=True, max_length=1000)),
                ('pack_id', models.SlugField(max_length=64)),
                ('name', models.CharField(max_length=80)),
                ('display_name', models.CharField(max_length=120)),
                ('credits', models.PositiveIntegerField()),
                ('is_offered', models.BooleanField(default=True)),
                ('is_default', models.BooleanField(default=False)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'pack change request',
                'abstract': False,
                'indexes': [models.Index(fields=['state', '-id'], name='pack_change_by_state')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='packchange_never_decided_by_who_asked'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('needs_second_person', False), ('decided_by__isnull', False), _connector='OR'), name='packchange_approved_by_a_second_person_where_needed'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='packchange_says_why'), models.CheckConstraint(condition=models.Q(('credits__gte', 1), ('credits__lte', 5000)), name='pack_change_has_credits'), models.CheckConstraint(condition=models.Q(('is_default', False), ('is_offered', True), _connector='OR'), name='pack_change_default_is_offered')],
            },
        ),
        migrations.CreateModel(
            name='Quote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('quote',), **{}), editable=False, max_length=64, unique=True)),
                ('idempotency_key', models.CharField(max_length=200)),
                ('payment_method', models.CharField(choices=[('fake', 'Fake'), ('stripe_checkout', 'Stripe Checkout')], max_length=32)),
                ('pack_id', models.CharField(blank=True, max_length=64)),
                ('pack_name', models.CharField(blank=True, max_length=120)),
                ('credits', models.PositiveIntegerField()),
                ('price_cents', models.PositiveIntegerField()),
                ('currency', models.CharField(default='USD', max_length=3)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('expires_at', models.DateTimeField()),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='accounts.agent')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='accounts.organization')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', '-id'], name='quote_newest'), models.Index(fields=['payment_method', '-id'], name='quote_by_method'), models.Index(fields=['pack_id', '-id'], name='quote_by_pack')],
                'constraints': [models.CheckConstraint(condition=models.Q(('agent__isnull', True), ('user__isnull', True), _connector='XOR'), name='quote_has_one_buyer'), models.UniqueConstraint(fields=('agent', 'idempotency_key'), name='quote_once_an_agent_and_key'), models.UniqueConstraint(fields=('user', 'organization', 'idempotency_key'), name='quote_once_a_sponsor_and_key'), models.CheckConstraint(condition=models.Q(('credits__gte', 1), ('credits__lte', 5000)), name='quote_has_credits'), models.CheckConstraint(condition=models.Q(('currency', 'USD'), ('price_cents', models.F('credits'))), name='quote_costs_a_cent_a_credit')],
            },
        ),
        migrations.CreateModel(
            name='PaymentAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('payment_attempt',), **{}), editable=False, max_length=64, unique=True)),
                ('idempotency_key', models.CharField(max_length=200)),
                ('environment', models.CharField(choices=[('live', 'Live'), ('test', 'Test'), ('stand_in', 'Stand-in')], max_length=16)),
                ('status', models.CharField(choices=[('created', 'Created'), ('open', 'Open'), ('processing', 'Processing'), ('succeeded', 'Paid'), ('failed', 'Failed'), ('expired', 'Expired'), ('canceled', 'Canceled'), ('needs_staff', 'Needs review'), ('overpaid', 'Overpaid')], default='created', max_length=16)),
                ('problem', models.CharField(blank=True, max_length=64)),
                ('session_try', models.PositiveSmallIntegerField(default=1)),
                ('session_expires_at', models.DateTimeField()),
                ('checkout_session_id', models.CharField(blank=True, max_length=255, null=True, unique=True)),
                ('checkout_url', models.TextField(blank=True)),
                ('payment_intent_id', models.CharField(blank=True, max_length=255)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
                ('next_check_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.agent')),
                ('quote', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='billing.quote')),
            ],
            options={
                'verbose_name': 'checkout',
                'indexes': [models.Index(condition=models.Q(('status__in', ('created', 'open', 'processing'))), fields=['next_check_at'], name='attempt_due'), models.Index(fields=['status', '-id'], name='attempt_by_status'), models.Index(fields=['environment', '-id'], name='attempt_by_environment'), models.Index(fields=['payment_intent_id'], name='attempt_by_payment_intent')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ('created', 'open', 'processing'))), fields=('quote',), name='attempt_one_payable_a_quote'), models.UniqueConstraint(fields=('agent', 'idempotency_key'), name='attempt_once_an_agent_and_key'), models.UniqueConstraint(fields=('quote', 'idempotency_key'), name='attempt_once_a_quote_and_key'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'open'), _negated=True), ('checkout_session_id__isnull', False), _connector='OR'), name='attempt_open_has_its_session')],
            },
        ),
        migrations.CreateModel(
            name='RefundBlock',
            fields=[
                ('receipt', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='refund_block', serialize=False, to='billing.receipt')),
                ('reason', models.CharField(max_length=1000)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
            ],
        ),
        migrations.AddField(
            model_name='receipt',
            name='attempt',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipt', to='billing.paymentattempt'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='accounts.organization'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='payer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='paid_receipts', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='receipt',
            name='quote',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='receipt', to='billing.quote'),
        ),
        migrations.CreateModel(
            name='PaymentReversal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('payment_reversal',), **{}), editable=False, max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('refund', 'Refund'), ('dispute', 'Dispute')], max_length=8)),
                ('stripe_id', models.CharField(max_length=255, unique=True)),
                ('charge_id', models.CharField(blank=True, max_length=255)),
                ('payment_intent_id', models.CharField(blank=True, max_length=255)),
                ('amount_cents', models.PositiveIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('reason', models.CharField(blank=True, max_length=64)),
                ('stripe_status', models.CharField(max_length=64)),
                ('failure_reason', models.CharField(blank=True, max_length=64)),
                ('stripe_created_at', models.DateTimeField(blank=True, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_cents', models.PositiveIntegerField(default=0)),
                ('reinstated_cents', models.PositiveIntegerField(default=0)),
                ('evidence_due_by', models.DateTimeField(blank=True, null=True)),
                ('state', models.CharField(choices=[('seen', 'Inquiry'), ('applied', 'Debited'), ('undone', 'Reinstated'), ('lost', 'Lost'), ('closed', 'Closed'), ('rejected', 'Rejected'), ('set_aside', 'Unmatched')], default='seen', max_length=16)),
                ('in_force_cents', models.PositiveIntegerField(default=0)),
                ('credits', models.PositiveIntegerField(default=0)),
                ('excess_credits', models.PositiveIntegerField(default=0)),
                ('problem', models.CharField(blank=True, choices=[('no_receipt', 'No receipt found'), ('other_currency', 'Currency mismatch'), ('reversed_already', 'Already reversed'), ('exceeds_receipt', 'Exceeds receipt'), ('reinstated_after_loss', 'Reinstated after loss')], max_length=32)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('resolution', models.CharField(blank=True, max_length=1000)),
                ('credit_event_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('credit_event',), **{}), editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='accounts.organization')),
                ('receipt', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='billing.receipt')),
            ],
            options={
                'verbose_name': 'refund or dispute',
                'verbose_name_plural': 'refunds & disputes',
                'indexes': [models.Index(fields=['organization', '-id'], name='reversal_newest_of'), models.Index(fields=['state', '-id'], name='reversal_by_state'), models.Index(fields=['kind', '-id'], name='reversal_by_kind'), models.Index(fields=['problem', '-id'], name='reversal_by_problem'), models.Index(fields=['reason', '-id'], name='reversal_by_reason'), models.Index(fields=['charge_id'], name='reversal_by_charge'), models.Index(fields=['payment_intent_id'], name='reversal_by_payment_intent'), models.Index(condition=models.Q(('kind', 'dispute'), ('state__in', ('seen', 'applied', 'rejected', 'set_aside'))), fields=['evidence_due_by'], name='reversal_by_deadline'), models.Index(condition=models.Q(('in_force_cents__gt', 0), ('receipt__isnull', False)), fields=['receipt', 'kind', 'state', 'in_force_cents'], name='reversal_of_receipt_in_force'), models.Index(condition=models.Q(models.Q(('problem', ''), _negated=True), ('resolved_at__isnull', True)), fields=['-id'], name='reversal_flagged')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('organization__isnull', True), ('receipt__isnull', True)), models.Q(('organization__isnull', False), ('receipt__isnull', False)), _connector='OR'), name='reversal_of_a_receipt_knows_its_organization'), models.CheckConstraint(condition=models.Q(('credits', 0), ('receipt__isnull', False), _connector='OR'), name='reversal_moves_credits_of_a_receipt'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'lost'), _negated=True), ('kind', 'dispute'), _connector='OR'), name='reversal_only_disputes_are_lost'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('problem', ''), _negated=True), _connector='OR'), name='reversal_rejected_says_why'), models.CheckConstraint(condition=models.Q(('resolved_at__isnull', True), models.Q(('resolution', ''), _negated=True), _connector='OR'), name='reversal_resolved_with_a_note')],
            },
        ),
        migrations.CreateModel(
            name='Difference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=300, unique=True)),
                ('reason', models.CharField(choices=[('missing_event', 'Missing in ledger'), ('missing_movement', 'Missing in Stripe'), ('double', 'Duplicate'), ('amount', 'Amount mismatch'), ('fee', 'Stripe fee mismatch'), ('exchange', 'Currency mismatch'), ('state', 'Not posted')], max_length=24)),
                ('day', models.DateField()),
                ('environment', models.CharField(choices=[('live', 'Live'), ('test', 'Test'), ('stand_in', 'Stand-in')], max_length=16)),
                ('stripe_id', models.CharField(blank=True, max_length=255)),
                ('stripe_cents', models.BigIntegerField(null=True, verbose_name='Stripe')),
                ('stripe_currency', models.CharField(default='USD', max_length=3)),
                ('our_cents', models.BigIntegerField(null=True, verbose_name='ledger')),
                ('state', models.CharField(choices=[('open', 'Open'), ('agreed', 'Auto-resolved'), ('closed', 'Resolved')], default='open', max_length=8)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('found_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to=settings.AUTH_USER_MODEL)),
                ('reversal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='billing.paymentreversal')),
                ('receipt', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='billing.receipt')),
            ],
            options={
                'verbose_name': 'discrepancy',
                'verbose_name_plural': 'discrepancies',
                'ordering': ['-day', '-id'],
                'indexes': [models.Index(fields=['state', '-id'], name='difference_by_state'), models.Index(fields=['reason', '-id'], name='difference_by_reason'), models.Index(fields=['day', '-id'], name='difference_by_day'), models.Index(fields=['stripe_id'], name='difference_by_stripe_id')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('state', 'closed'), _negated=True), models.Q(('closed_at__isnull', False), ('owner__isnull', False), models.Q(('note', ''), _negated=True)), _connector='OR'), name='difference_closed_by_its_owner_with_a_note')],
            },
        ),
        migrations.CreateModel(
            name='ReceiptSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('prefix', models.CharField(max_length=8)),
                ('year', models.PositiveSmallIntegerField()),
                ('last_number', models.PositiveIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('prefix', 'year'), name='receipt_series_once')],
            },
        ),
        migrations.CreateModel(
            name='ReconciledDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('environment', models.CharField(choices=[('live', 'Live'), ('test', 'Test'), ('stand_in', 'Stand-in')], max_length=16)),
                ('stripe_payments_cents', models.BigIntegerField(default=0)),
                ('stripe_refunds_cents', models.BigIntegerField(default=0)),
                ('stripe_disputes_cents', models.BigIntegerField(default=0)),
                ('stripe_fees_cents', models.BigIntegerField(default=0)),
                ('receipts_cents', models.BigIntegerField(default=0)),
                ('refunds_cents', models.BigIntegerField(default=0)),
                ('disputes_cents', models.BigIntegerField(default=0)),
                ('granted_credits', models.BigIntegerField(default=0)),
                ('reversed_credits', models.BigIntegerField(default=0)),
                ('stripe_net_cents', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('stripe_payments_cents'), '+', models.F('stripe_refunds_cents')), '+', models.F('stripe_disputes_cents')), output_field=models.BigIntegerField(), verbose_name='Stripe net')),
                ('ledger_net_cents', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('receipts_cents'), '+', models.F('refunds_cents')), '+', models.F('disputes_cents')), output_field=models.BigIntegerField(), verbose_name='ledger net')),
                ('delta_cents', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('stripe_payments_cents'), '+', models.F('stripe_refunds_cents')), '+', models.F('stripe_disputes_cents')), '-', models.F('receipts_cents')), '-', models.F('refunds_cents')), '-', models.F('disputes_cents')), output_field=models.BigIntegerField(), verbose_name='delta')),
                ('open_differences', models.PositiveIntegerField(default=0, verbose_name='open discrepancies')),
                ('reconciled_at', models.DateTimeField(default=imageskill.lib.clock.now)),
            ],
            options={
                'verbose_name_plural': 'reconciliation',
                'ordering': ['-day'],
                'indexes': [models.Index(fields=['environment', '-id'], name='reconciled_day_by_environment')],
                'constraints': [models.UniqueConstraint(fields=('day', 'environment'), name='reconciled_day_once')],
            },
        ),
        migrations.CreateModel(
            name='ReversalPhase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phase', models.CharField(choices=[('seen', 'Received'), ('taken', 'Debited'), ('rejected', 'Rejected'), ('undone', 'Reinstated'), ('lost', 'Lost'), ('closed', 'Closed')], max_length=16)),
                ('details', models.JSONField(default=dict)),
                ('at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('reversal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='phases', to='billing.paymentreversal')),
            ],
            options={
                'indexes': [models.Index(fields=['reversal', 'id'], name='reversal_phase_in_order')],
            },
        ),
        migrations.CreateModel(
            name='StripeEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('received', 'Received'), ('handled', 'Processed'), ('failed', 'Failed'), ('ignored', 'Ignored')], default='received', max_length=16)),
                ('outcome', models.CharField(blank=True, max_length=200)),
                ('error', models.TextField(blank=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('deliveries', models.PositiveIntegerField(default=1)),
                ('received_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('handled_at', models.DateTimeField(blank=True, null=True)),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('event_id', models.CharField(max_length=255, unique=True)),
                ('type', models.CharField(max_length=100)),
                ('object_id', models.CharField(blank=True, max_length=255)),
                ('related_ids', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), default=list, size=None)),
                ('is_live_mode', models.BooleanField()),
                ('payload', models.JSONField()),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'Stripe event',
                'indexes': [models.Index(condition=models.Q(('state__in', ('received', 'failed'))), fields=['next_attempt_at'], name='stripe_event_waiting'), models.Index(fields=['state', '-id'], name='stripe_event_by_state'), models.Index(fields=['type', '-id'], name='stripe_event_by_type'), models.Index(fields=['object_id'], name='stripe_event_by_object'), django.contrib.postgres.indexes.GinIndex(fields=['related_ids'], name='stripe_event_by_related')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('handled_at__isnull', False), ('state', 'handled')), models.Q(models.Q(('state', 'handled'), _negated=True), ('handled_at__isnull', True)), _connector='OR'), name='stripe_event_handled_has_its_moment')],
            },
        ),
        migrations.CreateModel(
            name='UnmatchedPayment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('checkout_session_id', models.CharField(max_length=255, unique=True)),
                ('payment_intent_id', models.CharField(blank=True, max_length=255)),
                ('charge_id', models.CharField(blank=True, db_index=True, max_length=255)),
                ('reason', models.CharField(choices=[('second_payment', 'Duplicate payment'), ('amount_mismatch', 'Amount mismatch'), ('currency_mismatch', 'Currency mismatch')], max_length=32)),
                ('environment', models.CharField(choices=[('live', 'Live'), ('test', 'Test'), ('stand_in', 'Stand-in')], max_length=16)),
                ('amount_cents', models.PositiveIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('state', models.CharField(choices=[('open', 'Open'), ('refunding', 'Refund under way'), ('partly_refunded', 'Partially refunded'), ('refunded', 'Refunded'), ('disputed', 'Disputed'), ('lost', 'Lost'), ('closed', 'Resolved')], default='open', max_length=16)),
                ('refunded_cents', models.PositiveIntegerField(default=0)),
                ('note', models.TextField(blank=True)),
                ('found_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unmatched_payments', to='billing.paymentattempt')),
                ('quote', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unmatched_payments', to='billing.quote')),
            ],
            options={
                'indexes': [models.Index(fields=['state', '-id'], name='unmatched_payment_by_state'), models.Index(fields=['reason', '-id'], name='unmatched_payment_by_reason'), models.Index(fields=['payment_intent_id'], name='unmatched_payment_by_intent')],
            },
        ),
        migrations.CreateModel(
            name='RefundRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'Pending approval'), ('approved', 'Approved'), ('turned_down', 'Rejected'), ('expired', 'Expired')], default='requested', max_length=12)),
                ('needs_second_person', models.BooleanField(default=True)),
                ('requested_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('reason', models.CharField(max_length=1000)),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_note', models.CharField(blank=True, max_length=1000)),
                ('amount_cents', models.PositiveIntegerField()),
                ('reason_code', models.CharField(choices=[('requested_by_customer', 'Requested by customer'), ('duplicate', 'Duplicate payment'), ('service', 'Service failure'), ('fraudulent', 'Fraudulent'), ('unused', 'Unused credits')], max_length=32)),
                ('is_from_sponsor', models.BooleanField(default=False)),
                ('first_approved_at', models.DateTimeField(blank=True, null=True)),
                ('stripe_key', models.CharField(default=functools.partial(imageskill.lib.ids.random_text, *(22,), **{}), editable=False, max_length=64, unique=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('stripe_refund_id', models.CharField(blank=True, max_length=255)),
                ('refund_status', models.CharField(blank=True, max_length=16)),
                ('failure', models.CharField(blank=True, max_length=200)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('reserved_credits', models.PositiveIntegerField(default=0)),
                ('failure_resolved_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('first_approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('receipt', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refund_requests', to='billing.receipt')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reversal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='billing.paymentreversal')),
                ('unmatched_payment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refund_requests', to='billing.unmatchedpayment')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['state', '-id'], name='refund_request_by_state'), models.Index(fields=['is_from_sponsor', '-id'], name='refund_request_by_asker'), models.Index(condition=models.Q(('stripe_refund_id', ''), _negated=True), fields=['stripe_refund_id'], name='refund_request_at_stripe'), models.Index(condition=models.Q(('finished_at__isnull', True), ('state', 'approved')), fields=['id'], name='refund_request_to_send'), models.Index(condition=models.Q(models.Q(('failure', ''), _negated=True), ('failure_resolved_at__isnull', True)), fields=['id'], name='refund_request_failed'), models.Index(condition=models.Q(('reserved_credits__gt', 0)), fields=['id'], name='refund_request_reserving')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='refundrequest_never_decided_by_who_asked'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('needs_second_person', False), ('decided_by__isnull', False), _connector='OR'), name='refundrequest_approved_by_a_second_person_where_needed'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='refundrequest_says_why'), models.CheckConstraint(condition=models.Q(('receipt__isnull', False), ('unmatched_payment__isnull', False), _connector='XOR'), name='refund_request_is_about_one_payment'), models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='refund_request_of_something'), models.CheckConstraint(condition=models.Q(('first_approved_by__isnull', True), models.Q(models.Q(('first_approved_by', models.F('requested_by')), _negated=True), models.Q(('decided_by__isnull', True), models.Q(('first_approved_by', models.F('decided_by')), _negated=True), _connector='OR')), _connector='OR'), name='refund_request_first_approved_by_another'), models.CheckConstraint(condition=models.Q(('reserved_credits', 0), ('receipt__isnull', False), _connector='OR'), name='refund_request_reserves_credits_of_a_receipt')],
            },
        ),
        migrations.CreateModel(
            name='BalanceMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stripe_id', models.CharField(max_length=255, unique=True)),
                ('category', models.CharField(choices=[('payment', 'Payment'), ('refund', 'Refund'), ('refund_failure', 'Refund failure'), ('dispute', 'Dispute'), ('dispute_reversal', 'Dispute reversal'), ('other', 'Other')], max_length=24)),
                ('stripe_type', models.CharField(max_length=64)),
                ('source_id', models.CharField(blank=True, db_index=True, max_length=255)),
                ('amount_cents', models.BigIntegerField()),
                ('fee_cents', models.BigIntegerField()),
                ('net_cents', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('exchange_rate', models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ('environment', models.CharField(choices=[('live', 'Live'), ('test', 'Test'), ('stand_in', 'Stand-in')], max_length=16)),
                ('is_ours', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('read_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('reversal', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='billing.paymentreversal')),
                ('receipt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='billing.receipt')),
                ('unmatched_payment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='billing.unmatchedpayment')),
            ],
            options={
                'verbose_name': 'balance transaction',
                'indexes': [models.Index(fields=['-created_at'], name='balance_movement_newest'), models.Index(fields=['category', '-id'], name='balance_movement_by_category'), models.Index(fields=['environment', '-id'], name='balance_movement_by_env')],
            },
        ),
        migrations.CreateModel(
            name='Wallet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('preview', 'Preview credits'), ('paid', 'Paid credits'), ('held', 'Held credits'), ('owed', 'Owed credits'), ('promotions', 'Promotions'), ('payments', 'Payments'), ('revenue', 'Revenue'), ('suspense', 'Suspense'), ('losses', 'Losses'), ('adjustments', 'Adjustments')], max_length=16)),
                ('balance', models.BigIntegerField(default=0)),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['purpose', '-id'], name='wallet_by_purpose')],
                'constraints': [models.CheckConstraint(condition=models.Q(('organization__isnull', True), ('balance__gte', 0), _connector='OR'), name='wallet_of_an_organization_is_never_negative'), models.CheckConstraint(condition=models.Q(models.Q(('organization__isnull', False), ('purpose__in', ('preview', 'paid', 'held', 'owed'))), models.Q(('organization__isnull', True), ('purpose__in', ['promotions', 'payments', 'revenue', 'suspense', 'losses', 'adjustments'])), _connector='OR'), name='wallet_purpose_fits_its_owner'), models.UniqueConstraint(fields=('organization', 'purpose'), name='wallet_one_per_organization_and_purpose'), models.UniqueConstraint(condition=models.Q(('organization__isnull', True)), fields=('purpose',), name='wallet_one_of_the_house_per_purpose')],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200, unique=True)),
                ('kind', models.CharField(choices=[('preview_grant', 'Preview credits granted'), ('paid_grant', 'Paid credits granted'), ('hold_preview', 'Preview credits held for a job'), ('hold_paid', 'Paid credits held for a job'), ('capture', 'Held credits captured'), ('return_preview', 'Held preview credits released'), ('return_paid', 'Held paid credits released'), ('refund', 'Refund: paid credits debited'), ('refund_owed', 'Refund: spent credits owed'), ('refund_undone', 'Refund failed: credits returned'), ('refund_owed_undone', 'Refund failed: debt forgiven'), ('refund_settled', 'Refund: paid credits applied to debt'), ('refund_owed_settled', 'Refund: debt settled'), ('refund_loss_recovered', 'Refund failed: write-off recovered'), ('refund_reserved', 'Refund under way: paid credits reserved'), ('refund_reserve_returned', 'Refund ended: reserve returned'), ('dispute', 'Dispute: paid credits debited'), ('dispute_owed', 'Dispute: spent credits owed'), ('dispute_won', 'Dispute won: credits returned'), ('dispute_owed_won', 'Dispute won: debt forgiven'), ('dispute_settled', 'Dispute: paid credits applied to debt'), ('dispute_owed_settled', 'Dispute: debt settled'), ('dispute_loss_recovered', 'Dispute won: write-off recovered'), ('dispute_lost', 'Dispute lost: credits written off'), ('dispute_lost_owed', 'Dispute lost: debt moved to losses'), ('dispute_loss_undone', 'Dispute won after all: loss recovered'), ('write_off', 'Debt written off'), ('adjust_preview_up', 'Adjustment: preview credits added'), ('adjust_preview_down', 'Adjustment: preview credits removed'), ('adjust_paid_up', 'Adjustment: paid credits added'), ('adjust_paid_down', 'Adjustment: paid credits removed')], max_length=24)),
                ('credits', models.BigIntegerField()),
                ('actor', models.CharField(max_length=80)),
                ('reason', models.CharField(blank=True, max_length=400)),
                ('reference', models.CharField(db_index=True, max_length=80)),
                ('created_at', models.DateTimeField(db_index=True, default=imageskill.lib.clock.now)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('parent', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='billing.transfer')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.wallet')),
                ('target', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.wallet')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', '-id'], name='transfer_by_organization'), models.Index(fields=['organization', '-created_at', '-id'], name='transfer_by_moment'), models.Index(fields=['kind', '-id'], name='transfer_by_kind')],
                'constraints': [models.CheckConstraint(condition=models.Q(('credits__gt', 0)), name='transfer_moves_more_than_nothing'), models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='transfer_leads_elsewhere'), models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='transfer_has_a_key')],
            },
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
            options={
                'verbose_name_plural': 'ledger entries',
                'indexes': [models.Index(fields=['wallet', '-id'], name='entry_by_wallet')],
                'constraints': [models.CheckConstraint(condition=models.Q(('credits', 0), _negated=True), name='entry_is_not_nothing'), models.UniqueConstraint(models.F('transfer'), django.db.models.functions.math.Sign('credits'), name='entry_one_on_each_side')],
            },
        ),
        migrations.CreateModel(
            name='Clawback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=80, unique=True)),
                ('cause_key', models.CharField(max_length=160, unique=True)),
                ('receipt_id', models.CharField(db_index=True, max_length=80)),
                ('cause', models.CharField(choices=[('refund', 'Refund'), ('dispute', 'Dispute')], max_length=8)),
                ('state', models.CharField(choices=[('open', 'In force'), ('undone', 'Reinstated'), ('lost', 'Lost')], default='open', max_length=8)),
                ('taken', models.BigIntegerField()),
                ('owed', models.BigIntegerField()),
                ('written_off', models.BigIntegerField(default=0)),
                ('place', models.PositiveIntegerField(default=0)),
                ('movements', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'db_table': 'billing_taking',
                'indexes': [models.Index(condition=models.Q(('owed__gt', 0)), fields=['organization', 'id'], name='taking_owed')],
                'constraints': [models.CheckConstraint(condition=models.Q(('owed__gte', 0), ('taken__gte', 0), ('written_off__gte', 0)), name='taking_is_never_negative'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'undone'), _negated=True), models.Q(('owed', 0), ('taken', 0), ('written_off', 0)), _connector='OR'), name='taking_undone_leaves_nothing')],
            },
        ),
        migrations.CreateModel(
            name='CreditCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'Pending approval'), ('approved', 'Approved'), ('turned_down', 'Rejected'), ('expired', 'Expired')], default='requested', max_length=12)),
                ('needs_second_person', models.BooleanField(default=True)),
                ('requested_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('reason', models.CharField(max_length=1000)),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_note', models.CharField(blank=True, max_length=1000)),
                ('kind', models.CharField(choices=[('goodwill', 'Goodwill credits'), ('adjust_preview', 'Preview credits adjusted'), ('adjust_paid', 'Paid credits adjusted'), ('write_off', 'Debt written off')], max_length=16)),
                ('credits', models.IntegerField()),
                ('applied_credits', models.IntegerField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='accounts.organization')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'credit adjustment',
                'abstract': False,
                'indexes': [models.Index(fields=['state', '-id'], name='correction_by_state'), models.Index(fields=['kind', '-id'], name='correction_by_kind')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='creditcorrection_never_decided_by_who_asked'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('needs_second_person', False), ('decided_by__isnull', False), _connector='OR'), name='creditcorrection_approved_by_a_second_person_where_needed'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='creditcorrection_says_why'), models.CheckConstraint(condition=models.Q(('credits__gt', 0), models.Q(('credits__lt', 0), ('kind__in', ('adjust_preview', 'adjust_paid'))), _connector='OR'), name='correction_of_something'), models.CheckConstraint(condition=models.Q(('kind', 'goodwill'), ('needs_second_person', True), _connector='OR'), name='correction_alone_only_as_goodwill'), models.CheckConstraint(condition=models.Q(models.Q(('applied_credits__isnull', False), ('state', 'approved')), models.Q(models.Q(('state', 'approved'), _negated=True), ('applied_credits__isnull', True)), _connector='OR'), name='correction_applied_when_approved')],
            },
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
                'verbose_name': 'daily usage',
                'verbose_name_plural': 'daily usage',
                'constraints': [models.UniqueConstraint(fields=('agent', 'day'), name='daily_use_one_a_day'), models.CheckConstraint(condition=models.Q(('credits__gte', 0), ('jobs__gte', 0)), name='daily_use_is_never_negative')],
            },
        ),
        migrations.CreateModel(
            name='DisputeEvidence',
            fields=[
                ('reversal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='evidence', serialize=False, to='billing.paymentreversal')),
                ('parts', models.JSONField(default=dict)),
                ('edited_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('submitting_at', models.DateTimeField(blank=True, null=True)),
                ('file_id', models.CharField(blank=True, max_length=255)),
                ('edited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'dispute evidence',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', True), ('sent_by__isnull', True)), models.Q(('sent_at__isnull', False), ('sent_by__isnull', False)), _connector='OR'), name='evidence_sent_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='JobHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job_id', models.CharField(max_length=80, unique=True)),
                ('preview', models.BigIntegerField()),
                ('paid', models.BigIntegerField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('captured', 'Captured'), ('released', 'Released')], default='open', max_length=10)),
                ('captured_preview', models.BigIntegerField(default=0)),
                ('captured_paid', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['state', '-id'], name='hold_by_state'), models.Index(condition=models.Q(('state', 'open')), fields=['organization'], name='hold_open_by_organization')],
                'constraints': [models.CheckConstraint(condition=models.Q(('paid__gte', 0), ('preview__gte', 0), ('preview__gt', django.db.models.expressions.CombinedExpression(models.F('paid'), '*', models.Value(-1)))), name='hold_of_something'), models.CheckConstraint(condition=models.Q(('captured_paid__gte', 0), ('captured_paid__lte', models.F('paid')), ('captured_preview__gte', 0), ('captured_preview__lte', models.F('preview'))), name='hold_captures_at_most_itself'), models.CheckConstraint(condition=models.Q(('state', 'captured'), models.Q(('captured_paid', 0), ('captured_preview', 0)), _connector='OR'), name='hold_charges_only_when_captured'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state', 'open')), models.Q(('closed_at__isnull', False), ('state__in', ['captured', 'released'])), _connector='OR'), name='hold_is_closed_with_a_time')],
            },
        ),
        migrations.AddField(
            model_name='refundblock',
            name='blocked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['organization', '-id'], name='receipt_newest'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['environment', '-issued_at'], name='receipt_by_day'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['agent', '-id'], name='receipt_newest_of_agent'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['environment', '-id'], name='receipt_by_environment'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['payment_method', '-id'], name='receipt_by_method'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(models.Func('issued_at', output_field=models.DateField(), template="date_trunc('month', %(expressions)s AT TIME ZONE 'UTC')::date"), models.OrderBy(models.F('id'), descending=True), name='receipt_by_utc_month'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(models.Func('issued_at', output_field=models.DateField(), template="(%(expressions)s AT TIME ZONE 'UTC')::date"), models.OrderBy(models.F('id'), descending=True), name='receipt_by_utc_day'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['payment_intent_id'], name='receipt_by_payment_intent'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['charge_id'], name='receipt_by_charge'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('credits__gte', 1), ('currency', 'USD'), models.Q(models.Q(('credits', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('amount_cents'), '+', models.F('discount_cents')), '-', models.F('tax_cents'))), ('is_tax_included', False)), models.Q(('credits', django.db.models.expressions.CombinedExpression(models.F('amount_cents'), '+', models.F('discount_cents'))), ('is_tax_included', True), ('tax_cents__lte', models.F('amount_cents'))), _connector='OR')), name='receipt_amount_makes_its_credits'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('owed_settled_credits__lte', models.F('credits'))), name='receipt_settles_no_more_than_it_grants'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('environment', 'live'), ('number__startswith', 'IS-')), models.Q(models.Q(('environment', 'live'), _negated=True), ('number__startswith', 'TEST-')), _connector='OR'), name='receipt_number_tells_live_from_test'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(fields=('agent', 'payment_method', 'idempotency_key'), name='receipt_once_an_agent_and_key'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(condition=models.Q(('payment_intent_id', ''), _negated=True), fields=('payment_intent_id',), name='receipt_once_a_payment'),
        ),
        migrations.RunSQL(HOUSE),
        migrations.RunSQL(BALANCED),
        migrations.RunSQL(AGREE),
        migrations.RunSQL(FROZEN),
        *(
            migrations.RunSQL((APPEND_ONLY + NEVER_TRUNCATED).format(table=table)) for table in FINAL
        ),
        migrations.RunPython(offer),
    ]
