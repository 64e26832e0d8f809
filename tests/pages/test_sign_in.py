"""Signing in by a mailed code, without telling anybody which addresses are known."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.core.context import request_context
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import sponsors
from accounts.models import User
from accounts.sign_in.adapter import Adapter
from imageskill.lib import clock
from tests.accounts.claiming import person
from tests.browser.console import app_code
from tests.pages.sign_in_steps import CONFIRM, LOGIN, mailed_code

pytestmark = pytest.mark.django_db


def _same_but_for(text: str, address: str) -> str:
    text = text.replace(address, "ADDRESS")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


class TestACode:
    def test_signs_a_new_person_in_with_one_form(self, db: None) -> None:
        client = Client()

        client.post(LOGIN, {"login": "New@Example.org"})
        answer = client.post(CONFIRM, {"code": mailed_code()})

        assert answer.headers["Location"] == reverse("my_agents")
        user = User.objects.get(email="new@example.org")
        assert not user.has_usable_password()
        assert user.emailaddress_set.get().verified

    def test_leads_on_to_where_one_wanted_to_go(self, db: None) -> None:
        client = Client()
        client.post(LOGIN, {"login": "a@example.org", "next": "/account"})

        answer = client.post(CONFIRM, {"code": mailed_code(), "next": "/account"})

        assert answer.headers["Location"] == "/account"

    def test_does_not_lead_to_another_site(self, db: None) -> None:
        client = Client()
        client.post(LOGIN, {"login": "a@example.org", "next": "https://evil.example/"})

        answer = client.post(CONFIRM, {"code": mailed_code(), "next": "https://evil.example/"})

        assert "evil" not in answer.headers["Location"]

    def test_works_for_as_long_as_the_page_and_the_mail_say(self, settings: Any) -> None:
        client = Client()
        minutes = f"{settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60} minutes"

        page = client.post(LOGIN, {"login": "a@example.org"}, follow=True)

        assert f"expires in {minutes}" in page.text
        assert f"expires in {minutes}" in str(mail.outbox[-1].body)

    def test_that_is_wrong_signs_nobody_in(self, db: None) -> None:
        client = Client()
        client.post(LOGIN, {"login": "a@example.org"})

        answer = client.post(CONFIRM, {"code": "AAAAAA"})

        assert "sessionid" not in answer.cookies or not client.session.get("_auth_user_id")
        assert client.get(reverse("my_agents")).status_code == 302

    def test_is_void_after_three_wrong_ones(self, db: None) -> None:
        client = Client()
        client.post(LOGIN, {"login": "a@example.org"})
        right = mailed_code()
        for _ in range(3):
            client.post(CONFIRM, {"code": "AAAAAA"})

        client.post(CONFIRM, {"code": right})

        assert client.get(reverse("my_agents")).status_code == 302

    def test_comes_as_text_and_html(self, db: None) -> None:
        Client().post(LOGIN, {"login": "a@example.org"})

        message = mail.outbox[-1]
        assert message.subject == "Your Image Skill sign-in code"
        [(html, _)] = message.alternatives  # type: ignore[attr-defined]
        assert mailed_code() in html


class TestKnownAndUnknownAddresses:
    def test_are_answered_alike(self, db: None) -> None:
        person("known@example.org")
        pages = {}
        for address in ("known@example.org", "never@example.org"):
            client = Client()
            first = client.post(LOGIN, {"login": address})
            second = client.get(CONFIRM)
            pages[address] = (
                first.status_code,
                first.headers["Location"],
                _same_but_for(second.text, address),
            )

        assert pages["known@example.org"] == pages["never@example.org"]
        assert [message.subject for message in mail.outbox] == [mail.outbox[0].subject] * 2

    def test_are_limited_alike(self, db: None) -> None:
        person("known@example.org")
        statuses = {}
        for address in ("known@example.org", "never@example.org"):
            answers = [Client().post(LOGIN, {"login": address}).status_code for _ in range(5)]
            statuses[address] = answers

        assert statuses["known@example.org"] == statuses["never@example.org"]
        assert 200 in statuses["known@example.org"]  # the form again, with its error
        assert len(mail.outbox) == 6

    def test_nobody_can_sign_up_by_the_other_form(self, db: None) -> None:
        Client().post("/account/signup/", {"email": "a@example.org"})

        assert not User.objects.filter(email="a@example.org").exists()


class TestAnAddressThatNobodyConfirms:
    def test_is_forgotten_after_a_day_and_a_confirmed_one_is_not(self, db: None) -> None:
        known = person("known@example.org")
        Client().post(LOGIN, {"login": "typo@example.org"})
        assert sponsors.delete_unconfirmed_users() == 0
        User.objects.update(date_joined=clock.now() - timedelta(days=2))

        assert sponsors.delete_unconfirmed_users() == 1

        assert list(User.objects.all()) == [known]


class TestCookies:
    def test_are_out_of_scripts_reach_and_stay_on_this_site(self, db: None) -> None:
        client = Client()
        client.post(LOGIN, {"login": "a@example.org"})

        cookie = client.cookies["sessionid"]

        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


class TestAPassword:
    def test_lets_staff_in_who_have_one(self, db: None) -> None:
        user = person("staff@example.org")
        user.set_password("a long enough password")
        user.save()

        answer = Client().post(
            reverse("password_login"),
            {"login": "staff@example.org", "password": "a long enough password"},
        )

        assert answer.status_code == 302
        assert answer.headers["Location"] == reverse("my_agents")

    def test_is_used_up_before_the_second_factor_is_given(self, db: None) -> None:
        user, secret = person("staff@example.org"), generate_totp_secret()
        TOTP.activate(user, secret)
        user.set_password("a long enough password")
        user.save()
        client = Client()

        step = client.post(
            reverse("password_login"),
            {"login": "staff@example.org", "password": "a long enough password"},
        )

        user.refresh_from_db()
        assert not user.has_usable_password()
        client.post(step.headers["Location"], {"code": app_code(secret)})
        assert client.get(reverse("my_agents")).status_code == 200

    def test_that_is_wrong_lets_nobody_in(self, db: None) -> None:
        person("staff@example.org")

        answer = Client().post(
            reverse("password_login"), {"login": "staff@example.org", "password": "guessed"}
        )

        assert answer.status_code == 200


class TestMailLimits:
    def test_hold_for_all_spellings_of_an_inbox(self, settings) -> None:
        settings.MAILS_PER_MINUTE_PER_INBOX = 2
        spellings = ["victim+1@example.org", "victim+2@example.org", "Victim@example.org"]

        answers = [Client().post(LOGIN, {"login": address}).status_code for address in spellings]

        assert answers == [302, 302, 429]
        assert len(mail.outbox) == 2

    @pytest.mark.parametrize(
        "limit",
        [
            "MAILS_PER_MINUTE_PER_NETWORK",
            "MAILS_PER_DAY_PER_NETWORK",
            "MAILS_PER_DAY_PER_INBOX",
            "MAILS_PER_DAY",
        ],
    )
    def test_hold_whatever_the_inbox(self, settings, limit) -> None:
        settings.LOOPBACK_IS_UNLIMITED = False
        setattr(settings, limit, 0)

        answer = Client().post(LOGIN, {"login": "nobody-yet@example.org"})

        assert (answer.status_code, mail.outbox) == (429, [])

    def test_leave_a_notice_out_rather_than_the_change(self, settings, rf) -> None:
        settings.MAILS_PER_DAY = 0

        with request_context(rf.get("/")):
            Adapter().send_mail("account/email/email_changed", "a@example.org", {})

        assert mail.outbox == []
