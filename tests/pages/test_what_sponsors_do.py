"""What a sponsor changes on their pages, and what binds afterwards."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import telemetry
from accounts.models import Agent, Alert, AuditLine, User
from billing import ledger
from billing.models import Receipt
from imageskill.lib import clock
from tests.caller import Caller
from tests.cast import Signed
from tests.pages.conftest import LOOKS, Home, made

pytestmark = pytest.mark.django_db
TERMS = {"allowed": ["image.create"], "credits_per_operation": 50, "outputs_per_request": 2}
CREATE_BODY = {"prompt": "a hill", "model": "local.sketch"}


@pytest.fixture
def at_home(sponsor: User, home: Home, looking_as: LOOKS) -> Client:
    """The sponsor's own browser."""
    return looking_as(sponsor)


def _set(client: Client, agent: Signed, **terms: object) -> None:
    answer = client.post(reverse("agent_settings", args=[agent.id]), {**TERMS, **terms})
    assert answer.status_code == 302, answer.text


class TestGrants:
    def test_bind_from_the_next_request_on_and_say_how_to_get_them(
        self, agent: Signed, at_home: Client, api: Caller
    ) -> None:
        _set(at_home, agent, allowed=["image.edit"])

        refused = api.post("/v1/create", token=agent.token, json=CREATE_BODY)

        assert refused.code == "CAPABILITY_DENIED"
        assert "image.create" in refused.error["message"]
        assert refused.error["recovery"]["docs_url"].endswith(f"/agents/{agent.id}")

    def test_leave_an_audit_line_with_before_and_after(
        self, agent: Signed, at_home: Client, sponsor: User
    ) -> None:
        _set(at_home, agent)

        line = AuditLine.objects.get(action="agent.terms")
        assert line.user == sponsor
        assert "image.edit" in line.before["grants"]
        assert "image.edit" not in line.after["grants"]

    def test_saved_twice_are_written_once(self, agent: Signed, at_home: Client) -> None:
        _set(at_home, agent)
        _set(at_home, agent)

        assert AuditLine.objects.filter(action="agent.terms").count() == 1


class TestCaps:
    @pytest.mark.parametrize(
        ("cap", "words"),
        [
            ("credits_per_operation", "one operation"),
            ("credits_per_day", "a day"),
            ("credits_per_week", "a week"),
            ("credits_per_month", "a month"),
            ("credits_total", "in all"),
        ],
    )
    def test_of_nothing_refuse_everything_by_name(
        self, agent: Signed, at_home: Client, api: Caller, cap: str, words: str
    ) -> None:
        _set(at_home, agent, **{cap: 0})

        refused = api.post("/v1/create", token=agent.token, json=CREATE_BODY)

        assert refused.code == "CAPABILITY_DENIED"
        assert words in refused.error["message"]
        assert ledger.balances(agent.organization.pk).held == 0

    def test_on_outputs_refuse_more_at_once(
        self, agent: Signed, at_home: Client, api: Caller
    ) -> None:
        _set(at_home, agent, allowed=["image.create", "output.batch"], outputs_per_request=2)

        refused = api.post("/v1/create", token=agent.token, json=CREATE_BODY | {"output_count": 3})

        assert refused.code == "CAPABILITY_DENIED"
        assert "2 outputs" in refused.error["message"]

    def test_are_told_to_the_agent(self, agent: Signed, at_home: Client, api: Caller) -> None:
        _set(at_home, agent, credits_per_week=70)

        assert api.get("/v1/whoami", token=agent.token).data["caps"]["credits_per_week"] == 70
        windows = api.get("/v1/quota", token=agent.token).data["reset_windows"]
        assert windows["week"]["cap_credits"] == 70


class TestTokens:
    def test_revoked_by_the_sponsor_are_dead(
        self, agent: Signed, at_home: Client, api: Caller
    ) -> None:
        lookup = agent.agent.tokens.get().lookup

        at_home.post(reverse("token_revoke", args=[agent.id, lookup]))

        assert api.get("/v1/whoami", token=agent.token).code == "AUTH_REQUIRED"

    def test_replaced_by_the_sponsor_show_the_new_one_once(
        self, agent: Signed, at_home: Client, api: Caller, sponsor: User
    ) -> None:
        answer = at_home.post(reverse("tokens_replace", args=[agent.id]))

        [token] = set(re.findall(r"isk_r_\w{51}", answer.text))
        assert "no-store" in answer.headers["Cache-Control"]
        assert api.get("/v1/whoami", token=token).status == 200
        assert api.get("/v1/whoami", token=agent.token).code == "AUTH_REQUIRED"
        assert token not in at_home.get(reverse("agent_settings", args=[agent.id])).text
        assert Alert.objects.get(kind="token_rotated").user == sponsor

    def test_rotated_by_the_agent_are_told_to_the_sponsor(
        self, agent: Signed, at_home: Client, api: Caller
    ) -> None:
        api.post(
            "/v1/agent-signups",
            token=agent.token,
            json={"agent_name": "creative-agent", "runtime": "tests"},
        )

        assert Alert.objects.get(kind="token_rotated").facts["by"] == "by the agent itself"


