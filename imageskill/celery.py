"""The Celery app: queues, delivery that survives a killed worker, and the schedule.

Celery only carries: the database is the truth, and a sweeper sends again what got lost (ADR 3).
Tasks have names and take keyword-only ids.
"""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import (
    after_task_publish,
    beat_init,
    heartbeat_sent,
    task_postrun,
    task_prerun,
    worker_ready,
)
from django.conf import settings
from kombu import Queue
from kombu.transport import TRANSPORT_ALIASES

from imageskill.lib import trace
from imageskill.lib.queue import CONNECTIONS, QUEUES
from imageskill.lib.redis.client import TIMEOUT_S

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageskill.settings")

# By alias: the setting `broker_transport` is ignored for `redis+socket://`.
TRANSPORT_ALIASES.update(
    dict.fromkeys(("redis", "rediss"), "imageskill.lib.redis.broker:Transport")
)

app = Celery("imageskill")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="default",
    task_create_missing_queues=False,
    task_routes=[
        {"jobs.run": "jobs"},
        {"jobs.thumbnail": "thumbnails"},
    ],
    # One message at a time, acknowledged after its task, and not at all when the process died.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # An unacknowledged message comes back after the visibility timeout, which must exceed the
    # longest task; kombu looks for such messages at every `interval * throttle` seconds.
    broker_transport_options={
        "visibility_timeout": settings.VISIBILITY_TIMEOUT_S,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        # A Redis that accepts and never answers: each read ends, and connecting is tried once.
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "connect_retries_timeout": TIMEOUT_S,
        "socket_keepalive": True,
    },
    broker_pool_limit=CONNECTIONS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A request that sends must not hang on a broker that is down; the sweeper makes up for it.
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    task_ignore_result=True,
    # There are no results. Without this each thread makes a backend at its first message, for which
    # Celery reads the metadata of every installed package: a tenth of a second for 200 threads.
    result_backend_thread_safe=True,
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    imports=["imageskill.web.heartbeat", "imageskill.monitoring.tasks"],
    beat_schedule={
        **{
            f"heartbeat-{queue}": {
                "task": "canary.sing",
                "schedule": 20.0,
                "kwargs": {"queue": queue, "by": "scheduler"},
                "options": {"queue": queue, "expires": 20},
            }
            for queue in QUEUES
        },
        "sweep-jobs": {"task": "jobs.sweep", "schedule": 5.0, "options": {"expires": 5}},
        "apply-retention": {"task": "jobs.retain", "schedule": crontab(hour=3, minute=20)},
        "mail-again": {"task": "accounts.mail_again", "schedule": 120.0},
        "expire-claims": {"task": "accounts.expire_claims", "schedule": 600.0},
        "forget-strangers": {"task": "accounts.forget_strangers", "schedule": 3600.0},
        "sweep-payments": {"task": "billing.sweep_payments", "schedule": 30.0},
        "sweep-stripe-events": {"task": "billing.sweep_stripe_events", "schedule": 60.0},
        "fetch-stripe-events": {"task": "billing.fetch_stripe_events", "schedule": 300.0},
        "match-reversals": {"task": "billing.match_reversals", "schedule": 300.0},
        "count-jobs": {"task": "jobs.tally", "schedule": 300.0},
        "write-downloads": {
            "task": "jobs.write_downloads",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "count-money": {"task": "billing.tally", "schedule": 300.0},
        "tend-requests": {"task": "billing.tend_requests", "schedule": 60.0},
        "expire-requests": {"task": "billing.expire_requests", "schedule": 600.0},
        "sweep-github-queue": {"task": "feedback.sweep_queue", "schedule": 10.0},
        "sweep-github-events": {"task": "feedback.sweep_github_events", "schedule": 60.0},
        "read-github-issues": {"task": "feedback.read_issues", "schedule": 300.0},
        "reconcile": {"task": "billing.reconcile", "schedule": crontab(hour=1, minute=40)},
        "check-books": {
            "task": "billing.check_books",
            "schedule": crontab(hour=2, minute=10),
            "kwargs": {"is_incremental": True},  # a full run once a week
        },
    },
)
app.autodiscover_tasks()


@task_prerun.connect
def begin_trace(**_: object) -> None:
    """Begin each task with a trace of its own: its thread has run others' tasks before."""
    trace.begin()


@task_postrun.connect
def clear_trace(**_: object) -> None:
    """End each task with a clean context, so that lines between tasks name none of them."""
    trace.clear()


@worker_ready.connect
def record_now(sender: Any, **_: object) -> None:
    """Send each queue's heartbeat when a worker starts, so that health need not wait for beat."""
    for queue in QUEUES:
        sender.app.send_task("canary.sing", kwargs={"queue": queue}, queue=queue, expires=20)


@heartbeat_sent.connect
def touch_heartbeat_file(**_: object) -> None:
    """Tell a liveness probe that the loop that takes messages, or sends them, still runs."""
    if settings.HEARTBEAT_FILE:
        Path(settings.HEARTBEAT_FILE).touch()


@beat_init.connect
def touch_with_each_task(**_: object) -> None:
    """Have the scheduler, which has no heartbeat of its own, touch the file whenever it sends."""
    after_task_publish.connect(touch_heartbeat_file)
