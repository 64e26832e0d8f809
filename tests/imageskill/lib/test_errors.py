"""One class for each code of the contract, and a page that says the same."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from imageskill.lib.errors import ApiError
from jobs.providers.failures import ProviderRefused

ROOT = Path(__file__).parents[3]

# Code: HTTP status, exit code, retryable; the table of the wire contract.
CONTRACT = {
    "INVALID_ARGUMENTS": (422, 2, False),
    "METHOD_NOT_ALLOWED": (405, 2, False),
    "NOT_FOUND": (404, 1, False),
    "AUTH_REQUIRED": (401, 3, False),
    "CAPABILITY_DENIED": (403, 4, False),
    "MODEL_UNAVAILABLE": (409, 4, False),
    "MODEL_PARAMETER_INVALID": (422, 2, False),
    "BUDGET_REQUIRES_CONFIRMATION": (409, 5, False),
    "BUDGET_EXCEEDED": (409, 5, False),
    "QUOTA_EXCEEDED": (402, 5, False),
    "DAILY_JOB_LIMIT": (429, 5, True),
    "RATE_LIMITED": (429, 5, True),
    "CONTENT_POLICY_DENIED": (403, 6, False),
    "INPUT_POLICY_DENIED": (415, 6, False),
    "PROVIDER_FAILURE": (502, 7, True),
    "PROVIDER_POLICY_DENIED": (403, 6, False),
    "PROVIDER_UNAVAILABLE": (503, 7, True),
    "PROVIDER_OUTCOME_UNKNOWN": (502, 7, False),
    "TIMEOUT": (504, 8, True),
    "ARTIFACT_STORAGE_WRITE_FAILED": (507, 9, False),
    "IDEMPOTENCY_CONFLICT": (409, 2, False),
    "CREDIT_QUOTE_CONFLICT": (409, 2, False),
    "QUOTE_EXPIRED": (409, 2, False),
    "QUOTE_ALREADY_USED": (409, 2, False),
    "PAYMENT_METHOD_MISMATCH": (409, 2, False),
    "PAYMENT_METHOD_UNAVAILABLE": (409, 2, False),
    "PAYMENT_PROVIDER_FAILURE": (502, 7, True),
    "PAYMENT_CREDENTIAL_REJECTED": (422, 2, False),
    "FEEDBACK_STORAGE_UNAVAILABLE": (503, 9, True),
    "SERVICE_UNAVAILABLE": (503, 7, True),
    "INTERNAL_ERROR": (500, 1, False),
}


def _classes() -> set[type[ApiError]]:
    """Import every module of the apps, then walk all subclasses."""
    for name in ("accounts", "billing", "jobs", "feedback", "imageskill"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not re.search(r"\.(migrations|standins|embedded|__main__|cli|mcp)\b", module.name):
                importlib.import_module(module.name)
    waiting, found = [ApiError], set()
    while waiting:
        for kind in waiting.pop().__subclasses__():
            found.add(kind)
            waiting.append(kind)
    return {kind for kind in found if not kind.__module__.startswith("tests.")}


@pytest.fixture(scope="module")
def classes():
    return _classes()


class TestErrors:
    def test_the_codes_are_exactly_those_of_the_contract(self, classes):
        assert {kind.code for kind in classes} == set(CONTRACT)

    def test_each_class_decides_as_the_contract_says(self, classes):
        for kind in classes:
            status, exit_code, retryable = CONTRACT[kind.code]
            # Invalid too, with a status of its own: a body too large, a job that has ended;
            # late too, by the caller: a body that did not arrive.
            others = {"INVALID_ARGUMENTS": {413, 409}, "TIMEOUT": {408}}.get(kind.code, set())
            assert kind.status in {status, *others}, kind
            assert kind.exit_code == exit_code, kind
            # A provider's failure that would repeat is the one exception of the contract.
            assert kind.retryable == (retryable and kind is not ProviderRefused), kind

    def test_each_tells_its_caller_something(self, classes):
        for kind in classes:
            assert len(kind.message) > 20, kind
            assert kind.__doc__, kind

    def test_the_page_says_the_same(self):
        page = (ROOT / "docs" / "errors.md").read_text()
        rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d) \| (yes|no) \|", page, re.MULTILINE)
        told = {
            code: (int(status), int(exit_code), retry == "yes")
            for code, status, exit_code, retry in rows
        }
        assert told == CONTRACT
