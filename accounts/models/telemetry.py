"""Telemetry of requests and jobs: no prompts, images, keys or tokens. Rows expire."""

from typing import ClassVar

from django.db import models

from imageskill.lib import clock


class TelemetryRow(models.Model):
    """One request or job; written in batches by `accounts.telemetry`."""

    at = models.DateTimeField("time", default=clock.now)
    kind = models.CharField(max_length=16)  # request, job, policy
    name = models.CharField(max_length=64)  # the command
    endpoint = models.CharField(max_length=128, blank=True)
    client = models.CharField(max_length=120, blank=True)
    api_version = models.CharField(max_length=32)
    actor_type = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    capability = models.CharField(max_length=128, blank=True)
    provider = models.CharField(max_length=32, blank=True)
    status = models.CharField(max_length=32, blank=True)
    http_status = models.PositiveSmallIntegerField("HTTP status", null=True)
    exit_code = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.FloatField("duration (ms)", null=True)
    estimated_usd = models.DecimalField(
        "estimated cost (USD)", max_digits=12, decimal_places=6, null=True
    )
    output_count = models.PositiveSmallIntegerField(null=True)
    error_code = models.CharField(max_length=64, blank=True)
    retry_state = models.CharField(max_length=32, blank=True)
    job_id = models.CharField(max_length=64, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "telemetry row"
        verbose_name_plural = "telemetry"
        indexes: ClassVar = [
            models.Index(fields=["-at"], name="telemetry_newest"),
            models.Index(fields=["trace_id"], name="telemetry_of_trace"),
            models.Index(fields=["actor_id", "-id"], name="telemetry_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.at:%Y-%m-%d %H:%M:%S}"
