"""Who gets into the console, and what each role sees there."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import AuditLine
from accounts.staff.roles import PERMISSIONS, ROLES
from imageskill.lib import clock
from imageskill.lib.admin.actions import StaffAction, fingerprint
from jobs.models import Job

pytestmark = pytest.mark.django_db


class TestDoor:
    def test_nobody_is_sent_to_sign_in(self, client):
        answer = client.get("/admin/")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")

    def test_a_sponsor_stays_outside(self, signed_in, sponsor):
        assert signed_in(sponsor).get("/admin/").status_code == 302

    def test_staff_without_a_second_factor_are_led_to_set_one_up(self, signed_in, supporter):
        browser = signed_in(supporter, second_factor=False)
        answer = browser.get("/admin/", follow=True)
        assert answer.redirect_chain[-1][0] == reverse("mfa_index")

    def test_staff_with_a_second_factor_come_in(self, signed_in, supporter):
        assert signed_in(supporter).get("/admin/").status_code == 200

    def test_after_twelve_hours_the_second_factor_is_asked_again(self, signed_in, supporter):
        assert signed_in(supporter, minutes_ago=11 * 60).get("/admin/").status_code == 200
        answer = signed_in(supporter, minutes_ago=13 * 60).get("/admin/", follow=True)
        assert answer.redirect_chain[-1][0].startswith(reverse("mfa_reauthenticate"))

    def test_who_has_lost_the_last_factor_is_out(self, signed_in, supporter):
        browser = signed_in(supporter)
        supporter.authenticator_set.all().delete()
        assert browser.get("/admin/", follow=True).redirect_chain[-1][0] == reverse("mfa_index")

    @pytest.mark.parametrize(
        "target", ["https://evil.example/x", "//evil.example", "ftp://x.example", "javascript:1"]
    )
    def test_the_way_in_leads_to_our_own_pages_only(self, signed_in, supporter, target):
        answer = signed_in(supporter).get("/admin/login/", {"next": target})
        assert answer["Location"] == "/admin/"

    def test_staff_without_a_role_learn_of_no_id(self, signed_in, supporter, agent):
        supporter.groups.clear()
        browser = signed_in(supporter)
        pages = [
            browser.post(reverse("admin:console_search"), {"q": text}).content.decode()
            for text in (agent.id, "agt_ThereIsNone")
        ]
        assert all("No results" in page for page in pages)

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_staff_without_a_role_are_answered_alike_whatever_the_id(
        self, signed_in, supporter, agent, method
    ):
        supporter.groups.clear()
        browser = signed_in(supporter)
        ids = {agent.agent.pk, supporter.pk, agent.agent.pk + 10**6}
        for name, args in (
            ("accounts_agent_change", []),
            ("accounts_agent_delete", []),
            ("accounts_agent_history", []),
            ("accounts_agent_action", ["suspend"]),
            ("accounts_user_change", []),
            ("accounts_user_history", []),
            ("accounts_user_action", ["roles"]),
        ):
            urls = [reverse(f"admin:{name}", args=[pk, *args]) for pk in ids]
            answers = [getattr(browser, method)(url) for url in urls]
            assert len({(one.status_code, one.get("Location")) for one in answers}) == 1, name
            assert answers[0].status_code in {403, 404}


class TestRoles:
    @pytest.mark.parametrize("role", ROLES)
    def test_the_groups_have_the_duties_of_the_table(self, role):
        names = Group.objects.get(name=role).permissions.values_list("codename", flat=True)
        assert set(names) == ROLES[role]

    def test_every_duty_belongs_to_somebody(self):
        assert set().union(*ROLES.values()) == set(PERMISSIONS)

    def test_what_a_role_may_not_see_is_neither_shown_nor_reachable(
        self, signed_in, triager, supporter
    ):
        audit = reverse("admin:accounts_auditline_changelist")
        telemetry = reverse("admin:accounts_telemetryrow_changelist")
        browser = signed_in(triager)
        page = browser.get("/admin/").content.decode()
        for url in (audit, telemetry):
            assert url not in page
            assert browser.get(url).status_code == 403
        assert signed_in(supporter).get(telemetry).status_code == 200


class TestDeeds:
    def _suspend_url(self, agent):
        return reverse("admin:accounts_agent_action", args=[agent.agent.pk, "suspend"])

    def _form(self, browser, url):
        page = browser.get(url)
        return {
            "seen": page.context_data["seen"],
            "key": page.context_data["key"],
            "reason": "sent spam",
        }

    def test_a_deed_needs_a_reason(self, signed_in, supporter, agent):
        browser, url = signed_in(supporter), self._suspend_url(agent)
        browser.post(url, self._form(browser, url) | {"reason": " "})
        agent.agent.refresh_from_db()
        assert not agent.agent.is_suspended

    def test_a_deed_is_done_once_and_leaves_an_audit_line(self, signed_in, supporter, agent):

        browser, url = signed_in(supporter), self._suspend_url(agent)
        form = self._form(browser, url)
        for _ in range(2):
            assert browser.post(url, form).status_code == 302
        agent.agent.refresh_from_db()
        assert agent.agent.suspension_reason == "sent spam"
        line = AuditLine.objects.get(subject=agent.id, action="agent.suspend")
        assert (line.user, line.reason) == (supporter, "sent spam")

    def test_a_deed_is_refused_when_the_agent_has_moved_on(self, signed_in, supporter, agent):
        browser, url = signed_in(supporter), self._suspend_url(agent)
        form = self._form(browser, url)
        type(agent.agent).objects.filter(pk=agent.agent.pk).update(name="renamed")
        answer = browser.post(url, form)
        agent.agent.refresh_from_db()
        assert not agent.agent.is_suspended
        assert b"This has changed since you opened it" in answer.content
        # What was typed is kept; reading again is enough to go on.
        assert answer.context_data["form"]["reason"].value() == "sent spam"
        again = form | {"seen": answer.context_data["seen"]}
        assert browser.post(url, again).status_code == 302
        agent.agent.refresh_from_db()
        assert agent.agent.suspension_reason == "sent spam"

    def test_a_deed_is_not_refused_because_the_agent_works_on(self, signed_in, supporter, agent):
        browser, url = signed_in(supporter), self._suspend_url(agent)
        form = self._form(browser, url)
        type(agent.agent).objects.filter(pk=agent.agent.pk).update(last_seen_at=clock.now())
        assert browser.post(url, form).status_code == 302
        agent.agent.refresh_from_db()
        assert agent.agent.is_suspended

    def test_what_a_deed_rests_on_beside_the_row_counts_too(self, agent):
        standing = {"value": 1}
        action = StaffAction("d", "D", "p", list, str, extra_state=lambda _: standing["value"])
        before = fingerprint(agent.agent, action)
        assert fingerprint(agent.agent, action) == before
        standing["value"] = 2
        assert fingerprint(agent.agent, action) != before

    def test_who_lacks_the_duty_is_refused(self, signed_in, financier, agent):
        assert signed_in(financier).get(self._suspend_url(agent)).status_code == 403

    def test_a_sensitive_deed_asks_again_after_a_quarter_of_an_hour(
        self, signed_in, supporter, agent
    ):
        url = reverse("admin:accounts_agent_action", args=[agent.agent.pk, "revoke"])
        assert signed_in(supporter, minutes_ago=14).get(url).status_code == 200
        answer = signed_in(supporter, minutes_ago=16).get(url)
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"]


class TestDryRun:
    @pytest.fixture
    def repair(self, agent):
        job = Job.objects.create(
            organization=agent.organization,
            agent=agent.agent,
            operation="create",
            credits_held=4,
            trace_id="trace_" + "a" * 32,
        )
        return reverse("admin:jobs_job_action", args=[job.pk, "retry"])

    @pytest.mark.parametrize("role", ["supporter", "financier"])
    def test_who_may_only_look_sees_what_a_repair_would_do(self, signed_in, role, repair, request):
        browser = signed_in(request.getfixturevalue(role))
        page = browser.get(repair)
        assert page.status_code == 200
        assert b"A worker continues the job" in page.content
        assert b'name="reason"' not in page.content
        form = {key: page.context_data[key] for key in ("seen", "key")} | {"reason": "stuck"}
        for sent in (form, form | {"preview": "1"}):
            assert browser.post(repair, sent).status_code == 403
        assert not AuditLine.objects.exists()

    def test_its_link_says_so(self, signed_in, supporter, lead_supporter, repair):
        page = repair.replace("do/retry/", "change/")
        assert b"Send to a worker (dry run)" in signed_in(supporter).get(page).content
        assert b"(dry run)" not in signed_in(lead_supporter).get(page).content

    def test_triage_does_not_even_look(self, signed_in, triager, repair):
        assert signed_in(triager).get(repair).status_code == 403


class TestLists:
    def test_each_list_takes_few_statements_however_long(
        self, signed_in, operator, agent, django_assert_max_num_queries
    ):
        browser = signed_in(operator)
        for name in ("agent", "organization", "token", "user", "activityevent", "auditline"):
            url = reverse(f"admin:accounts_{name}_changelist")
            browser.get(url)
            with django_assert_max_num_queries(25):
                assert browser.get(url).status_code == 200
