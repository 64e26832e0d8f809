from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0016_reconciliation_is_filtered_by_indexes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='refundrequest',
            index=models.Index(condition=models.Q(('stripe_refund_id', ''), _negated=True), fields=['stripe_refund_id'], name='refund_request_at_stripe'),
        ),
    ]
