"""Each kind of id that there is leads to its page; a call's trace to all that it touched."""

import pytest
from django.urls import reverse

from accounts import activity
from accounts.models import ActivityEvent, Agent, Claim, Organization, TelemetryRow, User
from billing.models import (
    BalanceMovement,
    PaymentAttempt,
    PaymentReversal,
    Quote,
    Receipt,
    RefundRequest,
    StripeEvent,
    Transfer,
)
from feedback.models import GithubEvent, QueueItem, Report
from imageskill.lib import clock
from jobs.models import Asset, Job, Usage
from tests.billing.money import buy, spend

pytestmark = pytest.mark.django_db

SEARCH = "admin:console_search"
TRACE = "trace_" + "a" * 32
KINDS = [
    (Agent, "public_id"),
    (Organization, "public_id"),
    (Claim, "public_id"),
    (Job, "public_id"),
    (Asset, "public_id"),
    (Usage, "public_id"),
    (Report, "public_id"),
    (Quote, "public_id"),
    (PaymentAttempt, "public_id"),
    (PaymentAttempt, "checkout_session_id"),
    (Receipt, "public_id"),
    (Receipt, "number"),
    (Receipt, "credit_event_id"),
    (Receipt, "payment_intent_id"),
    (Receipt, "charge_id"),
    (PaymentReversal, "public_id"),
    (PaymentReversal, "stripe_id"),
    (PaymentReversal, "credit_event_id"),
    (BalanceMovement, "stripe_id"),
    (ActivityEvent, "public_id"),
    (StripeEvent, "event_id"),
]


@pytest.fixture
def ask(db, signed_in):
    browser = signed_in(User.objects.create_superuser("everything@example.com"))

    def post(text):
        return browser.post(reverse(SEARCH), {"q": text})

    return post


def page_of(thing):
    opts = thing._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])


def results(answer):
    return {result.url for result in answer.context_data["results"]}


class TestKinds:
    @pytest.mark.parametrize(("model", "field"), KINDS)
    def test_it_leads_to_its_page(self, demo_history, ask, model, field):
        having = model.objects.exclude(**{field: ""}).exclude(**{field: None})
        thing = having.order_by("-pk").first()
        assert ask(getattr(thing, field))["Location"] == page_of(thing)

    def test_a_receipts_number_in_small_letters(self, demo_history, ask):
        receipt = Receipt.objects.order_by("-pk").first()
        assert ask(receipt.number.lower())["Location"] == page_of(receipt)

    def test_an_issue_by_repository_and_number_or_address(self, demo_history, ask):
        item = QueueItem.objects.filter(state="promoted").order_by("-pk").first()
        for text in (f"{item.repository}#{item.issue_number}", item.issue_url):
            assert ask(text)["Location"] == page_of(item)

    def test_a_delivery_of_githubs(self, ask):
        delivery = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
        event = GithubEvent.objects.create(delivery_id=delivery, event="ping", state="ignored")
        assert ask(delivery)["Location"] == page_of(event)

    def test_a_job_that_only_the_ledger_remembers(self, ask, agent):
        job_id = spend(agent.organization.pk, 10)
        last = Transfer.objects.filter(reference=job_id).order_by("-pk").first()
        assert ask(job_id)["Location"] == page_of(last)


class TestPayments:
    @pytest.fixture
    def lonely(self):
        """A dispute of a charge that we know no receipt for."""
        return PaymentReversal.objects.create(
            kind="dispute", stripe_id="du_lonely", charge_id="ch_lonely",
            payment_intent_id="pi_lonely",
            amount_cents=500, currency="USD", stripe_status="lost", problem="no_receipt",
            state="rejected",
        )  # fmt: skip

    def test_a_reversal_without_a_receipt_by_its_payment(self, ask, lonely):
        for text in ("ch_lonely", "pi_lonely", "du_lonely"):
            assert ask(text)["Location"] == page_of(lonely)

    @pytest.mark.parametrize("text", ["cs_heard", "cus_heard", "po_named", "re_named"])
    def test_what_only_an_event_knows_leads_to_the_event(self, ask, text):
        now = clock.now()
        event = StripeEvent.objects.create(
            event_id="evt_x", type="x", is_live_mode=False, payload={}, created_at=now,
            next_attempt_at=now, object_id=text if "heard" in text else "other",
            related_ids=[] if "heard" in text else ["ch_x", text],
        )  # fmt: skip
        assert ask(text)["Location"] == page_of(event)

    def test_a_refund_that_stripe_answered_and_no_event_told_of(self, ask, agent, financier):
        request = RefundRequest.objects.create(
            receipt=buy(agent.organization.pk, 500), amount_cents=100, reason_code="unused",
            stripe_refund_id="re_answered", reason="x", requested_by=financier, state="approved",
            needs_second_person=False, expires_at=clock.now(),
        )  # fmt: skip
        assert ask("re_answered")["Location"] == page_of(request)


class TestAddress:
    def test_who_is_both_sponsor_and_contact_is_shown_as_both(self, ask, agent, sponsor):
        Agent.objects.filter(pk=agent.agent.pk).update(contact=sponsor.email)
        found = results(ask("Sponsor@example.com"))
        assert page_of(sponsor) in found
        assert any("agent/?contact=sponsor%40example.com" in url for url in found)


class TestTrace:
    def test_all_that_a_call_touched_is_shown_to_choose_from(self, ask, agent):
        receipt, job = buy(agent.organization.pk, 500), a_job(agent)
        activity.record(
            activity.event(
                type="credits.payment_backed_granted",
                organization_id=agent.organization.pk,
                agent_id=agent.agent.pk,
                subject_id=receipt.public_id,
                operation="x",
                summary="x",
                status="x",
                links={},
                trace_id=TRACE,
                also_found_by=(receipt.quote.public_id,),
            )
        )
        report = Report.objects.create(
            organization=agent.organization, agent=agent.agent, type="x", title="x", trace_id=TRACE
        )
        found = results(ask(TRACE))
        assert {page_of(thing) for thing in (job, receipt, receipt.quote, report)} <= found
        assert any("activityevent/?q=trace_" in url for url in found)

    def test_its_lists_hold_its_rows(self, ask, signed_in, operator, agent):
        job = a_job(agent)
        TelemetryRow.objects.create(trace_id=TRACE, kind="request", name="x", api_version="1")
        [url] = [url for url in results(ask(TRACE)) if "telemetryrow" in url]
        rows = signed_in(operator).get(url).context_data["cl"].result_list
        assert [row.trace_id for row in rows] == [job.trace_id]

    def test_who_may_not_see_telemetry_is_sent_to_the_rest(self, signed_in, triager, agent):
        job = a_job(agent)
        TelemetryRow.objects.create(trace_id=TRACE, kind="request", name="x", api_version="1")
        assert signed_in(triager).post(reverse(SEARCH), {"q": TRACE})["Location"] == page_of(job)


class TestRoles:
    def test_what_a_role_does_not_show_is_said_instead_of_refused(self, signed_in, triager, agent):
        buy(agent.organization.pk, 500, charge_id="ch_a")
        answer = signed_in(triager).post(reverse(SEARCH), {"q": "ch_a"})
        assert answer.status_code == 200
        assert "Your role can&#x27;t view this result (receipt)." in answer.content.decode()


def a_job(agent):
    return Job.objects.create(
        organization=agent.organization, agent=agent.agent, operation="upload", trace_id=TRACE
    )
