"""Signing in again before the ways to sign in change: a sponsor who has no factor yet."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.browser.console import app_code
from tests.pages.sign_in_steps import age, mailed_code, sign_in_by_code

pytestmark = pytest.mark.django_db
ADDRESS, OTHER = "sponsor@example.org", "other@example.org"
AGAIN, EMAIL = "/account/reauthenticate/", "/account/email/"


@pytest.fixture
def fresh(db: None) -> Client:
    """A browser in which a sponsor, who has a second address, has just signed in."""
    client = sign_in_by_code(ADDRESS)
    EmailAddress.objects.create(user=_sponsor(), email=OTHER, verified=True, primary=False)
    return client


@pytest.fixture
def stale(fresh: Client) -> Client:
    """The same browser 16 minutes later."""
    age(fresh, minutes=16)
    return fresh


class TestAStaleSession:
    @pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_add_webauthn"])
    def test_adds_no_factor(self, stale: Client, name: str) -> None:
        for answer in (stale.get(reverse(name)), stale.post(reverse(name), {})):
            assert answer.headers["Location"].startswith(AGAIN)
        assert not Authenticator.objects.exists()

    @pytest.mark.parametrize(
        "form",
        [
            {"action_add": "", "email": "thief@example.net"},
            {"action_primary": "", "email": OTHER},
            {"action_remove": "", "email": OTHER},
        ],
    )
    def test_changes_no_address(self, stale: Client, form: dict[str, str]) -> None:
        before = _addresses()
        mail.outbox.clear()

        answer = stale.post(EMAIL, form)

        assert answer.headers["Location"].startswith(AGAIN)
        assert _addresses() == before
        assert not mail.outbox

    def test_sees_its_addresses_and_its_factors(self, stale: Client) -> None:
        assert stale.get(EMAIL).status_code == 200
        assert stale.get(reverse("mfa_index")).status_code == 200

    def test_one_that_says_nothing_of_how_it_was_signed_in_is_stale_too(
        self, fresh: Client
    ) -> None:
        client = Client()
        client.force_login(_sponsor(), backend="django.contrib.auth.backends.ModelBackend")

        answer = client.post(EMAIL, {"action_remove": "", "email": OTHER})

        assert answer.headers["Location"].startswith(AGAIN)


class TestAFreshSession:
    @pytest.mark.django_db(transaction=True)
    def test_sets_an_app_up(self, fresh: Client) -> None:
        url = reverse("mfa_activate_totp")
        secret = fresh.get(url).context["form"].secret

        answer = fresh.post(url, {"code": app_code(secret)})

        assert answer.headers["Location"] == reverse("mfa_view_recovery_codes")
        assert fresh.get(answer.headers["Location"]).status_code == 200

    def test_changes_addresses(self, fresh: Client) -> None:
        fresh.post(EMAIL, {"action_primary": "", "email": OTHER})
        fresh.post(EMAIL, {"action_remove": "", "email": ADDRESS})

        assert _addresses() == {OTHER: True}


class TestSigningInAgain:
    def test_goes_on_with_what_was_asked(self, stale: Client) -> None:
        asked = stale.post(EMAIL, {"action_primary": "", "email": OTHER})
        again = asked.headers["Location"]
        assert "Email me a code" in stale.get(again).text
        page = stale.post(again, {"action": "send", "next": EMAIL})
        sent = stale.get(page.headers["Location"]).text
        assert "We emailed a code" in sent
        assert "expires in 10 minutes" in sent
        assert mail.outbox[-1].to == [ADDRESS]

        answer = stale.post(again, {"code": mailed_code(), "next": EMAIL})

        assert answer.headers["Location"] == EMAIL
        assert _addresses() == {ADDRESS: False, OTHER: True}
        assert stale.get(reverse("mfa_activate_totp")).status_code == 200

    def test_leads_to_no_other_site(self, stale: Client) -> None:
        url = f"{AGAIN}?next=https://evil.example/"
        sent = stale.post(url, {"action": "send"})
        answer = stale.post(url, {"code": mailed_code()})

        assert not [a for a in (sent, answer) if a.headers["Location"].startswith("https:")]

    def test_a_code_is_void_after_three_wrong_ones(self, stale: Client) -> None:
        stale.post(AGAIN, {"action": "send"})
        right = mailed_code()
        for _ in range(3):
            stale.post(AGAIN, {"code": "AAAAAA"})

        stale.post(AGAIN, {"code": right})

        assert _asks_again(stale)

    def test_a_code_works_once(self, stale: Client) -> None:
        stale.post(AGAIN, {"action": "send"})
        code = mailed_code()
        stale.post(AGAIN, {"code": code})
        age(stale, minutes=16)

        stale.post(AGAIN, {"code": code})

        assert _asks_again(stale)

    def test_a_code_gets_too_old(self, stale: Client) -> None:
        stale.post(AGAIN, {"action": "send"})
        session = stale.session
        session["account_reauthentication_code"]["at"] -= 16 * 60
        session.save()

        stale.post(AGAIN, {"code": mailed_code()})

        assert _asks_again(stale)

    def test_an_empty_code_is_none(self, stale: Client) -> None:
        for form in ({"code": ""}, {}):
            stale.post(AGAIN, form)

            assert _asks_again(stale)

    def test_mails_no_more_than_signing_in_does(self, stale: Client) -> None:
        mail.outbox.clear()

        for _ in range(6):
            answer = stale.post(AGAIN, {"action": "send"}, follow=True)

        assert len(mail.outbox) <= 3
        assert "Too many" in answer.text

    def test_asks_who_is_signed_out_to_sign_in(self, db: None) -> None:
        for answer in (Client().get(AGAIN), Client().post(AGAIN, {"action": "send"})):
            assert answer.headers["Location"].startswith("/account/login/")


def _sponsor() -> User:
    return User.objects.get(email=ADDRESS)


def _addresses() -> dict[str, bool]:
    """Each address, and whether it is the primary one."""
    return dict(EmailAddress.objects.values_list("email", "primary"))


def _asks_again(client: Client) -> Any:
    return client.get(reverse("mfa_activate_totp")).headers["Location"].startswith(AGAIN)
