"""`/v1/guide`: where a caller stands on the way to an image, and the next command."""

import pytest
from django.db import transaction

from accounts.models import Agent
from billing import ledger
from billing.limits import daily_use
from imageskill.lib import clock
from jobs.models import Job
from tests import commands


@pytest.fixture
def guide(db, api, settings):
    settings.LOCAL_PROVIDER = True

    def ask(token=None, **query):
        text = "&".join(f"{name}={value}" for name, value in query.items())
        data = api.get(f"/v1/guide?{text}", token=token).data
        for command in (
            data["next_command"],
            data["no_spend_next_command"],
            data["recovery"]["then_command"],
        ):
            if command:
                commands.check_command(command)
        return data

    return ask


class TestStages:
    def test_asks_for_a_prompt_first(self, guide):
        data = guide()
        assert data["stage"] == "prompt_required"
        assert data["missing_inputs"] == ["prompt"]
        assert not data["next_command_copy_runnable"]
        assert not data["effects"]["spends"]

    def test_leads_to_models_that_run(self, guide):
        data = guide(prompt_present="true", model="xai.grok-imagine-image")
        assert data["stage"] == "no_executable_model"
        assert "models list --available" in data["next_command"]

    def test_says_what_nothing_here_makes(self, guide):
        assert guide(prompt_present="true", modality="image")["stage"] == "auth_required"
        data = guide(prompt_present="true", modality="video")
        assert data["stage"] == "no_executable_model"

    def test_asks_for_an_account_and_offers_a_plan_without_one(self, guide):
        data = guide(prompt_present="true")
        assert (data["stage"], data["model"]) == ("auth_required", "local.sketch")
        assert data["missing_inputs"] == ["agent_name", "runtime"]
        assert "--dry-run" in data["no_spend_next_command"]

    def test_says_when_credits_are_short(self, guide, agent):
        with transaction.atomic():
            ledger.hold(
                organization_id=agent.organization.pk, job_id="job_1", credits=40, actor="tests"
            )
        data = guide(agent.token, prompt_present="true")
        assert data["stage"] == "quota_required"
        assert data["next_command"].startswith("image-skill credits quote ")
        assert data["effects"] == {"spends": False, "credits_required": 1, "credits_available": 0}

    def test_says_when_the_days_jobs_are_used_up(self, guide, agent):
        for _ in range(2):
            daily_use.reserve(agent=agent.agent, credits=1, at=clock.now())
        data = guide(agent.token, prompt_present="true")
        assert data["stage"] == "quota_required"
        assert 0 < data["recovery"]["retry_after_seconds"] <= 86_401

    def test_hands_out_the_command_and_its_plan(self, guide, agent):
        data = guide(agent.token, prompt_present="true", model="local.sketch")
        assert data["stage"] == "ready_to_create"
        assert "--model local.sketch" in data["next_command"]
        assert "--idempotency-key" in data["next_command"]
        assert data["effects"] == {"spends": True, "credits_required": 1, "credits_available": 40}
        assert not Job.objects.exists()

    def test_an_edit_needs_an_image_and_accepts_what_can_not_be_known(self, guide, agent):
        data = guide(agent.token, operation="edit", prompt_present="true")
        assert data["missing_inputs"] == ["input"]
        assert "--accept-unknown-cost" in data["next_command"]

    def test_the_price_is_that_of_a_dry_run_of_the_next_command(self, guide, api, agent, settings):
        settings.OPENAI_API_KEY = "sk-test"
        data = guide(agent.token, prompt_present="true")
        planned = api.post("/v1/create", json={"prompt": "p", "dry_run": True}).data["cost"]
        required = planned["credit_pricing"]["credits_required"]
        assert data["model"] == "openai.gpt-image-2"
        assert data["effects"]["credits_required"] == required
        assert planned["estimated_usd"] is not None
        assert "--accept-unknown-cost" not in data["next_command"]

    @pytest.mark.parametrize("cap", ["cap_credits_per_operation", "cap_credits_per_day"])
    def test_says_which_cap_would_refuse(self, guide, agent, cap):
        Agent.objects.update(**{cap: 0})
        data = guide(agent.token, prompt_present="true")
        assert data["stage"] == "quota_required"
        assert data["next_command"].startswith("image-skill claim request ")
        assert data["no_spend_next_command"] == "image-skill whoami --json"
        assert not data["effects"]["spends"]

    @pytest.mark.parametrize("change", [{"grants": []}, {"suspended_at": clock.now()}])
    def test_says_when_the_agent_may_not_create(self, guide, agent, change):
        Agent.objects.update(**change)
        data = guide(agent.token, prompt_present="true")
        assert (data["stage"], data["effects"]["spends"]) == ("auth_required", False)
        assert data["missing_inputs"] == []


class TestRefusals:
    @pytest.mark.parametrize("query", ["model=nope", "model=local.sketch-remix", "operation=paint"])
    def test_what_is_no_model_or_operation_is_invalid(self, db, api, query):
        assert api.get(f"/v1/guide?prompt_present=true&{query}").code == "INVALID_ARGUMENTS"

    def test_near_matches_are_those_of_create(self, db, api):
        body = {"prompt": "p", "model": "local.skech", "dry_run": True}
        wanted = api.post("/v1/create", json=body)
        refused = api.get("/v1/guide?prompt_present=true&model=local.skech")
        assert "local.sketch" in str(refused.error["details"])
        assert refused.error == wanted.error

    def test_a_bad_token_is_checked(self, db, api):
        assert api.get("/v1/guide", token="isk_r_unknown").code == "AUTH_REQUIRED"

    def test_needs_few_statements(self, api, agent, django_assert_max_num_queries):
        path = "/v1/guide?prompt_present=true"
        api.get(path, token=agent.token)
        with django_assert_max_num_queries(4):
            api.get(path, token=agent.token)
