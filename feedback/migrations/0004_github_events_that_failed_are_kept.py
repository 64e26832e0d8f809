from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0003_reports_of_an_agent'),
    ]

    operations = [
        migrations.AddField(
            model_name='githubevent',
            name='error',
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AlterField(
            model_name='githubevent',
            name='state',
            field=models.CharField(choices=[('received', 'received'), ('handled', 'handled'), ('failed', 'failed'), ('ignored', 'ignored')], max_length=8),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(fields=['trace_id'], name='report_of_trace'),
        ),
    ]
