from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0007_orphans_are_closed_and_lists_go_by_index"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["operation", "-id"], name="job_by_operation"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["created_at"], name="job_by_day"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                fields=["error_code", "-id"],
                name="job_by_error",
                condition=models.Q(("error_code", ""), _negated=True),
            ),
        ),
    ]
