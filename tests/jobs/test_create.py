"""Creating an image over the API, from the call to the picture and the ledger."""

import pytest

from billing import ledger

PROMPT = "A compact field camera on a stainless workbench"


@pytest.fixture
def ask():
    return {"prompt": PROMPT, "model": "local.sketch"}


class TestCreate:
    def test_running_job_completes_and_is_charged(self, transactional_db, api, agent, drain, ask):
        answer = api.post("/v1/create", token=agent.token, json=ask)

        assert answer.status == 202
        assert answer.data["job"]["status"] == "queued"
        drain()
        job = api.get(f"/v1/jobs/{answer.data['job_id']}", token=agent.token).data["job"]
        assert job["status"] == "completed", job["error"]
        assert ledger.balances(agent.organization.pk).preview == 39
