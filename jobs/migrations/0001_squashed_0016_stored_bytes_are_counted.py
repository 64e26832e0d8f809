"""All tables of jobs as 0001 to 0016 leave them, made at once in a new database."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import functools
import imageskill.lib.clock
import imageskill.lib.ids
from django.conf import settings
from django.db import migrations, models

# A statement at a time: a load of many assets changes each count once.
COUNT_NEW = """
CREATE FUNCTION jobs_count_new_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_organization AS owner
       SET stored_bytes = owner.stored_bytes + added.bytes
      FROM (SELECT organization_id, sum(content_length) AS bytes FROM added_assets
             WHERE storage_key <> '' GROUP BY organization_id) AS added
     WHERE owner.id = added.organization_id;
    RETURN NULL;
END $$;
CREATE TRIGGER new_bytes_are_counted AFTER INSERT ON jobs_asset
    REFERENCING NEW TABLE AS added_assets
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_count_new_bytes();
"""
COUNT_CHANGED = """
CREATE FUNCTION jobs_count_changed_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.storage_key <> '' THEN
        UPDATE accounts_organization SET stored_bytes = stored_bytes - OLD.content_length
         WHERE id = OLD.organization_id;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.storage_key <> '' THEN
            UPDATE accounts_organization SET stored_bytes = stored_bytes + NEW.content_length
             WHERE id = NEW.organization_id;
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER changed_bytes_are_counted
    AFTER UPDATE OF storage_key, content_length, organization_id ON jobs_asset FOR EACH ROW
    WHEN ((OLD.storage_key = '') <> (NEW.storage_key = '')
          OR OLD.content_length <> NEW.content_length
          OR OLD.organization_id <> NEW.organization_id)
    EXECUTE FUNCTION jobs_count_changed_bytes();
CREATE TRIGGER removed_bytes_are_counted AFTER DELETE ON jobs_asset FOR EACH ROW
    EXECUTE FUNCTION jobs_count_changed_bytes();
