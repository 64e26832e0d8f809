"""Actions on agents in the console: each for a reason, audited, by its permission alone."""

import pytest

from accounts.models import Agent, AuditLine, Claim, Token
from tests.imageskill.console.doing import action_url, do

pytestmark = pytest.mark.django_db
CAPS = {
    "cap_outputs_per_request": "2",
    "cap_credits_per_operation": "80",
    "cap_credits_per_day": "300",
    "cap_credits_per_week": "",
    "cap_credits_per_month": "",
    "cap_credits_total": "",
}
CONTACT = {"contact": "New-Ops@Example.com", "proof": "rang the number on their site"}

# the action's model, its name, what else its form asks, the audit's action
ACTIONS = {
    "caps": ("accounts_agent", "caps", CAPS, "agent.set_caps"),
    "reissue": ("accounts_agent", "reissue", {}, "claim.reissue"),
    "contact": ("accounts_agent", "contact", CONTACT, "claim.reissue"),
    "suspend": ("accounts_agent", "suspend", {}, "agent.suspend"),
    "reinstate": ("accounts_agent", "reinstate", {}, "agent.reinstate"),
    "note": ("accounts_agent", "note", {}, "agent.note"),
    "revoke": ("accounts_agent", "revoke", {}, "agent.revoke"),
    "token": ("accounts_token", "revoke", {}, "token.revoke"),
}


@pytest.fixture
def thing(agent):
    """Return what an action is done to, ready for it."""

    def find(name):
        if name == "reinstate":
            Agent.objects.update(suspended_at=agent.agent.created_at, suspension_reason="odd")
        return Token.objects.get() if name == "token" else Agent.objects.get()

    return find


@pytest.mark.parametrize("name", ACTIONS)
class TestEachDeed:
    def test_it_leaves_who_what_and_why(self, signed_in, supporter, agent, thing, name):
        model, action_name, fields, action = ACTIONS[name]
        answer = do(
            signed_in(supporter), model, thing(name), action_name, **fields, reason="they asked"
        )
        assert answer.status_code == 200
        line = AuditLine.objects.get(action=action)
        assert (line.user, line.subject) == (supporter, agent.id)
        assert line.reason.startswith("they asked")

    def test_without_a_reason_nothing_happens(self, signed_in, supporter, agent, thing, name):
        model, action_name, fields, action = ACTIONS[name]
        answer = do(signed_in(supporter), model, thing(name), action_name, **fields, reason=" ")
        assert "This field is required" in answer.content.decode()
        assert not AuditLine.objects.filter(action=action).exists()

    @pytest.mark.parametrize("role", ["triager", "financier", "auditor"])
    def test_it_is_refused_without_the_duty(self, request, signed_in, agent, thing, name, role):
        model, action_name, fields, action = ACTIONS[name]
        browser = signed_in(request.getfixturevalue(role))
        url = action_url(model, thing(name), action_name)
        assert browser.get(url).status_code == 403
        form = {"seen": "0", "key": "1", "reason": "because", **fields}
        assert browser.post(url, form).status_code == 403
        assert not AuditLine.objects.filter(action=action).exists()


class TestWhatTheyDo:
    @pytest.fixture
    def done(self, signed_in, supporter, thing):
        def press(name, **fields):
            model, action_name, asked, _ = ACTIONS[name]
            return do(signed_in(supporter), model, thing(name), action_name, **(asked | fields))

        return press

    def test_caps_bind_from_now_on(self, done, api, agent):
        done("caps")
        caps = api.get("/v1/whoami", token=agent.token).data["caps"]
        assert (caps["credits_per_day"], caps["credits_per_week"]) == (300, None)
        line = AuditLine.objects.get(action="agent.set_caps")
        assert line.before["cap_credits_per_day"] is None
        assert line.after["cap_credits_per_day"] == 300

    def test_caps_that_are_no_number_are_not_set(self, done, agent):
        page = done("caps", cap_credits_per_day="lots").content.decode()
        assert "Enter a whole number" in page
        assert Agent.objects.get().cap_credits_per_day is None

    def test_a_new_claim_link_ends_the_old_one(self, done, agent):
        old = Claim.objects.get()
        done("reissue")
        old.refresh_from_db()
        assert old.state == "replaced"
        fresh = Claim.objects.latest("pk")
        assert (fresh.state, fresh.recipient.address) == ("requested", "agent-ops@example.com")

    def test_a_contact_is_changed_with_proof_and_asked_anew(self, done, agent):
        assert "This field is required" in done("contact", proof="").content.decode()
        done("contact")
        assert Agent.objects.get().contact == "new-ops@example.com"
        assert Claim.objects.latest("pk").recipient.address == "new-ops@example.com"
        line = AuditLine.objects.get(action="claim.reissue")
        assert "rang the number" in line.reason
        assert "example.com" not in str(line.after)

    def test_suspending_stops_spending_and_reinstating_ends_that(self, done, api, agent):
        def create():
            return api.post("/v1/create", json={"prompt": "a pier"}, token=agent.token).status

        done("suspend")
        assert create() == 403
        assert "no longer possible" in done("suspend").content.decode()
        done("reinstate")
        assert create() != 403

    def test_one_token_ends_and_says_so(self, done, api, agent):
        done("token")
        assert api.get("/v1/whoami", token=agent.token).status == 401
        assert Token.objects.get().revoked_because == "revoked"
        assert Agent.objects.get().claim_state == "unclaimed"
