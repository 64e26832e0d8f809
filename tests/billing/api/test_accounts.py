"""Signing up and the quota, over HTTP."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.mail import alerts
from accounts.models import Agent, Alert, Token, User
from billing import signup
from billing.limits import daily_use
from imageskill.lib import clock
from imageskill.lib.http import networks_of

pytestmark = pytest.mark.django_db

NEW = {"agent_name": "creative-agent", "runtime": "codex", "agent_contact": "ops@example.com"}


def signed_up(api, **fields):
    return api.post("/v1/agent-signups", json=NEW | fields)


class TestSignUp:
    def test_answers_with_a_working_token_and_starter_credits(self, api):
        answer = signed_up(api)

        assert answer.status == 200
        assert answer.data["token"].startswith("isk_r_")
        assert answer.data["token_presented"] is True
        assert answer.data["limits"]["remaining_credits"] == 40
        assert answer.envelope["actor"]["actor_id"] == answer.data["agent"]["agent_id"]
        assert any("store it" in warning for warning in answer.envelope["warnings"])
        assert api.get("/v1/whoami", token=answer.data["token"]).status == 200

    def test_takes_a_contact_by_its_alias_or_not_at_all(self, api):
        by_alias = api.post(
            "/v1/agent-signups",
            json={"agent_name": "a", "runtime": "b", "human_email": "Who@Example.com"},
        )
        without = api.post("/v1/agent-signups", json={"agent_name": "a", "runtime": "b"})

        assert (by_alias.status, without.status) == (200, 200)
        contacts = Agent.objects.order_by("id").values_list("contact", flat=True)
        assert list(contacts) == ["who@example.com", ""]

    def test_gives_no_token_where_none_is_asked_for(self, api):
        answer = signed_up(api, return_token=False)

        assert answer.data["token"] is None
        assert answer.data["token_presented"] is False

    @pytest.mark.parametrize(
        "wrong",
        [
            {"agent_name": ""},
            {"agent_name": "x" * 81},
            {"agent_name": "two\nlines"},
            {"runtime": "see https://example.com"},
            {"agent_contact": "nobody"},
            {"human_email": "other@example.com"},
            {"return_token": "true"},
            {"discovery_source": "a\x07b"},
            {"surprise": 1},
        ],
    )
    def test_refuses_what_it_can_not_read_and_opens_nothing(self, api, wrong):
        answer = signed_up(api, **wrong)

        assert answer.code == "INVALID_ARGUMENTS"
        assert answer.error["details"]
        assert not Agent.objects.exists()

    def test_repeated_without_proof_makes_another_agent(self, api):
        first, second = signed_up(api), signed_up(api)

        assert first.data["agent"]["agent_id"] != second.data["agent"]["agent_id"]
        assert api.get("/v1/whoami", token=first.data["token"]).status == 200

    def test_with_the_current_token_rotates_it(self, api):
        old = signed_up(api).data["token"]

        answer = signed_up_with(api, old)

        new = answer.data["token"]
        assert answer.data["agent"]["agent_id"] == Agent.objects.get().public_id
        assert api.get("/v1/whoami", token=new).status == 200
        assert api.get("/v1/whoami", token=old).code == "AUTH_REQUIRED"

    def test_rotating_is_no_signup(self, api, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.SIGNUPS_PER_HOUR_PER_NETWORK = 1
        token = signed_up(api).data["token"]

        assert signed_up_with(api, token).status == 200

    def test_does_not_rotate_into_a_token_that_nobody_sees(self, api):
        token = signed_up(api).data["token"]

        answer = signed_up_with(api, token, return_token=False)

        assert answer.data["token"] is None
        assert api.get("/v1/whoami", token=token).status == 200
        assert Token.objects.count() == 1

    def test_a_bad_token_is_refused_not_ignored(self, api):
        assert signed_up_with(api, "isk_r_" + "x" * 51).code == "AUTH_REQUIRED"


def signed_up_with(api, token, **fields):
    return api.post("/v1/agent-signups", json=NEW | fields, token=token)


class TestStarterCredits:
    def test_are_bounded_for_a_contact(self, api, settings):
        settings.STARTER_GRANTS_PER_CONTACT = 2

        given = [signed_up(api).data["limits"]["remaining_credits"] for _ in range(3)]

        assert given == [40, 40, 0]

    def test_are_bounded_for_a_network_and_day(self, api, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.STARTER_GRANTS_PER_DAY_PER_NETWORK = 1

        first = signed_up(api, agent_contact="one@example.com")
        second = signed_up(api, agent_contact="two@example.com")

        assert first.data["limits"]["remaining_credits"] == 40
        assert second.data["limits"]["remaining_credits"] == 0
        assert any("limited for each contact" in warning for warning in second.envelope["warnings"])

    def test_are_bounded_for_an_inbox_however_spelled(self, api, settings):
        settings.STARTER_GRANTS_PER_CONTACT = 1

        spellings = ["farmer@gmail.com", "farmer+1@gmail.com", "f.armer@googlemail.com"]
        answers = [signed_up(api, agent_contact=address) for address in spellings]

        assert [a.data["limits"]["remaining_credits"] for a in answers] == [40, 0, 0]

    def test_are_bounded_for_all_networks_of_one_prefix(self, db, settings):
        settings.STARTER_GRANTS_PER_DAY_PER_NETWORK = 2

        given = [opened_from(f"2001:db8:0:{n:x}00::1") for n in range(12)]

        assert sum(given) == 8 * 40  # four times the limit of one /64
        assert opened_from("2001:db8:1::1") == 40

    def test_are_bounded_for_a_day_in_all(self, db, settings):
        settings.STARTER_GRANTS_PER_DAY = 2

        given = [opened_from(f"192.0.2.{n}") for n in range(4)]

        assert given == [40, 40, 0, 0]
        with clock.at(clock.now() + timedelta(days=1)):
            assert opened_from("192.0.2.9") == 40

    def test_of_a_network_are_there_again_the_next_day(self, db, settings):
        settings.STARTER_GRANTS_PER_DAY_PER_NETWORK = 1

        assert [opened_from("192.0.2.1") for _ in range(2)] == [40, 0]
        with clock.at(clock.now() + timedelta(days=1)):
            assert opened_from("192.0.2.1") == 40

    def test_that_are_used_up_are_mailed_once_a_day(self, db, settings):
        settings.STARTER_GRANTS_PER_DAY = 1
        admin = User.objects.create_user("admin@example.com", is_staff=True, is_superuser=True)

        noon = clock.now().replace(hour=12)
        for n in range(4):
            with clock.at(noon + timedelta(minutes=n)):
                opened_from(f"192.0.2.{n}")

        alert = Alert.objects.get()
        assert (alert.kind, alert.user) == ("starter_ceiling", admin)
        assert alerts.send(alert_id=alert.pk)
        [message] = mail.outbox
        assert message.to == [admin.email]
        assert message.subject.startswith("Free credits for ")
        assert "STARTER_GRANTS_PER_DAY" in message.body
        assert "/admin/accounts/agent/" in message.body

    def test_that_nobody_gets_use_up_nobodys_limit(self, db, settings):
        settings.STARTER_GRANTS_PER_DAY, settings.STARTER_GRANTS_PER_DAY_PER_NETWORK = 0, 1
        assert opened_from("192.0.2.1") == 0
        settings.STARTER_GRANTS_PER_DAY = 1

        assert opened_from("192.0.2.1") == 40

    def test_signups_are_limited_for_all_networks_of_one_prefix(self, api, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        settings.SIGNUPS_PER_HOUR_PER_NETWORK = 1

        def sign_up_from(subnet):
            address = {"X-Forwarded-For": f"2001:db8:0:{subnet:x}00::1"}
            return api.post("/v1/agent-signups", json=NEW, **address).status

        assert [sign_up_from(n) for n in range(6)] == [200] * 4 + [429] * 2

    def test_signups_are_limited_for_a_network(self, api, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.SIGNUPS_PER_HOUR_PER_NETWORK = 1

        signed_up(api)
        answer = signed_up(api, agent_contact="two@example.com")

        assert answer.code == "RATE_LIMITED"
        assert int(answer.headers["retry-after"]) > 0
        assert Agent.objects.count() == 1


def opened_from(address):
    """Sign an agent up from an address; return the credits that it got."""
    networks = networks_of(address)
    return signup.open_account(
        name="farmer", runtime="tests", contact="", networks=networks
    ).starter_credits


class TestQuota:
    def test_shows_credits_jobs_and_how_to_get_more(self, api, agent):
        data = api.get("/v1/quota", token=agent.token).data

        assert data["limits"] == {
            "remaining_credits": 40,
            "payment_backed_remaining_credits": 0,
            "held_credits": 0,
            "owed_credits": 0,
            "credit_unit_usd": 0.01,
            "max_outputs_per_request": 4,
            "max_credits_per_operation": 100,
            "payment_hold": False,
        }
        assert data["daily_jobs"]["limit"] == 2
        assert data["daily_jobs"]["remaining"] == 2
        assert data["top_up"]["recommended"] is False

    def test_counts_the_jobs_of_today(self, api, agent):
        daily_use.reserve(agent=agent.agent, credits=9, at=clock.now())

        data = api.get("/v1/quota", token=agent.token).data

        assert (data["daily_jobs"]["used"], data["daily_jobs"]["remaining"]) == (1, 1)
        assert data["reset_windows"]["week"]["used_credits"] == 9

    def test_recommends_buying_when_the_days_jobs_are_used_up(self, api, agent):
        for _ in range(2):
            daily_use.reserve(agent=agent.agent, credits=1, at=clock.now())

        top_up = api.get("/v1/quota", token=agent.token).data["top_up"]

        assert (top_up["recommended"], top_up["urgency"]) == (True, "blocked")
        assert top_up["urgency_reasons"] == ["daily_job_cap_reached"]

    def test_offers_only_a_way_to_pay_that_works_here(self, api, agent, settings):
        settings.STRIPE_SECRET_KEY = "sk_test_a"
        by_stripe = api.get("/v1/quota", token=agent.token).data["top_up"]
        settings.STRIPE_SECRET_KEY = ""
        by_fake = api.get("/v1/quota", token=agent.token).data["top_up"]
        settings.FAKE_PAYMENTS = False
        by_none = api.get("/v1/quota", token=agent.token).data["top_up"]

        assert by_stripe["preferred_method"] == "stripe_checkout"
        assert "--payment-method fake" in by_fake["quote_command"]
        assert (by_none["available"], by_none["preferred_method"]) == (False, None)
        assert by_none["quote_command"] == "image-skill credits methods --json"
        assert [step["step"] for step in by_none["workflow"]["steps"]] == ["inspect_methods"]
        assert by_stripe["path"] == "human_payment_handoff"
        assert "--payment-method fake" in by_stripe["commands"]["fallback_quote"]
        steps = [(it["step"], it["effect"]["no_spend"]) for it in by_stripe["workflow"]["steps"]]
        assert steps == [
            ("inspect_methods", True),
            ("quote", True),
            ("buy", False),
            ("status", True),
        ]

    def test_takes_at_most_three_statements(self, api, agent):
        api.get("/v1/quota", token=agent.token)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            api.get("/v1/quota", token=agent.token)

        assert len(queries) <= 3, [query["sql"] for query in queries]

    def test_needs_a_token(self, api):
        assert api.get("/v1/quota").code == "AUTH_REQUIRED"