class TestStopping:
    def test_holds_at_once_and_can_be_lifted(
        self, agent: Signed, at_home: Client, api: Caller
    ) -> None:
        at_home.post(reverse("agent_pause", args=[agent.id]))
        assert (
            api.post("/v1/create", token=agent.token, json=CREATE_BODY).code == "CAPABILITY_DENIED"
        )
        assert api.get("/v1/whoami", token=agent.token).status == 200

        at_home.post(reverse("agent_resume", args=[agent.id]))
        dry = api.post("/v1/create", token=agent.token, json=CREATE_BODY | {"dry_run": True})
        assert dry.status == 200

    def test_for_good_asks_first(self, agent: Signed, at_home: Client, api: Caller) -> None:
        url = reverse("agent_end", args=[agent.id])

        at_home.post(url)
        assert api.get("/v1/whoami", token=agent.token).status == 200
        at_home.post(url, {"sure": "on"})
        assert api.get("/v1/whoami", token=agent.token).code == "AUTH_REQUIRED"
        assert Agent.objects.get(pk=agent.agent.pk).is_revoked


class TestHandingOver:
    def test_offers_and_withdraws(self, agent: Signed, at_home: Client) -> None:
        at_home.post(reverse("agent_hand_over", args=[agent.id]), {"address": "next@example.org"})
        page = at_home.get(reverse("agent_settings", args=[agent.id]))
        assert "next@example.org" in page.text

        at_home.post(reverse("offer_withdraw", args=[agent.id]))
        page = at_home.get(reverse("agent_settings", args=[agent.id]))
        assert "next@example.org" not in page.text


class TestBuying:
    def _form(self, client: Client, agent: Signed) -> dict[str, str]:
        html = client.get(reverse("credits", args=[agent.organization.public_id])).text
        [key] = re.findall(r'name="idempotency_key" value="([^"]+)"', html)
        return {"pack": "starter-500", "idempotency_key": key}

    def test_the_same_form_twice_buys_once(self, agent: Signed, at_home: Client) -> None:
        form = self._form(at_home, agent)
        url = reverse("buy_credits", args=[agent.organization.public_id])

        first, second = at_home.post(url, form), at_home.post(url, form)

        assert first.headers["Location"] == second.headers["Location"]
        assert Receipt.objects.filter(quote__user__isnull=False).count() == 1

    def test_an_amount_of_ones_own(self, agent: Signed, at_home: Client) -> None:
        form = self._form(at_home, agent) | {"pack": "own", "credits": "123"}

        at_home.post(reverse("buy_credits", args=[agent.organization.public_id]), form)

        assert Receipt.objects.order_by("-id")[0].credits == 123

    @pytest.mark.parametrize("credits", ["", "0", "5001", "1.5", "many"])
    def test_a_senseless_amount_is_refused(
        self, agent: Signed, at_home: Client, credits: str
    ) -> None:
        form = self._form(at_home, agent) | {"pack": "own", "credits": credits}

        answer = at_home.post(reverse("buy_credits", args=[agent.organization.public_id]), form)

        assert answer.status_code == 422
        assert 'role="alert"' in answer.text

    def test_tells_the_sponsor(self, agent: Signed, at_home: Client) -> None:
        at_home.post(
            reverse("buy_credits", args=[agent.organization.public_id]),
            self._form(at_home, agent),
        )

        assert Alert.objects.filter(kind="purchase").order_by("-id")[0].facts["credits"] == 500


class TestReceipts:
    def test_say_that_no_money_moved(self, at_home: Client, home: Home) -> None:
        text = at_home.get(reverse("receipt", args=[home.receipt.public_id])).text

        assert home.receipt.number in text
        assert "No money was charged" in text

    def test_of_tests_can_not_be_refunded(self, at_home: Client, home: Home) -> None:
        url = reverse("ask_refund", args=[home.receipt.public_id])

        assert "No money moved" in at_home.get(url).text
        assert at_home.post(url).status_code == 422


class TestFigures:
    def test_lead_to_the_entries_that_make_them(
        self, agent: Signed, at_home: Client, home: Home
    ) -> None:
        made(agent)
        balances = ledger.balances(agent.organization.pk)

        for purpose in ("preview", "paid", "held", "owed"):
            url = reverse("credit_entries", args=[agent.organization.public_id, purpose])
            sums = re.findall(r'class="sum">([+−][\d,]+)<', at_home.get(url).text)
            total = sum(int(one.replace("−", "-").replace(",", "")) for one in sums)
            assert total == getattr(balances, purpose), purpose

    def test_of_a_job_are_its_own_entries(self, at_home: Client, home: Home) -> None:
        text = at_home.get(reverse("sponsor_job", args=[home.job.public_id])).text

        assert "Total charged" in text
        assert ">9<" in text


class TestRefusals:
    def test_show_the_reason(self, agent: Signed, at_home: Client, api: Caller) -> None:
        api.post("/v1/create", token=agent.token, json={"prompt": "a hill", "model": "nothing"})
        telemetry.flush()

        text = at_home.get(reverse("agent_refusals", args=[agent.id])).text

        assert "The request was invalid." in text
        assert "The provider failed. Nothing was charged." in text


class TestOldClaims:
    def test_are_not_offered(self, agent: Signed, at_home: Client) -> None:
        agent.agent.claims.update(expires_at=clock.now() - timedelta(days=1))

        assert "Claim request from" not in at_home.get(reverse("my_agents")).text
