"""All tables of accounts as 0001 to 0021 leave them, made at once in a new database."""

import accounts.models.users
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import functools
import imageskill.lib.clock
import imageskill.lib.ids
from django.conf import settings
from django.db import migrations, models

FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""

APPEND_ONLY = """
CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

FINAL = ("accounts_activityevent", "accounts_auditline")


class Migration(migrations.Migration):

    replaces = [
        ('accounts', '0001_identity_and_activity'),
        ('accounts', '0002_activity_and_audit_are_append_only'),
        ('accounts', '0003_staff_groups'),
        ('accounts', '0004_claims_and_alerts'),
        ('accounts', '0005_duties_of_staff'),
        ('accounts', '0006_exports'),
        ('accounts', '0007_filters_go_by_indexes'),
        ('accounts', '0008_saved_filters'),
        ('accounts', '0009_roles_keep_to_their_table'),
        ('accounts', '0010_claims_and_tokens_are_listed'),
        ('accounts', '0011_exports_say_how_far_they_are'),
        ('accounts', '0012_things_by_their_names'),
        ('accounts', '0013_every_moment_from_one_clock'),
        ('accounts', '0014_duties_are_kept_by_no_migration'),
        ('accounts', '0015_labels'),
        ('accounts', '0016_exports_need_no_table'),
        ('accounts', '0017_limits_count_by_inbox'),
        ('accounts', '0018_money_roles_are_mailed'),
        ('accounts', '0019_tokens_end_with_a_transfer'),
        ('accounts', '0020_stored_bytes'),
        ('accounts', '0021_starter_ceiling_is_mailed'),
    ]

    initial = True

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Duty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'managed': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('agent',), **{}), editable=False, max_length=64, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('runtime', models.CharField(max_length=80)),
                ('contact', models.CharField(blank=True, max_length=254, verbose_name='contact email')),
                ('claim_state', models.CharField(choices=[('unclaimed', 'Unclaimed'), ('payment_backed_unclaimed', 'Paid, unclaimed'), ('claimed', 'Claimed'), ('revoked', 'Revoked')], default='unclaimed', max_length=32)),
                ('claim_request_state', models.CharField(choices=[('none', 'None'), ('requested', 'Requested'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('reported', 'Reported'), ('expired', 'Expired')], default='none', max_length=16, verbose_name='claim request')),
                ('grants', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), default=list, size=None, verbose_name='permissions')),
                ('cap_outputs_per_request', models.PositiveIntegerField(verbose_name='max images per job')),
                ('cap_credits_per_operation', models.PositiveIntegerField(verbose_name='per-job limit')),
                ('cap_credits_per_day', models.PositiveIntegerField(blank=True, null=True, verbose_name='daily limit')),
                ('cap_credits_per_week', models.PositiveIntegerField(blank=True, null=True, verbose_name='weekly limit')),
                ('cap_credits_per_month', models.PositiveIntegerField(blank=True, null=True, verbose_name='monthly limit')),
                ('cap_credits_total', models.PositiveIntegerField(blank=True, null=True, verbose_name='total limit')),
                ('suspended_at', models.DateTimeField(blank=True, null=True)),
                ('suspension_reason', models.CharField(blank=True, max_length=500)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('signup_network', models.CharField(blank=True, max_length=64)),
                ('discovery_source', models.CharField(blank=True, max_length=200)),
                ('session_origin', models.CharField(default='agent_signup', max_length=32)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('last_seen_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ClaimRecipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254, unique=True, verbose_name='mail address')),
                ('inbox', models.CharField(db_default='', db_index=True, editable=False, max_length=254)),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='email')),
                ('date_joined', models.DateTimeField(default=imageskill.lib.clock.now, verbose_name='date joined')),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'indexes': [models.Index(fields=['is_staff', '-id'], name='user_by_staff'), models.Index(fields=['is_active', '-id'], name='user_by_active')],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_once_whatever_its_case')],
            },
            managers=[
                ('objects', accounts.models.users.PeopleManager()),
            ],
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200, unique=True)),
                ('kind', models.CharField(choices=[('claimed', 'agent claimed'), ('handed_over', 'agent handed over'), ('token_rotated', 'token rotated'), ('cap_near', '80 % of a cap used'), ('cap_reached', 'a cap is used up'), ('purchase', 'credits bought'), ('refund', 'refund'), ('dispute', 'dispute'), ('prompt_shown', 'staff looked at a prompt'), ('money_role', 'role that approves money given'), ('starter_ceiling', 'free credits of a day used up')], max_length=24)),
                ('subject', models.CharField(max_length=128, verbose_name='about')),
                ('facts', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('mail_tried_at', models.DateTimeField(blank=True, null=True)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alerts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-id'], name='alert_of_user'), models.Index(condition=models.Q(('mailed_at__isnull', True)), fields=['created_at'], name='alert_to_mail')],
            },
        ),
        migrations.CreateModel(
            name='AuditLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('actor', models.CharField(max_length=254)),
                ('action', models.CharField(max_length=64)),
                ('subject', models.CharField(max_length=128, verbose_name='subject')),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'audit line',
                'verbose_name_plural': 'audit log',
                'indexes': [models.Index(fields=['subject', '-id'], name='audit_of_subject'), models.Index(fields=['user', '-id'], name='audit_of_user'), models.Index(fields=['action', '-id'], name='audit_by_action'), models.Index(fields=['actor', '-id'], name='audit_by_actor')],
            },
        ),
        migrations.CreateModel(
            name='Claim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('claim',), **{}), editable=False, max_length=64, unique=True)),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('reported', 'Reported'), ('replaced', 'Replaced'), ('expired', 'Expired')], default='requested', max_length=16)),
                ('withheld', models.CharField(blank=True, choices=[('', 'Mailed'), ('stopped', 'Recipient unsubscribed'), ('limit', 'Mail limit of the inbox reached'), ('unmailable', 'Undeliverable domain')], default='', max_length=16)),
                ('digest', models.BinaryField(max_length=32, null=True, unique=True)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('mail_tried_at', models.DateTimeField(blank=True, null=True)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='accounts.agent')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('invited_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='accounts.claimrecipient')),
            ],
            options={
                'indexes': [models.Index(fields=['recipient', '-created_at'], name='claim_of_recipient'), models.Index(fields=['agent', '-id'], name='claim_of_agent'), models.Index(fields=['state', '-id'], name='claim_by_state'), models.Index(fields=['withheld', '-id'], name='claim_by_withheld'), models.Index(condition=models.Q(('mailed_at__isnull', True), ('state', 'requested'), ('withheld', '')), fields=['created_at'], name='claim_to_mail'), models.Index(condition=models.Q(('state', 'requested')), fields=['expires_at'], name='claim_to_expire'), models.Index(condition=models.Q(('mailed_at__isnull', False)), fields=['mailed_at'], name='claim_mailed')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('agent',), name='claim_open_once_an_agent'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'requested')), models.Q(models.Q(('state', 'requested'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='claim_decided_has_its_moment'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'accepted'), _negated=True), ('decided_by__isnull', False), _connector='OR'), name='claim_accepted_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('organization',), **{}), editable=False, max_length=64, unique=True)),
                ('stored_bytes', models.PositiveBigIntegerField(db_default=0, default=0, editable=False)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='organizations', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='agent',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='agents', to='accounts.organization'),
        ),
        migrations.CreateModel(
            name='ActivityEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(imageskill.lib.ids.new, *('event',), **{}), editable=False, max_length=64, unique=True)),
                ('type', models.CharField(max_length=64)),
                ('occurred_at', models.DateTimeField(default=imageskill.lib.clock.now)),
                ('summary', models.CharField(max_length=300)),
                ('operation', models.CharField(max_length=32)),
                ('subject_type', models.CharField(max_length=32)),
                ('subject_id', models.CharField(max_length=128)),
                ('status', models.CharField(max_length=32)),
                ('links', models.JSONField(default=dict)),
                ('cost', models.JSONField(null=True)),
                ('details', models.JSONField(default=dict)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
                ('references', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=128), default=list, size=None)),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.agent')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'verbose_name': 'activity event',
                'verbose_name_plural': 'activity',
                'indexes': [models.Index(fields=['organization', '-id'], name='activity_newest_of'), models.Index(fields=['agent', '-id'], name='activity_of_agent'), models.Index(fields=['type', '-id'], name='activity_by_type'), django.contrib.postgres.indexes.GinIndex(fields=['references'], name='activity_by_reference')],
            },
        ),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=100)),
                ('name', models.CharField(max_length=60)),
                ('query', models.CharField(max_length=2000)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_filters', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('user', 'model', 'name'), name='saved_filter_once_for_a_name')],
            },
        ),
        migrations.CreateModel(
            name='TelemetryRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=imageskill.lib.clock.now, verbose_name='time')),
                ('kind', models.CharField(max_length=16)),
                ('name', models.CharField(max_length=64)),
                ('endpoint', models.CharField(blank=True, max_length=128)),
                ('client', models.CharField(blank=True, max_length=120)),
                ('api_version', models.CharField(max_length=32)),
                ('actor_type', models.CharField(max_length=16)),
                ('actor_id', models.CharField(blank=True, max_length=64, null=True)),
                ('capability', models.CharField(blank=True, max_length=128)),
                ('provider', models.CharField(blank=True, max_length=32)),
                ('status', models.CharField(blank=True, max_length=32)),
                ('http_status', models.PositiveSmallIntegerField(null=True, verbose_name='HTTP status')),
                ('exit_code', models.PositiveSmallIntegerField(null=True)),
                ('duration_ms', models.FloatField(null=True, verbose_name='duration (ms)')),
                ('estimated_usd', models.DecimalField(decimal_places=6, max_digits=12, null=True, verbose_name='estimated cost (USD)')),
                ('output_count', models.PositiveSmallIntegerField(null=True)),
                ('error_code', models.CharField(blank=True, max_length=64)),
                ('retry_state', models.CharField(blank=True, max_length=32)),
                ('job_id', models.CharField(blank=True, max_length=64)),
                ('trace_id', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'verbose_name': 'telemetry row',
                'verbose_name_plural': 'telemetry',
                'indexes': [models.Index(fields=['-at'], name='telemetry_newest'), models.Index(fields=['trace_id'], name='telemetry_of_trace'), models.Index(fields=['actor_id', '-id'], name='telemetry_of_actor')],
            },
        ),
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lookup', models.CharField(max_length=16, unique=True)),
                ('digest', models.BinaryField(max_length=32)),
                ('created_at', models.DateTimeField(default=imageskill.lib.clock.now, editable=False)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_because', models.CharField(blank=True, choices=[('rotated', 'Rotated'), ('revoked', 'Revoked'), ('agent_revoked', 'Agent revoked'), ('transferred', 'Agent transferred')], max_length=16)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='accounts.agent')),
            ],
            options={
                'indexes': [models.Index(fields=['agent', '-id'], name='token_of_agent'), models.Index(fields=['revoked_because', '-id'], name='token_by_end')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('revoked_at__isnull', True), ('revoked_because', '')), models.Q(('revoked_at__isnull', False), models.Q(('revoked_because', ''), _negated=True)), _connector='OR'), name='token_revoked_says_why')],
            },
        ),
        migrations.AddIndex(
            model_name='agent',
            index=models.Index(fields=['-created_at', '-id'], name='agent_newest'),
        ),
        migrations.AddIndex(
            model_name='agent',
            index=models.Index(fields=['contact', '-id'], name='agent_by_contact'),
        ),
        migrations.AddIndex(
            model_name='agent',
            index=models.Index(fields=['signup_network', '-id'], name='agent_by_network'),
        ),
        migrations.AddIndex(
            model_name='agent',
            index=models.Index(fields=['claim_state', '-id'], name='agent_by_claim_state'),
        ),
        migrations.AddConstraint(
            model_name='agent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('claim_state', 'revoked'), ('revoked_at__isnull', False)), models.Q(models.Q(('claim_state', 'revoked'), _negated=True), ('revoked_at__isnull', True)), _connector='OR'), name='agent_revoked_has_its_moment'),
        ),
        migrations.AddConstraint(
            model_name='agent',
            constraint=models.CheckConstraint(condition=models.Q(('cap_outputs_per_request__gte', 1)), name='agent_caps_allow_something'),
        ),
        migrations.RunSQL(FUNCTION),
        *(migrations.RunSQL(APPEND_ONLY.format(table=table)) for table in FINAL),
    ]
