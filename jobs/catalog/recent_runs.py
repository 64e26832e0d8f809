"""When models last completed a job: what vouches for a catalog beyond its words."""

from datetime import date

from django.db.models import Max

from jobs.models import ModelDay


def last_completed_days(*, since: date) -> dict[str, date]:
    """Return by model the last UTC day with a completed job; whose, and how many, stays here."""
    days = ModelDay.objects.filter(day__gte=since, completed__gt=0)
    return dict(days.values_list("model_id").annotate(last=Max("day")).order_by("model_id"))
