"""What Prometheus is told: who may read it, what it counts, and that nothing private is in it."""

import os
import socket
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as parse

from billing.models import BooksCheck
from imageskill.lib import clock, metrics
from imageskill.lib.queue import QUEUES
from imageskill.lib.redis.client import client as redis
from imageskill.monitoring import figures, tasks
from imageskill.web import health
from jobs.models import Job
from jobs.providers import breaker
from tests.imageskill.console.test_queues import event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _read_now(monkeypatch):
    monkeypatch.setattr(figures, "KEEP_S", 0.0)


@pytest.fixture
def read(client):
    """Read all samples as Prometheus does: {name: {labels: value}}."""

    def samples():
        answer = client.get("/metrics")
        assert answer.status_code == 200
        found = {}
        for family in parse(answer.content.decode()):
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                found.setdefault(sample.name, {})[labels] = sample.value
        return found

    return samples


class TestAccess:
    def test_is_nothing_to_others(self, client, settings):
        settings.METRICS_NETWORKS = []

        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404

    def test_is_for_the_token(self, client, settings):
        settings.METRICS_NETWORKS = []
        settings.METRICS_TOKEN = "a-token-of-the-tests"

        assert client.get("/metrics", headers={"Authorization": "Bearer no"}).status_code == 404
        allowed = {"Authorization": "Bearer a-token-of-the-tests"}
        assert client.get("/metrics", headers=allowed).status_code == 200

    def test_is_for_networks(self, client, settings):
        settings.METRICS_NETWORKS = ["10.0.0.0/8"]

        assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404

    def test_is_asked_of_each_server_by_its_address(self, settings):
        settings.METRICS_NETWORKS = ["10.0.0.0/8"]
        settings.SECURE_SSL_REDIRECT = True
        prometheus = Client(REMOTE_ADDR="10.1.2.3", HTTP_HOST="10.9.8.7:8000")

        assert prometheus.get("/metrics").status_code == 200
        assert prometheus.get("/").status_code != 200


class TestRequests:
    def test_are_counted_by_route_and_never_by_path(self, read, client, api, agent):
        client.get("/wp-login.php?token=secret")
        client.get("/v1/jobs/job_of_nobody")
        api.get("/v1/whoami", token=agent.token)

        counted = read()["imageskill_http_requests_total"]

        routes = {dict(labels)["route"] for labels in counted}
        assert {"v1/whoami", "v1/jobs/<job_id>"} <= routes
        assert not [route for route in routes if "wp-login" in route or "nobody" in route]

    def test_the_time_of_each_is_in_a_histogram(self, read, client):
        client.get("/healthz")
        before = read()["imageskill_http_request_seconds_count"][("route", "healthz"),]

        client.get("/healthz")

        assert read()["imageskill_http_request_seconds_count"][("route", "healthz"),] == before + 1


class TestFigures:
    def test_queues_and_who_serves_them(self, read):
        redis().rpush("jobs", "a", "b")
        health.record_heartbeat("jobs")

        found = read()

        assert found["imageskill_queue_messages"][("queue", "jobs"),] == 2
        assert set(found["imageskill_queue_messages"]) == {(("queue", name),) for name in QUEUES}
        assert found["imageskill_heartbeat_age_seconds"][("of", "jobs"),] < 60
        assert (("of", "scheduler"),) not in found["imageskill_heartbeat_age_seconds"]

    def test_open_jobs_providers_and_circuits(self, read, api, agent, settings):
        body = {"prompt": "a lighthouse", "model": "local.sketch"}
        api.post("/v1/create", token=agent.token, json=body)
        Job.objects.update(created_at=clock.now() - timedelta(minutes=5))
        settings.BREAKER_FAILURES = 1
        breaker.record_failure("fal.flux-dev")

        found = read()

        queued = (("provider", "local"), ("status", "queued"))
        assert found["imageskill_open_jobs"] == {queued: 1}
        assert found["imageskill_oldest_queued_job_seconds"][()] >= 300
        limit = (("provider", "local"), ("state", "limit"))
        assert found["imageskill_provider_runs"][limit] == settings.LOCAL_CONCURRENCY
        assert found["imageskill_circuit_open_seconds"][("model", "fal.flux-dev"),] > 0

    def test_webhooks_and_books(self, read):
        event(1, "received", ago=timedelta(minutes=10))
        BooksCheck.objects.create(finished_at=clock.now(), actor="test", problem_count=3)

        found = read()

        assert found["imageskill_oldest_webhook_seconds"][("from", "stripe"),] >= 600
        assert found["imageskill_oldest_webhook_seconds"][("from", "github"),] == 0
        assert found["imageskill_ledger_problems"][()] == 3
        assert found["imageskill_storage_up"][()] == 1

    def test_what_can_not_be_read_is_left_out_and_counted(self, read, monkeypatch):
        def broken():
            raise figures.RedisUnavailable
            yield

        monkeypatch.setattr(figures, "GROUPS", (broken, figures._feedback))

        found = read()

        assert found["imageskill_figures_not_read"][()] == 1
        assert "imageskill_oldest_due_report_seconds" in found

    def test_take_few_statements_and_are_kept_for_a_while(
        self, client, monkeypatch, django_assert_max_num_queries
    ):
        client.get("/metrics")
        with django_assert_max_num_queries(12):
            client.get("/metrics")
        monkeypatch.setattr(figures, "KEEP_S", 60.0)
        with django_assert_max_num_queries(0):
            client.get("/metrics")


