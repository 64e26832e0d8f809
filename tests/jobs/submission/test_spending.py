"""Many creates at once: never more than the balance pays for, and never more statements."""

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from billing import ledger
from billing.ledger import checks
from imageskill.lib.errors import ApiError
from jobs.models import Job
from jobs.providers.failures import ProviderFailure
from jobs.running import hold_checks, lifecycle
from jobs.running.lifecycle import JobFailure
from tests.caller import Caller

BODY = {"prompt": "a lighthouse", "model": "local.sketch"}
MOST_STATEMENTS = 20


@pytest.fixture
def rich(transactional_db, agent, settings):
    """An agent with many jobs a day, and a model whose image costs nine credits."""
    settings.DAILY_JOBS_PREVIEW = 1000
    settings.NEW_AGENT_CREDITS_PER_OPERATION = 1000
    return agent


def at_once(count, body, token):
    """Create many at once, each in a thread; give the codes, None for accepted."""
    codes = []
    start = threading.Barrier(count)

    def create():
        start.wait()
        try:
            codes.append(Caller().post("/v1/create", token=token, json=body).code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


class TestManyAtOnce:
    def test_balance_450_price_9_accepts_50_of_60(self, rich, settings):
        settings.XAI_API_KEY = "nobody is called: no worker runs"
        with transaction.atomic():
            ledger.grant_preview(
                organization_id=rich.organization.pk,
                credits=410,
                key="test",
                actor="test",
                reason="test",
                reference="test",
            )

        codes = at_once(60, BODY | {"model": "xai.grok-imagine-image-quality"}, rich.token)

        assert codes.count(None) == 50
        assert codes.count("QUOTA_EXCEEDED") == 10
        assert ledger.balances(rich.organization.pk) == (0, 0, 450, 0)
        assert set(Job.objects.values_list("credits_held", flat=True)) == {9}
        assert not list(hold_checks.problems())

    def test_two_first_spends_are_one_where_one_is_paid_for(self, rich, settings):
        body = BODY | {"output_count": 4}
        for _ in range(9):
            Caller().post("/v1/create", token=rich.token, json=body)
        assert ledger.balances(rich.organization.pk).preview == 4

        codes = at_once(2, body, rich.token)

        assert sorted(codes, key=str) == [None, "QUOTA_EXCEEDED"]

    def test_one_key_at_once_makes_one_job(self, rich):
        codes = at_once(8, BODY | {"idempotency_key": "once"}, rich.token)

        assert codes == [None] * 8
        assert Job.objects.count() == 1
        assert ledger.balances(rich.organization.pk).held == 1

    def test_a_key_whose_job_failed_starts_one_new_job(self, rich):
        body = BODY | {"idempotency_key": "once"}
        Caller().post("/v1/create", token=rich.token, json=body)
        assert lifecycle.fail(Job.objects.get(), JobFailure(error=ProviderFailure))

        codes = at_once(10, body, rich.token)

        assert codes == [None] * 10
        assert Job.objects.count() == 2
        assert Job.objects.get(idempotency_key="once").status == "queued"
        assert ledger.balances(rich.organization.pk) == (39, 0, 1, 0)
        assert not list(hold_checks.problems())
        assert not list(checks.ledger_problems())

    def test_a_key_is_answered_with_its_job_where_the_balance_pays_for_one(self, rich):
        body = BODY | {"output_count": 4}
        for _ in range(9):
            Caller().post("/v1/create", token=rich.token, json=body)

        codes = at_once(6, body | {"idempotency_key": "once"}, rich.token)

        assert codes == [None] * 6
        assert ledger.balances(rich.organization.pk).preview == 0

    def test_daily_limit_holds(self, rich, settings):
        settings.DAILY_JOBS_PREVIEW = 5

        codes = at_once(12, BODY, rich.token)

        assert codes.count(None) == 5
        assert codes.count("DAILY_JOB_LIMIT") == 7


class TestStatements:
    def test_create_stays_within_its_budget(self, rich, api):
        api.get("/v1/whoami", token=rich.token)

        with CaptureQueriesContext(connection) as captured:
            api.post("/v1/create", token=rich.token, json=BODY | {"idempotency_key": "one"})

        statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
        assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = [
    *("prompt", "model", "provider", "intent", "aspect_ratio", "output", "output_count"),
    *("references", "model_parameters", "dry_run", "max_estimated_usd_per_image", "max_usd"),
    *("accept_unknown_cost", "idempotency_key", "input_asset_id", "mask_asset_id", "other"),
]


class TestRandomInput:
    @pytest.mark.parametrize("path", ["/v1/create", "/v1/edit"])
    @given(body=st.dictionaries(st.sampled_from(FIELDS), JSON))
    @hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_gets_an_answer_of_the_table(self, rich, path, body):
        answer = Caller().post(path, token=rich.token, json=body)

        known = {error.code for error in _all_errors()}
        assert answer.code is None or answer.code in known - {"INTERNAL_ERROR"}
        held = sum(Job.objects.values_list("credits_held", flat=True))
        assert ledger.balances(rich.organization.pk).held == held

    @pytest.mark.parametrize("field", [name for name in FIELDS if name != "prompt"])
    @given(value=JSON)
    @hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_one_odd_field_beside_a_good_prompt(self, rich, field, value):
        body = BODY | {field: value, "dry_run": True}

        answer = Caller().post("/v1/create", token=rich.token, json=body)

        assert answer.status < 500


def _all_errors(kind=ApiError):
    for error in kind.__subclasses__():
        yield error
        yield from _all_errors(error)
