"""Asking people to claim agents."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import agent_limits, agents, sponsors
from accounts.claims import decisions, inboxes, requests
from accounts.models import Agent, Alert, Claim
from accounts.tokens import minting
from imageskill.lib import clock
from imageskill.lib.errors import RateLimited
from tests.accounts.claiming import accept, mailed, person, request_of
from tests.caller import Caller
from tests.cast import Signed, sign_up

pytestmark = pytest.mark.django_db
INBOX = "agent-ops@example.com"


def _age(claim: Claim, days: float) -> None:
    then = clock.now() - timedelta(days=days)
    Claim.objects.filter(pk=claim.pk).update(created_at=then, expires_at=then + requests.LIFETIME)


class TestSignup:
    def test_with_a_contact_asks_it_to_claim(self, agent: Signed) -> None:
        assert request_of(agent).recipient.address == INBOX
        assert agent.agent.claim_request_state == "requested"

    def test_without_a_contact_asks_nobody(self, db: None) -> None:
        assert not sign_up(contact="").agent.claims.exists()

    def test_hands_the_mail_over_after_commit(
        self,
        db: None,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
        drain: Callable[..., list[str]],
        mailoutbox: list[mail.EmailMessage],
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            sign_up()

        assert "accounts.mail_claim" in drain()
        assert [message.to for message in mailoutbox] == [[INBOX]]


class TestTheMail:
    def test_says_who_asks_and_carries_one_link_and_a_way_to_stop(self, agent: Signed) -> None:
        token = mailed(request_of(agent))

        [message] = mail.outbox
        assert message.subject == "Image Skill: claim request from “creative-agent”"
        assert "creative-agent" in message.body
        assert str(message.body).count("/claim/") == 1
        assert "Never share it" in message.body
        assert "/stop/" in message.body
        assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        [(html, kind)] = message.alternatives  # type: ignore[attr-defined]
        assert kind == "text/html"
        assert token in html

    def test_makes_no_link_of_the_agents_own_words(self, db: None) -> None:
        signed = sign_up(name="evil.example <b>click</b>")

        mailed(request_of(signed))

        [(html, _)] = mail.outbox[-1].alternatives  # type: ignore[attr-defined]
        assert "evil.example" not in mail.outbox[-1].body
        assert "evil.example" not in html
        assert "<b>click</b>" not in html

    def test_goes_out_once(self, agent: Signed) -> None:
        claim = request_of(agent)
        mailed(claim)

        assert not requests.send(claim_id=claim.pk)
        assert len(mail.outbox) == 1

    def test_keeps_the_token_only_as_a_hash(self, agent: Signed) -> None:
        token = mailed(request_of(agent))

        row = Claim.objects.filter(agent=agent.agent).values().get()
        assert token not in str(row)
        assert bytes(row["digest"]) == decisions.hash_token(token)

    def test_that_failed_is_tried_again_with_a_fresh_token(
        self, agent: Signed, settings: Settings
    ) -> None:
        claim = request_of(agent)
        _age(claim, 0.1)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_PORT = 1  # nobody listens
        with pytest.raises(ConnectionRefusedError):
            requests.send(claim_id=claim.pk)
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert requests.ids_awaiting_mail() == []  # not at once
        Claim.objects.filter(pk=claim.pk).update(mail_tried_at=clock.now() - timedelta(minutes=6))

        assert requests.ids_awaiting_mail() == [claim.pk]
        assert decisions.by_token(mailed(claim)) == claim

    def test_waits_while_the_global_cap_is_reached(self, agent: Signed, settings: Settings) -> None:
        settings.CLAIM_MAILS_PER_DAY = 0

        assert not requests.send(claim_id=request_of(agent).pk)
        settings.CLAIM_MAILS_PER_DAY = 1
        assert requests.send(claim_id=request_of(agent).pk)


class TestAnInbox:
    def test_gets_three_mails_a_day_from_all_agents_together(self, db: None) -> None:
        withheld = [request_of(sign_up(name=f"agent {n}")).withheld for n in range(4)]

        assert withheld == ["", "", "", "limit"]

    def test_is_counted_over_all_spellings(self, db: None) -> None:
        spellings = [INBOX.replace("@", f"+{n}@") for n in range(4)]

        withheld = [request_of(sign_up(contact=address)).withheld for address in spellings]

        assert withheld == ["", "", "", "limit"]

    def test_that_stopped_under_one_spelling_stopped_under_all(self, db: None) -> None:
        inboxes.unsubscribe(INBOX.replace("@", "+news@"))
        assert request_of(sign_up(contact=INBOX)).withheld == "stopped"

        inboxes.resubscribe(INBOX)
        assert request_of(sign_up(contact=INBOX)).withheld == ""

    def test_gets_ten_mails_a_month(self, db: None) -> None:
        for n in range(10):
            _age(request_of(sign_up(name=f"agent {n}")), days=2 + n)

        assert request_of(sign_up(name="the eleventh")).withheld == "limit"

    def test_that_stopped_gets_none_until_it_allows_them_again(self, db: None) -> None:
        inboxes.unsubscribe(INBOX)
        assert request_of(sign_up()).withheld == "stopped"

        inboxes.resubscribe(INBOX)
        assert request_of(sign_up()).withheld == ""

    def test_of_a_reserved_domain_is_never_mailed(self, db: None) -> None:
        signed = sign_up(contact="somebody@example.invalid")

        assert request_of(signed).withheld == "unmailable"
        assert not requests.send(claim_id=request_of(signed).pk)

    def test_can_only_be_stopped_by_a_link_of_ours(self) -> None:
        link = inboxes.unsubscribe_link(INBOX)
        signed = link.rsplit("/", 1)[1]

        assert inboxes.address_from_unsubscribe(signed) == INBOX
        assert inboxes.address_from_unsubscribe(signed[:-1]) is None


class TestAskingOverTheApi:
    def test_attaches_a_contact(self, agent: Signed, api: Caller) -> None:
        answer = api.post(
            "/v1/agent-claims", token=agent.token, json={"contact": "First-Sponsor@Example.org"}
        )

        assert answer.data == {
            "state": "attached",
            "claim_state": "unclaimed",
            "claim_request_state": "requested",
            "contact_redacted": "f***@e***.org",
        }
        assert answer.envelope["command"] == "image-skill claim request"
        assert request_of(agent).recipient.address == "first-sponsor@example.org"

    def test_again_for_the_same_contact_changes_nothing(self, agent: Signed, api: Caller) -> None:
        before = request_of(agent)

        answer = api.post("/v1/agent-claims", token=agent.token, json={"contact": INBOX.upper()})

        assert answer.data["state"] == "unchanged"
        assert answer.envelope["warnings"]
        assert request_of(agent) == before

    def test_kills_the_link_of_the_contact_before(self, agent: Signed, api: Caller) -> None:
        token = mailed(request_of(agent))

        api.post(
            "/v1/agent-claims", token=agent.token, json={"contact": "first-sponsor@example.org"}
        )

        old = decisions.by_token(token)
        assert old is not None
        assert old.state == "replaced"
        assert "newer one" in decisions.closed_reason(old, old.agent)

    def test_answers_alike_for_a_stopped_and_an_unknown_inbox(
        self, agent: Signed, stranger: Signed, api: Caller
    ) -> None:
        inboxes.unsubscribe("first-sponsor@example.org")

        stopped = api.post(
            "/v1/agent-claims", token=agent.token, json={"contact": "first-sponsor@example.org"}
        )
        unknown = api.post(
            "/v1/agent-claims", token=stranger.token, json={"contact": "fresh-inbox@example.org"}
        )

        assert stopped.data == unknown.data

    def test_does_not_nag_who_declined(self, agent: Signed, api: Caller) -> None:
        decisions.decline(claim=request_of(agent), user=None)

        answer = api.post("/v1/agent-claims", token=agent.token, json={"contact": INBOX})

        assert answer.data["state"] == "unchanged"
        assert answer.data["claim_request_state"] == "declined"

    def test_asks_again_once_the_request_has_expired(self, agent: Signed, api: Caller) -> None:
        _age(request_of(agent), days=8)

        answer = api.post("/v1/agent-claims", token=agent.token, json={"contact": INBOX})

        assert answer.data["state"] == "attached"

    def test_for_a_claimed_agent_changes_nothing(self, agent: Signed, api: Caller) -> None:
        accept(agent, person(INBOX))

        answer = api.post(
            "/v1/agent-claims", token=agent.token, json={"contact": "new@example.org"}
        )

        assert answer.data["state"] == "unchanged"
        assert answer.data["claim_state"] == "claimed"

    @pytest.mark.parametrize(
        "contact", ["", "no address", "a@b", "x" * 250 + "@e.org", "a\n@e.org"]
    )
    def test_refuses_what_is_no_address(self, agent: Signed, api: Caller, contact: str) -> None:
        answer = api.post("/v1/agent-claims", token=agent.token, json={"contact": contact})

        assert answer.code == "INVALID_ARGUMENTS"
        assert answer.error["details"][0]["field"].endswith("contact")

    def test_needs_a_token(self, api: Caller, db: None) -> None:
        answer = api.post("/v1/agent-claims", json={"contact": INBOX})

        assert answer.code == "AUTH_REQUIRED"

    def test_is_limited_for_one_agent(self, agent: Signed, api: Caller, settings: Settings) -> None:
        settings.CLAIM_REQUESTS_PER_DAY_PER_AGENT = agent.agent.claims.count() + 1
        ask = partial(api.post, "/v1/agent-claims", token=agent.token)

        answers = [ask(json={"contact": f"{name}@example.org"}) for name in ("one", "two")]

        assert [answer.code for answer in answers] == [None, "RATE_LIMITED"]
        assert 86_000 < int(answers[1].headers["retry-after"]) <= 86_400
        assert agent.agent.claims.filter(state=Claim.State.REQUESTED).count() == 1


class TestExpiry:
    def test_closes_what_nobody_decided_and_tells_the_agent(
        self, agent: Signed, api: Caller
    ) -> None:
        _age(request_of(agent), days=8)

        assert requests.expire_overdue() == 1
        assert api.get("/v1/whoami", token=agent.token).data["claim_request_state"] == "expired"
        assert requests.expire_overdue() == 0


class TestPassingOn:
    def test_gives_another_address_a_link_and_ends_ones_own(self, agent: Signed) -> None:
        token = mailed(request_of(agent))
        named = person(INBOX)

        invited = requests.forward(
            claim=request_of(agent), user=named, address="colleague@example.org"
        )

        mailed(invited)
        assert "agent-ops" in mail.outbox[-1].body
        old = decisions.by_token(token)
        assert old is not None
        assert old.state == "replaced"
        assert (
            decisions.conflict_reason(invited, agent.agent, person("colleague@example.org")) == ""
        )

    def test_is_for_the_named_address_only(self, agent: Signed) -> None:
        with pytest.raises(sponsors.SponsorActionRefused):
            requests.forward(
                claim=request_of(agent), user=person("x@example.org"), address="y@example.org"
            )


def _hand_over(agent: Signed, **options: bool) -> None:
    first, second = person(INBOX), person("second@example.org")
    accept(agent, first)
    offer = requests.offer_transfer(agent=agent.agent, user=first, address=second.email)
    limits = agent_limits.for_agent(agent.agent)
    decisions.accept(claim=offer, user=second, limits=limits, **options)


class TestHandingOver:
    def test_leaves_the_agent_where_it_is_until_accepted(self, agent: Signed) -> None:
        first, second = person(INBOX), person("second@example.org")
        accept(agent, first)
        requests.offer_transfer(agent=agent.agent, user=first, address=second.email)
        agent.organization.refresh_from_db()
        assert agent.organization.owner == first

        accept(agent, second)

        agent.organization.refresh_from_db()
        assert agent.organization.owner == second
        agent.agent.refresh_from_db()
        assert agent.agent.claim_state == "claimed"
        assert agent.agent.claim_request_state == "accepted"

    def test_ends_the_tokens_that_the_former_sponsor_may_know(self, agent: Signed) -> None:
        _hand_over(agent)

        with pytest.raises(minting.AuthRequired):
            minting.verify(agent.token)
        assert agent.agent.tokens.get().revoked_because == "transferred"
        told = {alert.kind: alert.facts["tokens_revoked"] for alert in Alert.objects.order_by("id")}
        assert told == {"claimed": True, "handed_over": True}

    def test_ends_the_tokens_of_all_agents_of_the_organization(self, agent: Signed) -> None:
        sister = Agent.objects.create(
            organization=agent.organization,
            name="sister",
            cap_outputs_per_request=1,
            cap_credits_per_operation=1,
        )
        token = minting.create(sister)

        _hand_over(agent)

        with pytest.raises(minting.AuthRequired):
            minting.verify(token)

    def test_leaves_the_tokens_that_the_new_sponsor_keeps(self, agent: Signed) -> None:
        _hand_over(agent, keeps_tokens=True)

        assert minting.verify(agent.token).agent == agent.agent
        assert not any(alert.facts["tokens_revoked"] for alert in Alert.objects.all())

    def test_declined_leaves_everything(self, agent: Signed) -> None:
        first = person(INBOX)
        accept(agent, first)
        offer = requests.offer_transfer(agent=agent.agent, user=first, address="b@example.org")

        decisions.decline(claim=offer, user=None)

        agent.agent.refresh_from_db()
        assert agent.agent.claim_state == "claimed"
        assert agent.agent.claim_request_state == "accepted"

    def test_gives_whoever_gets_the_offer_no_hold_on_the_agent(self, agent: Signed) -> None:
        first, second = person(INBOX), person("second@example.org")
        accept(agent, first)
        offer = requests.offer_transfer(agent=agent.agent, user=first, address=second.email)

        with pytest.raises(sponsors.SponsorActionRefused):
            decisions.report(claim=offer, user=second, reason="x")
        with pytest.raises(sponsors.SponsorActionRefused):
            requests.forward(claim=offer, user=second, address="third@example.org")

        agent.agent.refresh_from_db()
        assert not agent.agent.is_suspended
        assert request_of(agent) == offer

    def test_is_limited_for_one_person(self, agent: Signed, settings: Settings) -> None:
        settings.CLAIM_REQUESTS_PER_DAY_PER_AGENT = 1
        first = person(INBOX)
        accept(agent, first)
        requests.offer_transfer(agent=agent.agent, user=first, address="b@example.org")

        with pytest.raises(RateLimited):
            requests.offer_transfer(agent=agent.agent, user=first, address="c@example.org")

    def test_withdrawn_kills_the_link(self, agent: Signed) -> None:
        first = person(INBOX)
        accept(agent, first)
        offer = requests.offer_transfer(agent=agent.agent, user=first, address="b@example.org")

        requests.withdraw_transfer(agent=agent.agent, user=first)

        assert decisions.conflict_reason(
            Claim.objects.get(pk=offer.pk), agent.agent, person("b@example.org")
        )

    def test_is_the_owners_alone(self, agent: Signed) -> None:
        accept(agent, person(INBOX))

        with pytest.raises(sponsors.SponsorActionRefused):
            requests.offer_transfer(
                agent=agent.agent, user=person("x@example.org"), address="x@example.org"
            )


class TestReissue:
    def test_replaces_the_link_and_corrects_the_contact(
        self, agent: Signed, supporter: object
    ) -> None:
        token = mailed(request_of(agent))

        requests.reissue(
            agent=agent.agent,
            user=supporter,  # type: ignore[arg-type]
            reason="the first address bounced",
            contact="right@example.org",
        )

        old = decisions.by_token(token)
        assert old is not None
        assert old.state == "replaced"
        assert request_of(agent).recipient.address == "right@example.org"
        assert Agent.objects.get(pk=agent.agent.pk).contact == "right@example.org"

    def test_has_nothing_to_do_for_a_revoked_agent(self, agent: Signed, supporter: object) -> None:
        agents.revoke(agent.agent, user=None, reason="test")

        with pytest.raises(sponsors.SponsorActionRefused):
            requests.reissue(agent=agent.agent, user=supporter, reason="x")  # type: ignore[arg-type]
