"""Daily totals of each model; counting a day again gives the same."""

from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from jobs.models import ModelDay

_COUNT_SQL = """
INSERT INTO jobs_modelday (day, model_id, provider_id, completed, failed, canceled, outputs,
                           credits, paid_credits, live_credits, provider_usd, lost_usd,
                           median_s, p95_s)
SELECT %(day)s, job.model_id, max(job.provider_id),
       count(*) FILTER (WHERE job.status = 'completed'),
       count(*) FILTER (WHERE job.status = 'failed'),
       count(*) FILTER (WHERE job.status = 'canceled'),
       coalesce(sum(job.output_count) FILTER (WHERE job.status = 'completed'), 0),
       coalesce(sum(job.credits_captured), 0),
       coalesce(sum(usage.paid_credits), 0),
       coalesce(sum(live.credits), 0),
       coalesce(sum(coalesce(usage.provider_usd, job.planned_usd))
                FILTER (WHERE job.status = 'completed'), 0),
       coalesce(sum(loss.usd), 0),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY took.s) FILTER (WHERE job.status = 'completed'),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY took.s) FILTER (WHERE job.status = 'completed')
FROM jobs_job job
CROSS JOIN LATERAL (SELECT extract(epoch FROM job.stored_at - job.created_at) AS s) took
LEFT JOIN jobs_usage usage ON usage.job_id = job.id
LEFT JOIN LATERAL (SELECT sum(usd) AS usd FROM jobs_loss WHERE job_id = job.id) loss ON true
LEFT JOIN LATERAL (
    SELECT sum(part.taken - part.returned) AS credits
    FROM billing_lotpart part
    JOIN billing_lot lot ON lot.id = part.lot_id
    JOIN billing_receipt receipt ON receipt.public_id = lot.reference
    WHERE part.reference = job.public_id AND receipt.environment = 'live'
      AND usage.paid_credits > 0  -- what a job still holds, or got back, is not consumed
) live ON true
WHERE job.completed_at >= %(begin)s AND job.completed_at < %(end)s AND job.model_id <> ''
GROUP BY job.model_id
"""


def count_day(day: date) -> None:
    """Count one UTC day again, and replace its totals."""
    begin = datetime.combine(day, time.min, tzinfo=UTC)
    window = {"day": day, "begin": begin, "end": begin + timedelta(days=1)}
    with transaction.atomic(), connection.cursor() as cursor:
        # Two at once would count into each other; the later one waits and counts again.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('jobs.tally'))")
        ModelDay.objects.filter(day=day).delete()
        cursor.execute(_COUNT_SQL, window)
