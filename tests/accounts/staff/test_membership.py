"""Roles are given and taken by others, for a reason, and end what was open before."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.mail import alerts
from accounts.models import Alert, AuditLine, User
from accounts.staff import membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(db):
    return User.objects.create_user("newcomer@example.com")


def visiting(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


class TestSetRoles:
    def test_makes_somebody_staff_with_exactly_these_roles(self, newcomer, operator):
        membership.set_roles(
            user=newcomer, by=operator, roles=["support", "triage"], reason="joins"
        )
        membership.set_roles(user=newcomer, by=operator, roles=["finance"], reason="moves")
        found = User.objects.get(pk=newcomer.pk)
        assert found.is_staff
        assert membership.role_names(found) == ["finance"]
        assert found.has_perm("accounts.refund_approve")
        assert not found.has_perm("accounts.act_on_feedback")

    def test_says_who_what_and_why(self, newcomer, operator):
        membership.set_roles(user=newcomer, by=operator, roles=["support"], reason="joins")
        line = AuditLine.objects.get(subject=newcomer.email, action="staff.set_roles")
        assert (line.user, line.reason) == (operator, "joins")
        assert (line.before, line.after) == ({"roles": []}, {"roles": ["support"]})

    def test_ends_their_sessions(self, supporter, operator):
        browser = visiting(supporter)
        assert browser.get(reverse("my_agents")).status_code == 200
        membership.set_roles(user=supporter, by=operator, roles=["triage"], reason="moves")
        assert browser.get(reverse("my_agents")).status_code == 302

    def test_a_role_that_approves_money_is_mailed_to_every_superuser_at_once(
        self, newcomer, operator, django_capture_on_commit_callbacks
    ):
        overseers = [User.objects.create_superuser(f"root{n}@example.com") for n in "ab"]
        with django_capture_on_commit_callbacks(execute=True):
            membership.set_roles(user=newcomer, by=operator, roles=["finance"], reason="joins us")
        assert {row.user for row in Alert.objects.all()} == set(overseers)
        for alert in Alert.objects.all():
            alerts.send(alert_id=alert.pk)
        [first, _] = mail.outbox
        assert "newcomer" in first.subject
        assert "finance" in first.body
        assert f"/admin/accounts/user/{newcomer.pk}/" in first.body

    def test_other_roles_and_changes_among_them_are_not(self, newcomer, operator):
        User.objects.create_superuser("root@example.com")
        membership.set_roles(user=newcomer, by=operator, roles=["support"], reason="joins")
        assert not Alert.objects.exists()
        membership.set_roles(user=newcomer, by=operator, roles=["lead support"], reason="leads")
        membership.set_roles(user=newcomer, by=operator, roles=["finance"], reason="moves")
        assert Alert.objects.count() == 1

    def test_without_a_superuser_the_other_operators_are_told(self, newcomer, operator):
        other = User.objects.create_user("other@example.com", is_staff=True)
        other.groups.set(operator.groups.all())
        membership.set_roles(user=newcomer, by=operator, roles=["operator"], reason="joins")
        assert [alert.user for alert in Alert.objects.all()] == [other]

    def test_refuses_oneself(self, operator):
        with pytest.raises(membership.StaffChangeRefused):
            membership.set_roles(user=operator, by=operator, roles=["finance"], reason="more")

    @pytest.mark.parametrize("roles", [[], ["emperor"], ["support", "emperor"]])
    def test_refuses_no_role_and_unknown_ones(self, newcomer, operator, roles):
        with pytest.raises(membership.StaffChangeRefused):
            membership.set_roles(user=newcomer, by=operator, roles=roles, reason="why not")
        assert not User.objects.get(pk=newcomer.pk).is_staff

    def test_refuses_what_changes_nothing(self, supporter, operator):
        with pytest.raises(membership.StaffChangeRefused):
            membership.set_roles(user=supporter, by=operator, roles=["support"], reason="again")
        assert not AuditLine.objects.exists()

    def test_refuses_who_is_closed_or_has_all_rights(self, newcomer, operator):
        for change in ({"is_active": False}, {"is_active": True, "is_superuser": True}):
            User.objects.filter(pk=newcomer.pk).update(**change)
            with pytest.raises(membership.StaffChangeRefused):
                membership.set_roles(user=newcomer, by=operator, roles=["support"], reason="joins")


class TestRemove:
    def test_takes_every_right_and_ends_their_sessions(self, financier, operator):
        browser = visiting(financier)
        membership.remove_access(user=financier, by=operator, reason="left us")
        found = User.objects.get(pk=financier.pk)
        assert not found.is_staff
        assert found.get_all_permissions() == set()
        assert browser.get(reverse("my_agents")).status_code == 302
        line = AuditLine.objects.get(subject=financier.email, action="staff.remove")
        assert (line.user, line.reason, line.before) == (
            operator, "left us", {"roles": ["finance"]},
        )  # fmt: skip

    def test_a_sponsor_they_stay(self, sponsor, agent, operator):
        membership.set_roles(user=sponsor, by=operator, roles=["support"], reason="joins")
        membership.remove_access(user=sponsor, by=operator, reason="left us")
        assert sponsor.organizations.get() == agent.organization

    def test_refuses_oneself_and_who_was_none(self, operator, newcomer):
        for user in (operator, newcomer):
            with pytest.raises(membership.StaffChangeRefused):
                membership.remove_access(user=user, by=operator, reason="why not")

    def test_all_rights_are_taken_only_by_who_has_them(self, operator, newcomer):
        User.objects.filter(pk=newcomer.pk).update(is_staff=True, is_superuser=True)
        with pytest.raises(membership.StaffChangeRefused):
            membership.remove_access(user=newcomer, by=operator, reason="a coup")
        everything = User.objects.create_superuser("everything@example.com")
        membership.remove_access(user=newcomer, by=everything, reason="left us")
        assert not User.objects.get(pk=newcomer.pk).is_superuser
