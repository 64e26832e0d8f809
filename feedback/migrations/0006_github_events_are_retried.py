"""Let GitHub's events be handled by a worker and retried, as Stripe's are."""

import imageskill.lib.clock
from django.db import migrations, models

# Handled ones were so within the request that brought them. Those that failed, or whose process
# died, get their retry: what has been overtaken since changes nothing.
_FILL = """
UPDATE feedback_githubevent SET handled_at = received_at WHERE state = 'handled';
UPDATE feedback_githubevent SET next_attempt_at = received_at, attempts = 1
 WHERE state IN ('received', 'failed');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0005_every_moment_from_one_clock'),
    ]

    operations = [
        migrations.AddField(
            model_name='githubevent',
            name='attempts',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='githubevent',
            name='deliveries',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='githubevent',
            name='handled_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='githubevent',
            name='next_attempt_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='githubevent',
            name='error',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='githubevent',
            name='outcome',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name='githubevent',
            name='received_at',
            field=models.DateTimeField(default=imageskill.lib.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='githubevent',
            name='state',
            field=models.CharField(choices=[('received', 'received'), ('handled', 'handled'), ('failed', 'failed'), ('ignored', 'ignored')], default='received', max_length=16),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='githubevent',
            index=models.Index(condition=models.Q(('state__in', ('received', 'failed'))), fields=['next_attempt_at'], name='github_event_due'),
        ),
        migrations.AddConstraint(
            model_name='githubevent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('handled_at__isnull', False), ('state', 'handled')), models.Q(models.Q(('state', 'handled'), _negated=True), ('handled_at__isnull', True)), _connector='OR'), name='github_event_handled_has_its_moment'),
        ),
    ]