"""


class Migration(migrations.Migration):

    replaces = [
        ('jobs', '0001_jobs_and_assets'),
        ('jobs', '0002_switches_of_models_and_providers'),
        ('jobs', '0003_figures_by_day'),
        ('jobs', '0004_jobs_never_charged'),
        ('jobs', '0005_downloads_by_day'),
        ('jobs', '0006_when_to_try_again'),
        ('jobs', '0007_orphans_are_closed_and_lists_go_by_index'),
        ('jobs', '0008_jobs_are_found_by_day_and_error'),
        ('jobs', '0009_things_by_their_names'),
        ('jobs', '0010_every_moment_from_one_clock'),
        ('jobs', '0011_kept_outputs_are_staged'),
        ('jobs', '0012_labels'),
        ('jobs', '0013_consumed_credits_by_environment'),
        ('jobs', '0014_partial_batches_refusals_and_manifests'),
        ('jobs', '0015_what_images_need_before_they_leave'),
        ('jobs', '0016_stored_bytes_are_counted'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0021_starter_ceiling_is_mailed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('job',), **{}), editable=False, max_length=64, unique=True)),
                ('operation', models.CharField(choices=[('create', 'Create'), ('edit', 'Edit'), ('upload', 'Upload')], max_length=8)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('storing', 'Storing'), ('completed', 'Completed'), ('failed', 'Failed'), ('canceled', 'Canceled')], default='queued', max_length=16)),
                ('trace_id', models.CharField(max_length=64)),
                ('idempotency_key', models.CharField(blank=True, max_length=200, null=True)),
                ('terms_digest', models.CharField(blank=True, max_length=64)),
                ('capability_id', models.CharField(blank=True, max_length=128)),
                ('model_id', models.CharField(blank=True, max_length=128, verbose_name='model')),
                ('provider_id', models.CharField(blank=True, max_length=32, verbose_name='provider')),
                ('output_count', models.PositiveSmallIntegerField(default=1)),
                ('plan', models.JSONField(default=dict)),
                ('planned_usd', models.DecimalField(decimal_places=6, max_digits=12, null=True, verbose_name='estimated cost (USD)')),
                ('reported_usd', models.DecimalField(decimal_places=6, max_digits=12, null=True, verbose_name='actual cost (USD)')),
                ('credits_held', models.PositiveIntegerField(default=0, verbose_name='credits authorized')),
                ('credits_captured', models.PositiveIntegerField(null=True, verbose_name='credits captured')),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('sent_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('call_began_at', models.DateTimeField(null=True)),
                ('submitted_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('stored_at', models.DateTimeField(null=True)),
                ('completed_at', models.DateTimeField(null=True)),
                ('deadline_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('redeliveries', models.PositiveSmallIntegerField(default=0)),
                ('lease', models.CharField(blank=True, max_length=32)),
                ('leased_until', models.DateTimeField(null=True)),
                ('pause_until', models.DateTimeField(null=True)),
                ('provider_request_id', models.CharField(blank=True, max_length=200)),
                ('provider_state', models.JSONField(null=True)),
                ('provider_usage', models.JSONField(null=True)),
                ('outcome_unknown_at', models.DateTimeField(null=True)),
                ('storage_failed_at', models.DateTimeField(null=True)),
                ('storage_attempts', models.PositiveSmallIntegerField(default=0)),
                ('error_code', models.CharField(blank=True, max_length=64)),
                ('error_message', models.CharField(blank=True, max_length=300)),
                ('error_class', models.CharField(blank=True, max_length=32)),
                ('refusal', models.CharField(blank=True, db_default='', default='', max_length=32)),
                ('missing_outputs', models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                ('retry_at', models.DateTimeField(null=True)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.agent')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', '-id'], name='job_newest_of'), models.Index(fields=['agent', '-id'], name='job_of_agent'), models.Index(fields=['trace_id'], name='job_of_trace'), models.Index(fields=['provider_request_id'], name='job_of_provider_request'), models.Index(fields=['model_id', '-id'], name='job_of_model'), models.Index(fields=['status', '-id'], name='job_by_status'), models.Index(fields=['operation', '-id'], name='job_by_operation'), models.Index(fields=['created_at'], name='job_by_day'), models.Index(condition=models.Q(('error_code', ''), _negated=True), fields=['error_code', '-id'], name='job_by_error'), models.Index(fields=['-completed_at'], name='job_by_end'), models.Index(condition=models.Q(('completed_at', None)), fields=['deadline_at'], name='job_open'), models.Index(condition=models.Q(('credits_captured__isnull', True), ('credits_held__gt', 0), ('status', 'completed')), fields=['id'], name='job_uncharged')],
                'constraints': [models.UniqueConstraint(fields=('agent', 'idempotency_key'), name='job_once_for_an_idempotency_key'), models.CheckConstraint(condition=models.Q(('status__in', ('queued', 'running', 'storing', 'completed', 'failed', 'canceled'))), name='job_status_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('completed_at__isnull', False), ('status__in', ('completed', 'failed', 'canceled'))), models.Q(('completed_at__isnull', True), ('status__in', ('queued', 'running', 'storing'))), _connector='OR'), name='job_ended_has_its_moment'), models.CheckConstraint(condition=models.Q(models.Q(('credits_held', 0), ('operation', 'upload')), models.Q(models.Q(('operation', 'upload'), _negated=True), ('credits_held__gt', 0)), _connector='OR'), name='job_live_holds_credits'), models.CheckConstraint(condition=models.Q(('credits_captured__isnull', True), models.Q(('credits_captured__lte', models.F('credits_held')), ('status', 'completed')), _connector='OR'), name='job_captures_at_most_its_hold_and_only_completed'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'failed'), _negated=True), models.Q(('error_code', ''), _negated=True), _connector='OR'), name='job_failed_says_why')],
            },
        ),
        migrations.CreateModel(
            name='Asset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('asset',), **{}), editable=False, max_length=64, unique=True)),
                ('index', models.PositiveSmallIntegerField(default=0)),
                ('kind', models.CharField(choices=[('generated', 'Generated'), ('uploaded', 'Uploaded')], max_length=16)),
                ('mime_type', models.CharField(max_length=32, verbose_name='type')),
                ('content_length', models.PositiveBigIntegerField(verbose_name='bytes')),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('manifest', models.CharField(blank=True, choices=[('kept', 'Kept'), ('removed', 'Removed')], db_default='', default='', max_length=8, verbose_name='content credentials')),
                ('min_luma', models.PositiveSmallIntegerField(null=True)),
                ('min_alpha', models.PositiveSmallIntegerField(null=True)),
                ('conversions', models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                ('storage_key', models.CharField(max_length=200)),
                ('thumbnail_key', models.CharField(blank=True, max_length=200)),
                ('state', models.CharField(choices=[('available', 'Available'), ('quarantined', 'Quarantined'), ('withdrawn', 'Withdrawn'), ('deleted', 'Deleted')], default='available', max_length=16)),
                ('state_changed_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.agent')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assets', to='jobs.job')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', '-id'], name='asset_newest_of'), models.Index(fields=['agent', '-id'], name='asset_of_agent'), models.Index(fields=['sha256'], name='asset_by_sha256'), models.Index(fields=['kind', 'created_at'], name='asset_by_age'), models.Index(fields=['kind', '-id'], name='asset_by_kind'), models.Index(fields=['state', '-id'], name='asset_by_state')],
                'constraints': [models.UniqueConstraint(fields=('job', 'index'), name='asset_once_for_an_output'), models.CheckConstraint(condition=models.Q(('content_length__gt', 0), ('height__gt', 0), ('width__gt', 0)), name='asset_is_a_picture')],
            },
        ),
        migrations.CreateModel(
            name='JobInput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=32)),
                ('index', models.PositiveSmallIntegerField(default=0)),
                ('reference_index', models.PositiveSmallIntegerField(null=True)),
                ('reference_task', models.CharField(blank=True, max_length=16)),
                ('asset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='jobs.asset')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inputs', to='jobs.job')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'role', 'index', 'reference_index'), name='job_input_once_for_a_place', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Loss',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('undecodable', "Output can't be decoded"), ('not_stored', 'Output was not stored'), ('canceled', 'Canceled during generation'), ('outcome_unknown', 'Outcome unknown; possible cost'), ('above_hold', 'Usage exceeded the hold'), ('billed_refusal', 'Refused by the provider, billed'), ('broken_run', 'Failed at the provider, billed'), ('too_late', 'Deadline exceeded')], max_length=16)),
                ('usd', models.DecimalField(decimal_places=6, max_digits=12, null=True, verbose_name='cost (USD)')),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('closed_at', models.DateTimeField(null=True)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='losses', to='jobs.job')),
            ],
            options={
                'verbose_name': 'absorbed cost',
                'verbose_name_plural': 'absorbed costs',
                'indexes': [models.Index(fields=['reason', '-id'], name='loss_by_reason'), models.Index(condition=models.Q(('closed_at', None)), fields=['reason', '-id'], name='loss_open')],
                'constraints': [models.UniqueConstraint(fields=('job', 'reason'), name='loss_once_for_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='ModelDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('model_id', models.CharField(max_length=128)),
                ('provider_id', models.CharField(max_length=32)),
                ('completed', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
                ('canceled', models.PositiveIntegerField(default=0)),
                ('outputs', models.PositiveIntegerField(default=0)),
                ('credits', models.BigIntegerField(default=0)),
                ('paid_credits', models.BigIntegerField(default=0)),
                ('live_credits', models.BigIntegerField(default=0)),
                ('provider_usd', models.DecimalField(decimal_places=6, default=0, max_digits=14)),
                ('lost_usd', models.DecimalField(decimal_places=6, default=0, max_digits=14)),
                ('median_s', models.FloatField(null=True)),
                ('p95_s', models.FloatField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('day', 'model_id'), name='figures_once_for_model_and_day')],
            },
        ),
        migrations.CreateModel(
            name='Prompt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='prompt', to='jobs.job')),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='prompt_by_age')],
            },
        ),
        migrations.CreateModel(
            name='StagedOutput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('index', models.PositiveSmallIntegerField()),
                ('asset_public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('asset',), **{}), max_length=64)),
                ('kept_key', models.CharField(max_length=200)),
                ('mime_type', models.CharField(max_length=32)),
                ('content_length', models.PositiveBigIntegerField()),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('manifest', models.CharField(blank=True, choices=[('kept', 'Kept'), ('removed', 'Removed')], db_default='', default='', max_length=8)),
                ('min_luma', models.PositiveSmallIntegerField(null=True)),
                ('min_alpha', models.PositiveSmallIntegerField(null=True)),
                ('conversions', models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='staged_outputs', to='jobs.job')),
            ],
            options={
                'db_table': 'jobs_keptoutput',
                'constraints': [models.UniqueConstraint(fields=('job', 'index'), name='kept_once_for_an_output')],
            },
        ),
        migrations.CreateModel(
            name='Switch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('model', 'Model'), ('provider', 'Provider')], max_length=8)),
                ('name', models.CharField(max_length=128)),
                ('is_on', models.BooleanField()),
                ('reason', models.CharField(max_length=300)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'switches',
                'constraints': [models.UniqueConstraint(fields=('kind', 'name'), name='switch_once_for_a_thing'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='switch_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source_kind', models.CharField(choices=[('local_path', 'File'), ('remote_url', 'URL')], max_length=16)),
                ('filename', models.CharField(max_length=255)),
                ('remote_origin', models.CharField(blank=True, max_length=300, null=True)),
                ('received_bytes', models.PositiveBigIntegerField()),
                ('received_sha256', models.CharField(max_length=64)),
                ('had_metadata', models.BooleanField()),
                ('asset', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='upload', to='jobs.asset')),
            ],
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('usage',), **{}), editable=False, max_length=64, unique=True)),
                ('credits', models.PositiveIntegerField()),
                ('preview_credits', models.PositiveIntegerField()),
                ('paid_credits', models.PositiveIntegerField()),
                ('provider_usd', models.DecimalField(decimal_places=6, max_digits=12, null=True, verbose_name='provider cost (USD)')),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.agent')),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='usage', to='jobs.job')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'verbose_name_plural': 'usage',
                'indexes': [models.Index(fields=['organization', '-id'], name='usage_newest_of'), models.Index(fields=['agent', 'created_at'], name='usage_of_agent_by_age')],
                'constraints': [models.CheckConstraint(condition=models.Q(('credits', django.db.models.expressions.CombinedExpression(models.F('preview_credits'), '+', models.F('paid_credits'))), ('credits__gt', 0)), name='usage_adds_up')],
            },
        ),
        migrations.CreateModel(
            name='AssetCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('checked_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('is_good', models.BooleanField()),
                ('decodes', models.BooleanField()),
                ('is_as_promised', models.BooleanField()),
                ('is_as_planned', models.BooleanField(default=True)),
                ('is_blank', models.BooleanField(default=False)),
                ('difference_hash', models.CharField(blank=True, max_length=16)),
                ('bands', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), default=list, size=None)),
                ('finding', models.CharField(blank=True, max_length=300)),
                ('asset', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='verdict', to='jobs.asset')),
                ('same_as', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.asset')),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['bands'], name='asset_check_by_band'), models.Index(fields=['is_good', '-id'], name='asset_check_by_verdict'), models.Index(condition=models.Q(('is_good', False)), fields=['checked_at'], name='asset_check_failed')],
            },
        ),
        migrations.CreateModel(
            name='DownloadDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('count', models.PositiveIntegerField()),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('asset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.asset')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('asset', 'day'), name='downloads_once_for_asset_and_day'), models.CheckConstraint(condition=models.Q(('count__gte', 1), ('first_at__lte', models.F('last_at'))), name='downloads_are_some_in_order')],
            },
        ),
        migrations.RunSQL(COUNT_NEW + COUNT_CHANGED),
    ]
