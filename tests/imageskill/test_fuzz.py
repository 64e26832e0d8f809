"""Whatever comes in, an envelope comes out: properties of each endpoint, and a schema's fuzzer."""

import string
from pathlib import Path
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import Agent
from imageskill.wsgi import application
from jobs.models import Job
from tests.caller import Caller
from tests.cast import sign_up

pytestmark = pytest.mark.django_db

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
POSTS = [
    "/v1/agent-signups",
    "/v1/agent-claims",
    "/v1/create",
    "/v1/edit",
    "/v1/upload",
    "/v1/feedback",
    "/v1/credit-quotes",
    "/v1/credit-purchases",
    "/v1/credit-purchases/stripe-checkout-sessions",
    "/v1/cli",
]
GETS = [
    "/v1/models/{}",
    "/v1/capabilities/{}",
    "/v1/jobs/{}",
    "/v1/assets/{}",
    "/v1/activity/{}",
    "/v1/activity?limit={}",
    "/v1/activity?subject={}",
    "/v1/activity?cursor={}",
    "/v1/jobs?cursor={}",
    "/v1/assets?limit={}",
    "/v1/models?query={}",
    "/v1/models?available={}",
    "/v1/credit-purchases/status?quote_id={}",
]
FIELDS = [
    "prompt", "model", "provider", "intent", "aspect_ratio", "output", "output_count",
    "references", "model_parameters", "dry_run", "max_estimated_usd_per_image", "max_usd",
    "accept_unknown_cost", "idempotency_key", "input_asset_id", "mask_asset_id", "title", "body",
    "surface", "evidence", "severity", "credits", "pack_id", "payment_method", "quote_id", "argv",
    "agent_name", "runtime", "human_email", "agent_contact", "contact", "return_token",
    "source_kind", "filename", "remote_origin", "mime_type", "content_length", "sha256",
    "bytes_base64",
]  # fmt: skip
AN_ENDPOINT_TAKES_ITS_TIME = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def token(db):
    return sign_up().token


def check(answer):
    """Hold an answer to what every answer promises; the caller checks that it is an envelope."""
    assert answer.status < 500, answer.envelope
    assert answer.envelope["ok"] == (answer.status < 400)
    assert 0 <= answer.exit_code <= 9
    assert (answer.exit_code == 0) == answer.envelope["ok"]


class TestInput:
    @pytest.mark.parametrize("path", POSTS)
    @AN_ENDPOINT_TAKES_ITS_TIME
    @given(body=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
    def test_any_body_gets_an_envelope(self, token, path, body):
        check(Caller().post(path, json=body, token=token))

    @pytest.mark.parametrize("path", POSTS)
    @AN_ENDPOINT_TAKES_ITS_TIME
    @given(raw=st.binary(max_size=60))
    def test_any_bytes_get_an_envelope(self, token, path, raw):
        check(Caller().post(path, raw=raw, token=token))

    @pytest.mark.parametrize("path", GETS)
    @AN_ENDPOINT_TAKES_ITS_TIME
    @given(text=st.text(alphabet=string.printable + "é\u0000\ud7ff☃", min_size=1, max_size=40))
    def test_any_reference_gets_an_envelope(self, token, path, text):
        check(Caller().get(path.format(quote(text, safe="")), token=token))

    def test_a_refused_body_leaves_nothing(self, token):
        before = Agent.objects.count()
        for path in POSTS:
            Caller().post(path, json={"nobody_knows": 1}, token=token)
        assert Agent.objects.count() == before
        assert not Job.objects.exists()


# The snapshot that `make check` holds to the code; read here because collecting has no database.
schema = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.json")
schema.app = application


@pytest.mark.django_db(transaction=True)
class TestSchema:
    @schema.parametrize()
    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    def test_what_the_description_allows_and_forbids_never_breaks_it(self, case, token):
        case.call_and_validate(
            headers={"Authorization": f"Bearer {token}"},
            checks=[not_a_server_error, status_code_conformance, response_schema_conformance],
        )
