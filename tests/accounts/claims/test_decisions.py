"""Deciding on a request to claim an agent."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from accounts import agent_limits, agents, sponsors, suspension
from accounts.claims import decisions, states
from accounts.models import Agent, Alert, AuditLine, Claim, User
from imageskill.lib import clock
from tests.accounts.claiming import accept, mailed, person, request_of
from tests.caller import Caller
from tests.cast import Signed

pytestmark = pytest.mark.django_db
INBOX = "agent-ops@example.com"


class TestAccepting:
    def test_makes_the_person_owner_under_their_terms(self, agent: Signed, api: Caller) -> None:
        user = person(INBOX)
        chosen = replace(
            agent_limits.for_agent(agent.agent), grants=("image.create",), credits_per_day=50
        )

        decisions.accept(claim=request_of(agent), user=user, limits=chosen)

        whoami = api.get("/v1/whoami", token=agent.token).data
        assert whoami["claim_state"] == "claimed"
        assert whoami["claim_request_state"] == "accepted"
        assert whoami["grants"] == ["image.create"]
        assert whoami["caps"]["credits_per_day"] == 50
        assert whoami["organization"]["organization_id"] == agent.organization.public_id
        assert Agent.objects.owned_by(user).get() == agent.agent

    def test_leaves_an_audit_line_and_tells_the_sponsor(self, agent: Signed) -> None:
        user = person(INBOX)

        accept(agent, user)

        assert AuditLine.objects.get(action="claim.accept").user == user
        assert Alert.objects.get(user=user).kind == "claimed"

    def test_works_once(self, agent: Signed) -> None:
        user, claim = person(INBOX), request_of(agent)
        accept(agent, user)

        with pytest.raises(sponsors.SponsorActionRefused, match="already accepted"):
            decisions.accept(claim=claim, user=user, limits=agent_limits.for_agent(agent.agent))

    def test_is_for_the_address_that_was_named(self, agent: Signed) -> None:
        with pytest.raises(sponsors.SponsorActionRefused, match="different email"):
            accept(agent, person("uninvited@example.com"))

    def test_takes_an_address_only_when_it_is_confirmed(self, agent: Signed) -> None:
        user = User.objects.create_user(INBOX)
        EmailAddress.objects.create(user=user, email=INBOX, verified=False)

        with pytest.raises(sponsors.SponsorActionRefused, match="different email"):
            accept(agent, user)

    def test_is_refused_after_seven_days(self, agent: Signed) -> None:
        claim = request_of(agent)
        Claim.objects.filter(pk=claim.pk).update(expires_at=clock.now() - timedelta(seconds=1))

        with pytest.raises(sponsors.SponsorActionRefused, match="expired"):
            accept(agent, person(INBOX))

    def test_is_refused_for_a_revoked_agent(self, agent: Signed) -> None:
        agents.revoke(agent.agent, user=None, reason="test")

        with pytest.raises(sponsors.SponsorActionRefused, match="revoked permanently"):
            accept(agent, person(INBOX))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
class TestTwoAtOnce:
    def test_one_decision_counts(self, agent: Signed) -> None:
        user, claim = person(INBOX), request_of(agent)
        outcomes: list[str] = []
        start = threading.Barrier(2)

        def decide(decline: bool) -> None:
            start.wait()
            try:
                if decline:
                    decisions.decline(claim=claim, user=None)
                else:
                    decisions.accept(
                        claim=claim, user=user, limits=agent_limits.for_agent(agent.agent)
                    )
                outcomes.append("declined" if decline else "accepted")
            except sponsors.SponsorActionRefused:
                outcomes.append("refused")
            finally:
                connection.close()

        threads = [threading.Thread(target=decide, args=[choice]) for choice in (True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) in (["accepted", "refused"], ["declined", "refused"])
        claim.refresh_from_db()
        assert claim.state in outcomes


class TestDeclining:
    def test_leaves_the_agent_unclaimed_and_tells_it(self, agent: Signed, api: Caller) -> None:
        decisions.decline(claim=request_of(agent), user=None)

        whoami = api.get("/v1/whoami", token=agent.token).data
        assert whoami["claim_state"] == "unclaimed"
        assert whoami["claim_request_state"] == "declined"


class TestReporting:
    def test_suspends_the_agent_for_staff(self, agent: Signed, api: Caller) -> None:
        decisions.report(claim=request_of(agent), user=None, reason="Never heard of it.")

        whoami = api.get("/v1/whoami", token=agent.token).data
        assert whoami["suspended"]
        assert whoami["claim_request_state"] == "reported"
        refused = api.post("/v1/create", token=agent.token, json={"prompt": "a hill"})
        assert refused.code == "CAPABILITY_DENIED"
        assert "Never heard of it." in AuditLine.objects.get(action="agent.suspend").reason


class TestClaimStates:
    def test_refuses_every_move_outside_the_table(self, agent: Signed) -> None:
        for source in Agent.ClaimState:
            for target in Agent.ClaimState:
                if states.can_transition(source, target):
                    continue
                agent.agent.claim_state = source
                with pytest.raises(states.ClaimTransitionRefused):
                    states.transition(agent.agent, to=target)


class TestTheLink:
    def test_of_another_request_is_unknown(self, agent: Signed) -> None:
        token = mailed(request_of(agent))

        assert decisions.by_token(token[:-1] + ("a" if token[-1] != "a" else "b")) is None


class TestPausing:
    def test_by_the_sponsor_can_be_undone_by_the_sponsor(self, agent: Signed) -> None:
        user = person(INBOX)
        accept(agent, user)
        suspension.pause(agent=agent.agent, user=user)
        agent.agent.refresh_from_db()
        assert agent.agent.is_suspended

        assert suspension.resume(agent=agent.agent, user=user)
        agent.agent.refresh_from_db()
        assert not agent.agent.is_suspended

    def test_by_staff_is_undone_by_staff_alone(self, agent: Signed, supporter: User) -> None:
        user = person(INBOX)
        accept(agent, user)
        suspension.suspend(agent=agent.agent, user=supporter, reason="Paused by its sponsor.")

        with pytest.raises(sponsors.SponsorActionRefused):
            suspension.resume(agent=agent.agent, user=user)
