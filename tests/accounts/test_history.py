"""An agent as it stood: the same as somebody saw who looked then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts import agent_corrections, agent_limits, agents, history, suspension
from accounts.claims import decisions, requests
from accounts.models import Agent, AuditLine
from imageskill.lib import clock
from tests.accounts.claiming import person, request_of

pytestmark = pytest.mark.django_db
CAPS = dict.fromkeys(agent_corrections.CAPS) | {
    "cap_outputs_per_request": 1,
    "cap_credits_per_operation": 50,
}


def standing(signed, at, *, was_paid=False):
    agent = Agent.objects.select_related("organization__owner").get(pk=signed.agent.pk)
    return history.agent_at(agent, at=at, was_paid=was_paid)


@pytest.fixture
def story(agent, supporter):
    """Do all that changes an agent; give the moment after each."""
    at = {"born": clock.now()}
    caps = CAPS | {"cap_credits_per_day": 7}
    agent_corrections.set_caps(agent=agent.agent, user=supporter, reason="busy", caps=caps)
    at["capped"] = clock.now()
    suspension.suspend(agent=agent.agent, user=supporter, reason="odd prompts")
    at["suspended"] = clock.now()
    suspension.reinstate(agent=agent.agent, user=supporter, reason="fine")
    at["reinstated"] = clock.now()
    sponsor = person("agent-ops@example.com")
    agent.agent.refresh_from_db()
    chosen = replace(
        agent_limits.for_agent(agent.agent), grants=("image.create",), credits_per_day=9
    )
    decisions.accept(claim=request_of(agent), user=sponsor, limits=chosen)
    at["claimed"] = clock.now()
    agent_limits.update(
        agent=agent.agent, user=sponsor, limits=replace(chosen, credits_per_day=None)
    )
    at["changed"] = clock.now()
    agents.revoke(agent.agent, user=supporter, reason="over")
    at["revoked"] = clock.now()
    return at


class TestStanding:
    def test_each_value_is_that_of_then(self, agent, story):
        then = {name: standing(agent, at) for name, at in story.items()}
        assert {name: one.limits["cap_credits_per_day"].value for name, one in then.items()} == {
            "born": None,
            "capped": 7,
            "suspended": 7,
            "reinstated": 7,
            "claimed": 9,
            "changed": None,
            "revoked": None,
        }
        assert {name: one.claim_state.value for name, one in then.items()} == {
            "born": "unclaimed",
            "capped": "unclaimed",
            "suspended": "unclaimed",
            "reinstated": "unclaimed",
            "claimed": "claimed",
            "changed": "claimed",
            "revoked": "revoked",
        }
        assert then["suspended"].suspended.value[1] == "odd prompts"
        assert {name for name, one in then.items() if one.suspended.value} == {"suspended"}
        assert {name for name, one in then.items() if one.sponsor.value} == {
            "claimed",
            "changed",
            "revoked",
        }
        assert then["reinstated"].claim_request_state.value == "requested"
        assert then["claimed"].claim_request_state.value == "accepted"
        assert len(then["reinstated"].limits["grants"].value) > 1
        assert then["claimed"].limits["grants"].value == ["image.create"]
        for one in then.values():
            assert all(value.is_recorded for value in one.limits.values())

    def test_what_was_not_recorded_is_todays_and_says_so(self, agent, story):
        # Claims did not always note the terms that they replaced.
        kept = [line for line in AuditLine.objects.order_by("pk") if line.after]
        claim = next(line for line in kept if line.action == "claim.accept")
        claim.before = {"claim_state": "unclaimed", "owner": None}
        [first, *_] = kept
        assert first.action == "agent.set_caps"
        at = story["reinstated"]
        assert history.value_at([first, claim], "cap_credits_per_day", at=at, now=5) == (7, True)
        assert history.value_at([claim], "cap_credits_per_day", at=at, now=5) == (5, False)

    def test_a_payment_backed_it_only_from_the_first_payment_on(self, agent):
        at = clock.now()
        Agent.objects.filter(pk=agent.agent.pk).update(claim_state="payment_backed_unclaimed")
        assert standing(agent, at).claim_state.value == "unclaimed"
        assert standing(agent, at, was_paid=True).claim_state.value == "payment_backed_unclaimed"

    def test_the_contact_is_the_one_that_was_asked_then(self, agent, supporter):
        before = clock.now()
        requests.reissue(
            agent=agent.agent, user=supporter, reason="bounced", contact="other-ops@example.com"
        )
        assert standing(agent, before).contact.value == "agent-ops@example.com"
        assert standing(agent, clock.now()).contact.value == "other-ops@example.com"
        long_ago = standing(agent, before - timedelta(days=1)).contact
        assert (long_ago.value, long_ago.is_recorded) == ("other-ops@example.com", False)
