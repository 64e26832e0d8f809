"""What every list has: words for an empty one, ids to copy, filters that hide nothing."""

from html import unescape

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import ActivityEvent, AuditLine, TelemetryRow, User
from billing.models import PaymentAttempt, StripeEvent, Transfer
from billing.reversals import applying
from imageskill.lib import clock
from imageskill.lib.admin import filters
from jobs.models import Job
from tests.billing.money import buy
from tests.billing.stripe_facts import refund

pytestmark = pytest.mark.django_db
OURS = sorted(
    (
        model
        for model in admin.site._registry
        if model._meta.app_label in {"accounts", "billing", "jobs", "feedback"}
    ),
    key=lambda model: model._meta.label,
)


@pytest.fixture
def browser(signed_in):
    return signed_in(User.objects.create_superuser("everything@example.com"))


def list_of(browser, model, **query):
    opts = model._meta
    return browser.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist", query=query))


def page_of(browser, thing):
    opts = thing._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])
    return browser.get(url).content.decode()


class TestEmpty:
    def test_each_list_says_in_words_of_its_own_how_it_fills(self):
        said = [admin.site.get_model_admin(model).empty_text for model in OURS]
        assert all(said)
        assert len(set(said)) == len(said)

    def test_it_is_shown_where_there_is_nothing(self, browser):
        shown = 0
        for model in OURS:
            page = list_of(browser, model)
            if not page.context_data["cl"].result_list:
                text = admin.site.get_model_admin(model).empty_text
                assert text in unescape(page.content.decode()), model
                shown += 1
        assert shown > 20

    def test_a_search_without_a_match_says_that_instead(self, browser):
        page = list_of(browser, Job, q="job_nothing").content.decode()
        assert "Change or clear the search" in page
        assert admin.site.get_model_admin(Job).empty_text not in page


class TestCopied:
    def test_ids_of_a_payment(self, browser, agent):
        receipt = buy(agent.organization.pk, 500, charge_id="ch_a")
        attempt = PaymentAttempt.objects.create(
            quote=receipt.quote, idempotency_key="x", environment="test", status="expired",
            checkout_session_id="cs_a", payment_intent_id="pi_a", session_expires_at=clock.now(),
            next_check_at=clock.now(),
        )  # fmt: skip
        found = applying.apply_refund(refund("re_a", "ch_a", 100))
        for thing, names in (
            (receipt, ("pi_a", "ch_a")),
            (attempt, ("cs_a", "pi_a")),
            (found, ("re_a", "ch_a")),
        ):
            page = page_of(browser, thing)
            for name in names:
                assert f'data-copy="{name}"' in page, (thing, name)
        assert f'data-copy="{found.public_id}"' in page_of(browser, receipt)  # on its timeline
        assert f'data-copy="{receipt.public_id}"' in list_of(browser, Transfer).content.decode()

    def test_ids_of_an_event(self, browser):
        event = StripeEvent.objects.create(
            event_id="evt_x", type="x", object_id="cs_x", related_ids=["pi_x", "ch_x"],
            is_live_mode=False, payload={}, created_at=clock.now(), next_attempt_at=clock.now(),
        )  # fmt: skip
        page = page_of(browser, event)
        for name in ("evt_x", "cs_x", "pi_x", "ch_x"):
            assert f'data-copy="{name}"' in page
        assert 'data-copy="cs_x"' in list_of(browser, StripeEvent).content.decode()

    def test_ids_of_trails(self, browser, agent):
        trace = "trace_" + "a" * 32
        row = TelemetryRow.objects.create(trace_id=trace, kind="job", name="x", api_version="1")
        line = AuditLine.objects.create(subject="agt_x", actor="x", action="x")
        event = ActivityEvent.objects.create(
            organization=agent.organization, type="x", subject_id="job_x", summary="x"
        )
        for thing, name in ((row, trace), (line, "agt_x"), (event, "job_x")):
            assert f'data-copy="{name}"' in page_of(browser, thing)

    def test_what_is_empty_has_no_button(self, browser, agent):
        page = page_of(browser, buy(agent.organization.pk, 500))
        assert 'data-copy=""' not in page


class TestFoundValues:
    def offered(self, browser, **query):
        cl = list_of(browser, StripeEvent, **query).context_data["cl"]
        [spec] = [one for one in cl.filter_specs if isinstance(one, filters.DistinctValuesFilter)]
        return list(spec.choices(cl))

    def test_more_values_than_it_offers_are_said_to_be_there(self, browser, monkeypatch):
        monkeypatch.setattr(filters, "MAX_VALUES", 2)
        for number in range(3):
            StripeEvent.objects.create(
                event_id=f"evt_{number}", type=f"type.{number}", is_live_mode=False, payload={},
                created_at=clock.now(), next_attempt_at=clock.now(),
            )  # fmt: skip
            shown = [choice["display"] for choice in self.offered(browser)]
            assert any("More than 2" in str(text) for text in shown) == (number == 2)
        assert "type.2" not in shown

    def test_one_that_is_not_offered_can_be_asked_for(self, browser, monkeypatch):
        monkeypatch.setattr(filters, "MAX_VALUES", 1)
        for name in ("a", "b"):
            StripeEvent.objects.create(
                event_id=f"evt_{name}", type=name, is_live_mode=False, payload={},
                created_at=clock.now(), next_attempt_at=clock.now(),
            )  # fmt: skip
        rows = list_of(browser, StripeEvent, type="b").context_data["cl"].result_list
        assert [row.type for row in rows] == ["b"]
