"""All tables of feedback as 0001 to 0007 leave them, made at once in a new database."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import functools
import imageskill.lib.clock
import imageskill.lib.ids
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models



class Migration(migrations.Migration):

    replaces = [
        ('feedback', '0001_reports'),
        ('feedback', '0002_queue_to_github'),
        ('feedback', '0003_reports_of_an_agent'),
        ('feedback', '0004_github_events_that_failed_are_kept'),
        ('feedback', '0005_every_moment_from_one_clock'),
        ('feedback', '0006_github_events_are_retried'),
        ('feedback', '0007_labels'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0021_starter_ceiling_is_mailed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name='GithubRepository',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=140, unique=True)),
                ('paused_until', models.DateTimeField(null=True)),
                ('pause_reason', models.CharField(blank=True, max_length=64)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('read_up_to', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name_plural': 'GitHub repositories',
            },
        ),
        migrations.CreateModel(
            name='GithubEvent',
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
                ('delivery_id', models.CharField(max_length=64, unique=True)),
                ('event', models.CharField(max_length=40)),
                ('action', models.CharField(blank=True, max_length=40)),
                ('repository', models.CharField(blank=True, max_length=140)),
                ('issue_number', models.PositiveBigIntegerField(null=True)),
                ('issue_state', models.CharField(blank=True, max_length=16)),
                ('issue_labels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                ('issue_updated_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'GitHub event',
                'indexes': [models.Index(condition=models.Q(('state__in', ('received', 'failed'))), fields=['next_attempt_at'], name='github_event_due'), models.Index(fields=['state', '-id'], name='github_event_by_state'), models.Index(fields=['repository', 'issue_number'], name='github_event_of_issue')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('handled_at__isnull', False), ('state', 'handled')), models.Q(models.Q(('state', 'handled'), _negated=True), ('handled_at__isnull', True)), _connector='OR'), name='github_event_handled_has_its_moment')],
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('feedback',), **{}), editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('state', models.CharField(choices=[('new', 'New'), ('watch', 'Watch'), ('accepted', 'Accepted'), ('needs_info', 'Needs info'), ('duplicate', 'Duplicate'), ('declined', 'Declined'), ('queued', 'Queued'), ('mirrored', 'Mirrored')], default='new', max_length=16)),
                ('type', models.CharField(max_length=40)),
                ('title', models.CharField(blank=True, max_length=200)),
                ('body', models.TextField(blank=True)),
                ('command', models.TextField(blank=True)),
                ('expected', models.TextField(blank=True)),
                ('actual', models.TextField(blank=True)),
                ('friction', models.TextField(blank=True)),
                ('proof_needed', models.TextField(blank=True)),
                ('strategic_reason', models.TextField(blank=True)),
                ('surface', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('evidence', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), default=list, size=None)),
                ('severity', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], default='medium', max_length=8)),
                ('confidence', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], default='medium', max_length=8)),
                ('next_state', models.CharField(default='watch', max_length=40, verbose_name='requested state')),
                ('dedupe_key', models.CharField(blank=True, max_length=200)),
                ('source', models.CharField(blank=True, max_length=80)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
                ('quality_score', models.PositiveSmallIntegerField(default=0)),
                ('is_weak', models.BooleanField(default=False, verbose_name='weak signal')),
                ('repeats', models.PositiveIntegerField(default=0)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='accounts.agent')),
                ('duplicate_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='duplicates', to='feedback.report')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['state', '-id'], name='report_by_state'), models.Index(fields=['agent', '-id'], name='report_of_agent'), models.Index(fields=['agent', 'dedupe_key', 'id'], name='report_of_agent_by_key'), models.Index(fields=['severity', '-id'], name='report_by_severity'), models.Index(fields=['state', 'severity', '-id'], name='report_by_state_and_severity'), models.Index(fields=['dedupe_key'], name='report_by_dedupe_key'), models.Index(fields=['trace_id'], name='report_of_trace'), django.contrib.postgres.indexes.GinIndex(fields=['title'], name='report_title_trigrams', opclasses=['gin_trgm_ops']), django.contrib.postgres.indexes.GinIndex(fields=['body'], name='report_body_trigrams', opclasses=['gin_trgm_ops'])],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('title', ''), _negated=True), models.Q(('body', ''), _negated=True), _connector='OR'), name='report_says_something'), models.CheckConstraint(condition=models.Q(('duplicate_of__isnull', True), models.Q(('duplicate_of', models.F('id')), _negated=True), _connector='OR'), name='report_is_not_its_own_duplicate'), models.CheckConstraint(condition=models.Q(models.Q(('duplicate_of__isnull', False), ('state', 'duplicate')), models.Q(models.Q(('state', 'duplicate'), _negated=True), ('duplicate_of__isnull', True)), _connector='OR'), name='report_is_duplicate_of_another')],
            },
        ),
        migrations.CreateModel(
            name='QueueItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('repository', models.CharField(max_length=140)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('promoted', 'Promoted'), ('skipped', 'Skipped'), ('deduped', 'Deduped'), ('blocked', 'Blocked'), ('already_mirrored', 'Already mirrored'), ('failed', 'Failed')], default='queued', max_length=16)),
                ('mode', models.CharField(choices=[('dry_run', 'Dry run'), ('live', 'Live')], max_length=8)),
                ('reason', models.CharField(blank=True, max_length=64)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('queued_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('next_attempt_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('create_began_at', models.DateTimeField(null=True)),
                ('processed_at', models.DateTimeField(null=True)),
                ('followed_at', models.DateTimeField(null=True)),
                ('issue_number', models.PositiveBigIntegerField(null=True)),
                ('issue_url', models.URLField(blank=True, max_length=300)),
                ('issue_state', models.CharField(blank=True, max_length=16)),
                ('issue_labels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                ('issue_updated_at', models.DateTimeField(null=True)),
                ('queued_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('report', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='queue_item', to='feedback.report')),
            ],
            options={
                'verbose_name': 'GitHub queue item',
                'verbose_name_plural': 'GitHub queue',
                'indexes': [models.Index(fields=['state', '-id'], name='queue_item_by_state'), models.Index(condition=models.Q(('state', 'queued')), fields=['repository', 'next_attempt_at', 'id'], name='queue_item_due'), models.Index(condition=models.Q(('followed_at__isnull', True), ('state__in', ('promoted', 'already_mirrored'))), fields=['id'], name='queue_item_unfollowed'), models.Index(fields=['repository', 'issue_number'], name='queue_item_of_issue'), models.Index(fields=['processed_at'], name='queue_item_by_outcome')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('promoted', 'already_mirrored'))), fields=('repository', 'issue_number'), name='queue_item_one_report_for_an_issue'), models.CheckConstraint(condition=models.Q(models.Q(('issue_number__isnull', False), ('state__in', ('promoted', 'deduped', 'already_mirrored'))), models.Q(models.Q(('state__in', ('promoted', 'deduped', 'already_mirrored')), _negated=True), ('issue_number__isnull', True)), _connector='OR'), name='queue_item_has_an_issue_where_its_state_says_so'), models.CheckConstraint(condition=models.Q(models.Q(('processed_at__isnull', True), ('state', 'queued')), models.Q(models.Q(('state', 'queued'), _negated=True), ('processed_at__isnull', False)), _connector='OR'), name='queue_item_ended_has_its_moment')],
            },
        ),
    ]