def test_processes_that_share_a_folder_answer_for_all(tmp_path):
    """As the processes of one web server do, of which each request reaches one."""
    env = {**os.environ, **metrics.new_folder(tmp_path / "shared")}
    count = "from imageskill.lib import metrics; metrics.REQUESTS.labels('GET', 'a', 200).inc()"
    show = "import prometheus_client as p; print(p.generate_latest(metrics.registry()).decode())"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], env=env, check=True)

    shown = subprocess.check_output([sys.executable, "-c", f"{count}\n{show}"], env=env, text=True)

    assert 'imageskill_http_requests_total{method="GET",route="a",status="200"} 3.0' in shown


def test_nothing_of_an_earlier_start_is_kept(tmp_path):
    folder = tmp_path / "shared"
    metrics.new_folder(folder)
    (folder / "counter_1.db").write_bytes(b"old")

    metrics.new_folder(folder)

    assert not list(folder.iterdir())


def test_state_of_a_process_that_was_replaced_is_not_counted(tmp_path):
    env = {**os.environ, **metrics.new_folder(tmp_path / "shared")}
    wait = "from imageskill.lib import metrics; metrics.WAITING_CALLERS.inc()"
    show = "import prometheus_client as p; print(p.generate_latest(metrics.registry()).decode())"
    subprocess.run([sys.executable, "-c", wait], env=env, check=True)

    shown = subprocess.check_output([sys.executable, "-c", f"{wait}\n{show}"], env=env, text=True)

    assert "imageskill_waiting_callers 1.0" in shown


def test_folders_of_servers_that_ended_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {
        which: f"imageskill-metrics-{pid}-abc"
        for which, pid in (
            ("ended", ended.pid),
            ("running", os.getppid()),
            ("own, of a start before", os.getpid()),
        )
    }
    for name in names.values():
        (tmp_path / name).mkdir()

    made = Path(metrics.temporary_folder()[metrics.FOLDER])

    assert {folder.name for folder in tmp_path.iterdir()} == {names["running"], made.name}
    assert made.stat().st_mode & 0o077 == 0


class TestWorker:
    @pytest.fixture
    def port(self, settings):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            settings.METRICS_PORT = probe.getsockname()[1]
        return settings.METRICS_PORT

    def test_shows_its_tasks_on_a_port_of_its_own(self, port):
        task = SimpleNamespace(name="jobs.run")
        tasks.begin(task_id="1")
        tasks.end(task_id="1", task=task, state="SUCCESS")

        tasks.serve()

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            shown = answer.read().decode()
        assert 'imageskill_tasks_total{outcome="success",task="jobs.run"}' in shown
        assert 'imageskill_task_seconds_count{task="jobs.run"}' in shown

    def test_a_taken_port_is_told_and_ends_nothing(self, port, caplog):
        with socket.create_server(("127.0.0.1", port)):
            tasks.serve()

        assert "metrics_not_served" in caplog.text
