"""Who is calling, and what they may do."""

import pytest

pytestmark = pytest.mark.django_db


class TestWhoAmI:
    def test_it_tells_identity_grants_and_caps(self, api, agent):
        answer = api.get("/v1/whoami", token=agent.token)
        assert answer.data["actor"] == {
            "actor_type": "agent",
            "actor_id": agent.id,
            "organization_id": agent.organization.public_id,
            "claim_state": "unclaimed",
        }
        assert answer.envelope["actor"] == answer.data["actor"]
        assert "image.create" in answer.data["grants"]
        assert "provenance.read" not in answer.data["grants"]
        assert answer.data["caps"]["outputs_per_request"] == 4
        assert answer.data["caps"]["credits_per_operation"] == 100

    def test_without_a_token_it_is_refused(self, api):
        assert api.get("/v1/whoami").status == 401
