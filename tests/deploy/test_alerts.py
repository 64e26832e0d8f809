"""The rules for Prometheus name figures that exist, and say what to do."""

import re
import shutil
import subprocess

import pytest
import yaml
from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest

from imageskill.lib import metrics
from imageskill.monitoring.figures import Figures

FILE = settings.BASE_DIR / "deploy" / "prometheus" / "alerts.yaml"
RULES = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]


@pytest.fixture
def shown(db, settings):
    """The names that Prometheus is told of."""
    settings.STRIPE_SECRET_KEY = "sk_test_standin"
    registry = CollectorRegistry()
    registry.register(Figures())
    text = (generate_latest(registry) + generate_latest(metrics.OF_THIS_PROCESS)).decode()
    return set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))


def test_each_rule_is_about_figures_that_exist(shown):
    named = {name for rule in RULES for name in re.findall(r"imageskill_\w+", rule["expr"])}

    # Nothing was checked yet in an empty database.
    assert named - shown <= {"imageskill_ledger_problems", "imageskill_ledger_check_age_seconds"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_says_what_happened_and_what_to_do(rule):
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["do"].endswith(".")
    assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.by_hand
def test_prometheus_reads_them():
    tool = shutil.which("promtool")
    assert tool, "promtool comes with Prometheus"
    subprocess.run([tool, "check", "rules", str(FILE)], check=True)
