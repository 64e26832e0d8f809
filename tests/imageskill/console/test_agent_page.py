"""The agent page: everything that is known, now and as of a past moment, as permissions allow."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import agent_corrections, agents, suspension
from accounts.models import Agent, AuditLine, Claim, Token
from billing.purchases import fulfillment
from feedback.models import Report
from imageskill.lib import clock
from imageskill.lib.admin import row_counts
from jobs.models import Job
from tests.billing.money import buy, hold
from tests.billing.shop import shop
from tests.cast import sign_up

__all__ = ["shop"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of(signed_in, supporter):
    browsers = {}

    def get(agent, query="", by=supporter):
        browser = browsers.setdefault(by.pk, None) or signed_in(by)
        browsers[by.pk] = browser
        url = reverse("admin:accounts_agent_change", args=[agent.agent.pk])
        return browser.get(url + query)

    return get


def at(moment):
    """Write a moment as the page's address takes it, to the microsecond."""
    return f"?as_of={moment:%Y-%m-%dT%H:%M:%S.%f}"


def text_of(page):
    return page.content.decode()


class TestAgentPage:
    def test_it_shows_balances_and_the_way_to_what_can_be_done(self, page_of, agent):
        page = text_of(page_of(agent))
        assert "<span>Preview credits</span><strong>40</strong>" in page
        assert reverse("admin:accounts_agent_action", args=[agent.agent.pk, "suspend"]) in page

    def test_a_moment_that_is_none_is_said(self, page_of, agent):
        assert "Enter a date and time" in text_of(page_of(agent, "?as_of=yesterday"))

    def test_names_from_outside_are_escaped(self, page_of, agent):
        type(agent.agent).objects.filter(pk=agent.agent.pk).update(name="<script>x</script>")
        assert "<script>x</script>" not in text_of(page_of(agent))

    def test_it_takes_few_statements(
        self, page_of, agent, operator, shop, django_assert_max_num_queries
    ):
        attempt = shop.attempt(agent, 5000)
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        Report.objects.create(
            agent=agent.agent, organization=agent.organization, type="bug", title="broken"
        )
        hold(agent.organization.pk, "job_1", 60)
        page_of(agent, by=operator)
        for query in ("", at(clock.now())):
            with django_assert_max_num_queries(25):
                page_of(agent, query, by=operator)

    def test_money_has_its_currency_and_times_are_times(self, page_of, agent, shop):
        attempt = shop.attempt(agent, 5000)
        shop.account.pay(attempt.checkout_session_id)
        fulfillment.fulfill(payment_attempt_id=attempt.public_id)
        suspension.suspend(agent=agent.agent, user=None, reason="odd")
        Token.objects.update(last_used_at=clock.now())
        page = text_of(page_of(agent))
        assert "50.00 USD" in page
        assert "cents" not in page
        told = page.replace(" UTC</time>", "").replace(' UTC">', "").replace("(UTC)", "")
        assert " UTC" not in told

    def test_each_section_leads_to_all_its_rows(self, page_of, agent, operator, api):
        Report.objects.create(
            agent=agent.agent, organization=agent.organization, type="bug", title="broken"
        )
        page = page_of(agent, by=operator)
        links = page.context_data["facts"]["all"]
        assert set(links) == {
            "lots", "jobs", "receipts", "claims", "tokens", "reports", "events", "audit"
        }  # fmt: skip
        assert links["tokens"]["count"] == links["claims"]["count"] == "1"
        assert links["jobs"]["count"] == "0"
        browser = page.client
        for name, link in links.items():
            listed = browser.get(link["url"])
            assert listed.status_code == 200, name
            assert str(listed.context_data["cl"].total) == link["count"], name
            assert listed.context_data["cl"].active_filters, name
        assert f">View all {links['tokens']['count']}</a>" in text_of(page)

    def test_lots_claims_tokens_and_feedback_are_links(self, page_of, agent, operator):
        report = Report.objects.create(
            agent=agent.agent, organization=agent.organization, type="bug", title="broken"
        )
        receipt = buy(agent.organization.pk, 500)
        page = text_of(page_of(agent, by=operator))
        for thing in (report, receipt, Claim.objects.get(), Token.objects.get()):
            opts = thing._meta
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])
            assert f'href="{url}"' in page


class TestNotes:
    def test_they_stand_apart_from_the_audit_for_all_staff(self, page_of, agent, triager):
        AuditLine.objects.create(
            actor="support@example.com",
            action="agent.note",
            subject=agent.id,
            reason="Rang us.\n<b>Twice</b>",
        )
        for number in range(30):
            AuditLine.objects.create(
                actor="system", action="agent.terms", subject=agent.id, reason=f"no. {number}"
            )
        page = page_of(agent, by=triager)
        assert [note.actor for note in page.context_data["facts"]["notes"]] == [
            "support@example.com"
        ]
        assert "Rang us.<br>&lt;b&gt;Twice&lt;/b&gt;" in text_of(page)


