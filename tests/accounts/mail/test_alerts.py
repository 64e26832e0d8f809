"""Telling sponsors, each cause once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.mail import alerts
from accounts.models import Agent, Alert, User
from billing.limits import daily_use
from imageskill.lib import clock
from jobs.models import Job
from tests.cast import Signed

pytestmark = pytest.mark.django_db


def _tell(user: User, cause: str = "one") -> bool:
    return alerts.notify(
        user, Alert.Kind.PURCHASE, "receipt_x", cause=cause, facts={"agent": "a.b", "credits": 5}
    )


class TestTelling:
    def test_the_same_cause_twice_makes_one_mail(self, sponsor: User) -> None:
        assert _tell(sponsor)
        assert not _tell(sponsor)
        alert = Alert.objects.get()

        assert alerts.send(alert_id=alert.pk)
        assert not alerts.send(alert_id=alert.pk)
        assert len(mail.outbox) == 1
        assert mail.outbox[0].to == [sponsor.email]

    def test_another_cause_makes_another(self, sponsor: User) -> None:
        _tell(sponsor)
        _tell(sponsor, "two")

        assert Alert.objects.count() == 2

    def test_nobody_where_there_is_no_sponsor(self, agent: Signed) -> None:
        told = alerts.notify_owner(
            agent.organization.pk, Alert.Kind.PURCHASE, "receipt_x", cause="c", facts={}
        )

        assert not told
        assert not Alert.objects.exists()

    def test_what_was_not_mailed_is_found_again(self, sponsor: User) -> None:
        _tell(sponsor)
        Alert.objects.update(created_at=clock.now() - timedelta(minutes=2))

        assert alerts.ids_awaiting_mail() == [Alert.objects.get().pk]
        alerts.send(alert_id=Alert.objects.get().pk)
        assert alerts.ids_awaiting_mail() == []


class TestTheLetters:
    @pytest.mark.parametrize("kind", Alert.Kind.values)
    def test_have_a_subject_words_and_a_link(self, sponsor: User, agent: Signed, kind: str) -> None:
        facts = {
            "agent": "painter",
            "by": "first-sponsor@example.org",
            "used": 80,
            "cap": 100,
            "window": "a day",
            "resets": "midnight UTC",
            "credits": 500,
            "amount": "$5.00",
            "number": "TEST-2026-000001",
            "live": False,
            "owed": 12,
            "reason": "a complaint",
        }
        alerts.notify(sponsor, kind, agent.id, cause="c", facts=facts)

        alerts.send(alert_id=Alert.objects.get().pk)

        message = mail.outbox[-1]
        assert message.subject
        assert "\n" not in message.subject
        assert f"/agents/{agent.id}" in message.body
        assert "{{" not in message.body
        [(html, _)] = message.alternatives  # type: ignore[attr-defined]
        assert f"/agents/{agent.id}" in html


class TestCaps:
    def _take(self, agent: Signed, credits: int) -> None:
        agent.agent.refresh_from_db()
        daily_use.reserve(agent=agent.agent, credits=credits, at=clock.now())

    def _cap(self, agent: Signed, sponsor: User, cap: int) -> None:
        assert sponsor
        Agent.objects.filter(pk=agent.agent.pk).update(cap_credits_per_day=cap)

    def _kinds(self) -> list[str]:
        return list(Alert.objects.order_by("id").values_list("kind", flat=True))

    def test_are_told_at_eighty_and_at_a_hundred_percent(
        self, agent: Signed, sponsor: User
    ) -> None:
        self._cap(agent, sponsor, 100)

        self._take(agent, 79)
        assert self._kinds() == []
        self._take(agent, 1)
        assert self._kinds() == ["cap_near"]
        self._take(agent, 19)
        assert self._kinds() == ["cap_near"]
        self._take(agent, 1)
        assert self._kinds() == ["cap_near", "cap_reached"]

    def test_do_not_flap_when_credits_come_back(self, agent: Signed, sponsor: User) -> None:
        self._cap(agent, sponsor, 100)
        for _ in range(3):
            self._take(agent, 85)
            daily_use.release(agent_id=agent.agent.pk, taken_at=clock.now(), credits=85)

        assert self._kinds() == ["cap_near"]

    def test_are_told_when_a_create_is_refused_for_want_of_room(
        self, api: Any, agent: Signed, sponsor: User, settings: Any
    ) -> None:
        settings.LOCAL_PROVIDER, settings.CREATE_WAIT_S = True, 0
        ask = {"prompt": "a lighthouse", "model": "local.sketch", "output_count": 2}
        assert api.post("/v1/create", token=agent.token, json=ask).status == 202
        price = Job.objects.get().credits_held
        self._cap(agent, sponsor, price + 1)

        for _ in range(2):
            refused = api.post("/v1/create", token=agent.token, json=ask)
            assert refused.code == "CAPABILITY_DENIED"

        alert = Alert.objects.get()
        assert alert.kind == "cap_reached"
        assert (alert.facts["used"], alert.facts["refused"]) == (price, price)
        alerts.send(alert_id=alert.pk)
        assert f"a request for {price} credits was refused." in mail.outbox[-1].body

    def test_are_told_once_whether_refused_or_used_up(self, agent: Signed, sponsor: User) -> None:
        self._cap(agent, sponsor, 10)
        self._take(agent, 7)
        daily_use.notify_refusal(agent=agent.agent, credits=3, at=clock.now())
        assert self._kinds() == []
        daily_use.notify_refusal(agent=agent.agent, credits=4, at=clock.now())
        assert self._kinds() == ["cap_reached"]

        self._take(agent, 3)

        assert self._kinds() == ["cap_reached"]

    def test_a_dry_run_tells_nobody(
        self, api: Any, agent: Signed, sponsor: User, settings: Any
    ) -> None:
        settings.LOCAL_PROVIDER = True
        self._cap(agent, sponsor, 0)

        ask = {"prompt": "a lighthouse", "model": "local.sketch", "dry_run": True}
        api.post("/v1/create", token=agent.token, json=ask)

        assert self._kinds() == []

    def test_cost_no_statement_while_no_threshold_is_passed(
        self, agent: Signed, sponsor: User
    ) -> None:
        self._cap(agent, sponsor, 100)

        with CaptureQueriesContext(connection) as queries:
            self._take(agent, 5)

        assert not [query for query in queries if "alert" in query["sql"]]
