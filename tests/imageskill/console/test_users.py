"""People in the console: who gives roles, and what setting a second factor up counts for."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.urls import reverse

from accounts.models import User
from imageskill.lib.admin.second_factor import is_verified
from tests.browser.console import app_code

pytestmark = pytest.mark.django_db


class TestPeople:
    def _url(self, user, action):
        return reverse("admin:accounts_user_action", args=[user.pk, action])

    def test_an_operator_gives_roles(self, signed_in, operator, sponsor):
        browser, url = signed_in(operator), self._url(sponsor, "roles")
        page = browser.get(url)
        form = {key: page.context_data[key] for key in ("seen", "key")}
        form |= {"roles": ["triage"], "reason": "joins us"}
        looked = browser.post(url, form | {"preview": "1"}).content.decode()
        assert "They can triage feedback and send it to GitHub." in looked
        assert browser.post(url, form).status_code == 302
        sponsor.refresh_from_db()
        assert sponsor.is_staff
        assert signed_in(sponsor).get(reverse("admin:feedback_inbox")).status_code == 200

    def test_not_to_themselves(self, signed_in, operator):
        browser, url = signed_in(operator), self._url(operator, "remove")
        page = browser.get(url)
        form = {key: page.context_data[key] for key in ("seen", "key")} | {"reason": "bye"}
        assert b"change your own access" in browser.post(url, form).content
        operator.refresh_from_db()
        assert operator.is_staff

    def test_it_asks_for_the_second_factor_again(self, signed_in, operator, supporter):
        browser = signed_in(operator, minutes_ago=16)
        for action in ("roles", "remove"):
            assert "reauthenticate" in browser.get(self._url(supporter, action))["Location"]

    @pytest.mark.parametrize("role", ["lead_supporter", "financier", "auditor"])
    def test_nobody_else_does(self, signed_in, role, supporter, request):
        browser = signed_in(request.getfixturevalue(role))
        for action in ("roles", "remove"):
            assert browser.get(self._url(supporter, action)).status_code == 403

    def test_a_role_is_filtered_by(self, signed_in, operator, supporter, financier):
        url = reverse("admin:accounts_user_changelist") + "?role=finance"
        page = signed_in(operator).get(url)
        assert [user.email for user in page.context_data["cl"].result_list] == [financier.email]


class TestSecondFactor:
    @pytest.fixture
    def entering(self, db):
        """Somebody new to the staff, signed in by a mailed code, without a second factor."""
        user = User.objects.create_user("newcomer@example.com", is_staff=True)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    @pytest.mark.django_db(transaction=True)
    def test_setting_an_app_up_is_showing_it(self, signed_in, entering):
        browser = signed_in(entering, second_factor=False)
        page = browser.get(reverse("mfa_activate_totp"))
        secret = page.context["form"].secret
        answer = browser.post(reverse("mfa_activate_totp"), {"code": app_code(secret)})
        assert answer["Location"] == reverse("mfa_view_recovery_codes")
        assert browser.get(answer["Location"]).status_code == 200
        assert browser.get("/admin/").status_code == 200

    def test_recovery_codes_alone_show_nothing(self, rf, entering):
        request = rf.get("/")
        request.session, request.user = {}, entering
        for kind, counts in (("recovery_codes", False), ("totp", True), ("webauthn", True)):
            made = Authenticator.objects.create(user=entering, type=kind, data={})
            request.session.clear()
            authenticator_added.send(
                sender=Authenticator, request=request, user=entering, authenticator=made
            )
            assert is_verified(request) is counts