class TestDuties:
    def test_each_section_shows_with_its_duty_only(
        self, page_of, agent, triager, supporter, lead_supporter, financier
    ):
        buy(agent.organization.pk, 500)
        sections = {
            "Balances": {"supporter", "lead_supporter", "financier"},
            "Payments": {"supporter", "lead_supporter", "financier"},
            "Audit": {"lead_supporter", "financier"},
            "Jobs": {"triager", "supporter", "lead_supporter", "financier"},
            "Feedback": {"triager", "supporter", "lead_supporter", "financier"},
        }
        people = {
            "triager": triager,
            "supporter": supporter,
            "lead_supporter": lead_supporter,
            "financier": financier,
        }
        for name, person in people.items():
            page = page_of(agent, by=person)
            for section, those in sections.items():
                shown = f'aria-label="{section}"' in text_of(page)
                assert shown == (name in those), (name, section)
            for link in page.context_data["facts"]["all"].values():
                assert page.client.get(link["url"]).status_code == 200

    def test_what_is_not_shown_is_not_read_either(self, page_of, agent, triager):
        facts = page_of(agent, by=triager).context_data["facts"]
        assert facts["balances"] is None
        assert not {"lots", "receipts", "audit"} & set(facts)

    def test_an_address_that_was_asked_is_whole_for_whoever_looks_after_agents(
        self, page_of, agent, triager
    ):
        section = '<section aria-label="Claims"'
        whole, hint = "Sent to agent-ops@example.com</a>", "Sent to a***@e***.com</a>"
        assert whole in text_of(page_of(agent)).split(section)[1]
        assert hint in text_of(page_of(agent, by=triager)).split(section)[1]


class TestAsOf:
    def test_it_shows_how_it_was_before(self, page_of, agent):
        before = clock.now()
        hold(agent.organization.pk, "job_1", 9)
        facts = page_of(agent, at(before - timedelta(minutes=1))).context_data["facts"]
        assert {one.label: one.credits for one in facts["balances"]}["Preview credits"] == 0
        facts = page_of(agent, at(before)).context_data["facts"]
        assert {one.label: one.credits for one in facts["balances"]}["Preview credits"] == 40
        facts = page_of(agent).context_data["facts"]
        assert {one.label: one.credits for one in facts["balances"]}["Credits on hold"] == 9

    def test_lots_jobs_tokens_claims_and_standing_are_those_of_then(
        self, page_of, agent, supporter
    ):
        organization = agent.organization
        buy(organization.pk, 500)
        job = Job.objects.create(
            agent=agent.agent,
            organization=organization,
            operation="create",
            trace_id="trace_1",
            credits_held=60,
        )
        then = clock.now()
        hold(organization.pk, job.public_id, 60)
        Job.objects.filter(pk=job.pk).update(
            status="failed", error_code="PROVIDER_FAILED", completed_at=clock.now()
        )
        agent_corrections.set_caps(
            agent=agent.agent,
            user=supporter,
            reason="busy",
            caps={
                **dict.fromkeys(agent_corrections.CAPS, 77),
                "cap_outputs_per_request": 1,
            },
        )
        suspension.suspend(agent=agent.agent, user=supporter, reason="odd prompts")
        Claim.objects.update(state="declined", decided_at=clock.now())
        Token.objects.update(last_used_at=clock.now())
        agents.revoke(Agent.objects.get(), user=supporter, reason="over")

        now = page_of(agent).context_data["facts"]
        assert now["lots"][0].left == 480
        assert (now["jobs"][0].status, now["jobs"][0].error_code) == ("Failed", "PROVIDER_FAILED")
        assert now["tokens"][0].is_ended
        page = page_of(agent, at(then))
        facts = page.context_data["facts"]
        assert facts["lots"][0].left == 500
        row = facts["jobs"][0]
        assert (row.status, row.error_code, row.credits) == ("Queued", "", "60 authorized")
        assert not facts["tokens"][0].is_ended
        assert facts["tokens"][0].used_since
        assert facts["claims"][0].steps[-1][0] == "expires"
        past = dict(facts["past_status"])
        assert past["claim state"].value == "Unclaimed"
        assert past["suspended"].value is None
        assert past["daily limit"].value is None
        text = text_of(page)
        assert "odd prompts" not in text
        assert "PROVIDER_FAILED" not in text
        assert "77" not in text.split('aria-label="Status at that time"')[1].split("</section>")[0]

    def test_what_nothing_recorded_is_marked_as_todays(self, page_of, agent):
        then = clock.now() + timedelta(hours=-1)
        Agent.objects.update(last_seen_at=clock.now(), created_at=then)
        page = text_of(page_of(agent, at(then)))
        assert page.count("current value; the past one was not recorded") == 2  # contact, last seen


class TestTallies:
    def test_they_are_exact_up_to_a_point_and_say_so_beyond(self, db, monkeypatch):
        for number in range(4):
            sign_up(name=f"agent-{number}")
        rows = {"agents": Agent.objects.all(), "none": Agent.objects.filter(name="nobody")}
        assert row_counts.count_lists(rows) == {"agents": "4", "none": "0"}
        monkeypatch.setattr(row_counts, "EXACT_COUNT_LIMIT", 3)
        assert row_counts.count_lists(rows) == {"agents": "over 3", "none": "0"}
