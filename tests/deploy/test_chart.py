"""The Helm chart: the same processes as elsewhere, with what Kubernetes needs to run them well.

Rendering it takes Helm: set HELM_PYTHON to an interpreter that has `helm-python-sdk` and
`kubernetes-validate`, and KEDA to a folder with KEDA's definitions, for `make contract-check`.
"""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

from imageskill import __version__, programs
from imageskill.lib.queue import QUEUES

CHART = settings.BASE_DIR / "deploy" / "helm" / "imageskill"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
FACTS = yaml.safe_load((CHART / "Chart.yaml").read_text())
KNOWN = re.findall(
    r"^([A-Z][A-Z0-9_]*)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE
)
CASES = {
    "s3": {"settings": {"S3_BUCKET": "images", "S3_REGION": "eu-central-1"}},
    "keda": {
        "settings": {"METRICS_NETWORKS": "10.0.0.0/8"},
        "storage": {"existingClaim": "images"},
        "ingress": {"enabled": True},
        "autoscaling": {
            "kind": "keda",
            "redis": {"passwordSecret": {"name": "imageskill", "key": "REDIS_PASSWORD"}},
        },
    },
    "hpa": {"storage": {"existingClaim": "images"}, "autoscaling": {"kind": "hpa"}},
}


class TestValues:
    def test_name_settings_that_there_are(self):
        assert {*VALUES["settings"], *VALUES["secret"]["keys"]} <= set(KNOWN)

    def test_version_is_the_packages(self):
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
        versions = {FACTS["version"], FACTS["appVersion"], project["version"], __version__}
        assert len(versions) == 1

    def test_serve_each_queue_and_keep_slow_providers_apart(self):
        jobs, others = (
            set(VALUES["workers"][name]["queues"].split(",")) for name in ("jobs", "default")
        )
        assert jobs == {programs.JOB_QUEUES}
        assert jobs | others == set(QUEUES)
        assert not jobs & others

    def test_leave_time_to_end_what_began(self):
        jobs = VALUES["workers"]["jobs"]["terminationGracePeriodSeconds"]
        assert jobs > settings.OPENAI_TIMEOUT_S + 30
        drain_s = 10
        assert (
            VALUES["web"]["terminationGracePeriodSeconds"] > drain_s + settings.CREATE_WAIT_S + 45
        )


def rendered(case: str) -> list[dict]:
    """Return the objects of a case, as Helm renders them and Kubernetes takes them."""
    script = Path(__file__).with_name("render_chart.py")
    definitions = sorted(Path(os.environ.get("KEDA", "/nowhere")).glob("*.yaml"))
    command = [os.environ["HELM_PYTHON"], script, CHART, json.dumps({case: CASES[case]})]
    answer = subprocess.run([*command, *definitions], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)[case]


def pods(objects: list[dict]) -> dict[str, dict]:
    return {
        item["metadata"]["name"].removeprefix("imageskill-"): item["spec"]["template"]["spec"]
        for item in objects
        if item["kind"] in {"Deployment", "Job"}
    }


@pytest.mark.by_hand
class TestRendered:
    def test_every_pod_runs_a_command_without_rights(self, monkeypatch):
        commands = []
        monkeypatch.setattr("os.execv", lambda program, command: commands.append(command))
        found = pods(rendered("s3"))
        assert set(found) == {"web", "worker-jobs", "worker-default", "scheduler", "migration"}
        for name, pod in found.items():
            [container] = pod["containers"]
            assert pod["securityContext"]["runAsNonRoot"]
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            if name == "migration":
                assert container["args"] == ["bootstrap"]
            else:
                call_command(*container["args"])
        assert len(commands) == 4

    def test_secrets_are_read_from_files_and_named_by_reference(self):
        objects = rendered("s3")
        assert not [item for item in objects if item["kind"] == "Secret"]
        for pod in pods(objects).values():
            env = {it["name"]: it["value"] for it in pod["containers"][0]["env"]}
            assert env["SECRET_KEY_FILE"] == "/run/imageskill/SECRET_KEY"
            assert "SECRET_KEY" not in env
            assert {name.removesuffix("_FILE") for name in env} <= {*KNOWN, "HEARTBEAT"}

    def test_migrations_come_before_and_one_scheduler_at_a_time(self):
        found = {item["metadata"]["name"]: item for item in rendered("s3")}
        hook = found["imageskill-migration"]["metadata"]["annotations"]["helm.sh/hook"]
        assert hook == "pre-install,pre-upgrade"
        assert found["imageskill-scheduler"]["spec"]["strategy"] == {"type": "Recreate"}
        assert found["imageskill-scheduler"]["spec"]["replicas"] == 1

    def test_web_is_taken_out_before_it_stops_and_bounded_in_disruption(self):
        objects = rendered("s3")
        [web] = pods(objects)["web"]["containers"]
        assert {"name": "DRAIN_S", "value": "10"} in web["env"]
        assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert web["livenessProbe"]["httpGet"]["path"] == "/livez"
        budgets = [item for item in objects if item["kind"] == "PodDisruptionBudget"]
        assert len(budgets) == 3

    def test_prometheus_finds_workers_and_web_pods_that_may_be_read(self):
        found = {
            item["metadata"]["name"].removeprefix("imageskill-"): item["spec"]["template"]
            for item in rendered("keda")
            if item["kind"] == "Deployment"
        }
        ports = {
            name: pod["metadata"].get("annotations", {}).get("prometheus.io/port")
            for name, pod in found.items()
        }
        assert ports.pop("scheduler") is None
        assert ports == {"web": "8000", "worker-jobs": "9100", "worker-default": "9100"}
        [worker] = found["worker-jobs"]["spec"]["containers"]
        env = {it["name"]: it["value"] for it in worker["env"]}
        assert (env["METRICS_HOST"], env["METRICS_PORT"]) == ("0.0.0.0", "9100")
        assert worker["ports"] == [{"name": "metrics", "containerPort": 9100}]

    def test_keda_reads_the_queues_own_lists(self):
        scaled = [item for item in rendered("keda") if item["kind"] == "ScaledObject"]
        lists = [it["metadata"]["listName"] for item in scaled for it in item["spec"]["triggers"]]
        assert sorted(lists) == sorted(QUEUES)

    def test_an_autoscaler_may_read_them_from_a_metric(self):
        objects = rendered("hpa")
        scalers = [item for item in objects if item["kind"] == "HorizontalPodAutoscaler"]
        metrics = [it["external"]["metric"] for item in scalers for it in item["spec"]["metrics"]]
        assert {it["selector"]["matchLabels"]["key"] for it in metrics} == set(QUEUES)
        workers = [it for it in objects if "worker" in it["metadata"]["name"]]
        assert not [it for it in workers if "replicas" in it["spec"]]
