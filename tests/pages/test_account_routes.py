"""What is mounted below /account/, and that no password can be set there."""

import re
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from tests.pages.sign_in_steps import mailed_code, sign_in_by_code

pytestmark = pytest.mark.django_db
ROUTES = {
    "account/2fa/": "mfa_index",
    "account/2fa/authenticate/": "mfa_authenticate",
    "account/2fa/reauthenticate/": "mfa_reauthenticate",
    "account/2fa/recovery-codes/": "mfa_view_recovery_codes",
    "account/2fa/recovery-codes/download/": "mfa_download_recovery_codes",
    "account/2fa/recovery-codes/generate/": "mfa_generate_recovery_codes",
    "account/2fa/totp/activate/": "mfa_activate_totp",
    "account/2fa/totp/deactivate/": "mfa_deactivate_totp",
    "account/2fa/webauthn/": "mfa_list_webauthn",
    "account/2fa/webauthn/add/": "mfa_add_webauthn",
    "account/2fa/webauthn/keys/<int:pk>/edit/": "mfa_edit_webauthn",
    "account/2fa/webauthn/keys/<int:pk>/remove/": "mfa_remove_webauthn",
    "account/2fa/webauthn/login/": "mfa_login_webauthn",
    "account/2fa/webauthn/reauthenticate/": "mfa_reauthenticate_webauthn",
    "account/confirm-email/": "account_email_verification_sent",
    "account/email/": "account_email",
    "account/inactive/": "account_inactive",
    "account/login/": "account_login",
    "account/login/code/": "account_request_login_code",
    "account/login/code/confirm/": "account_confirm_login_code",
    "account/login/password/": "password_login",
    "account/logout/": "account_logout",
    "account/reauthenticate/": "account_reauthenticate",
}
PASSWORD = "a long enough password"


def _mounted(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str | None]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern.name
        else:
            yield from _mounted(pattern, route)


class TestRoutes:
    def test_are_those_that_are_used(self) -> None:
        found = {
            route: name for route, name in _mounted(get_resolver()) if route.startswith("account/")
        }

        assert found == ROUTES

    @pytest.mark.parametrize(
        "path",
        [
            "password/set/",
            "password/change/",
            "password/reset/",
            "password/reset/done/",
            "password/reset/key/1-set-password/",
            "signup/",
        ],
    )
    def test_passwords_and_sign_up_are_not_there(self, path: str) -> None:
        client = sign_in_by_code("sponsor@example.org")
        form = {"password1": PASSWORD, "password2": PASSWORD, "email": "sponsor@example.org"}

        assert client.get(f"/account/{path}").status_code == 404
        assert client.post(f"/account/{path}", form).status_code == 404
        assert Client().post(f"/account/{path}", form).status_code == 404
        assert not User.objects.get().has_usable_password()

    def test_asking_for_a_code_is_done_on_the_sign_in_page(self) -> None:
        for url in ("/account/login/code/?next=/account", "/account/login/code/confirm/"):
            answer = Client().get(url, follow=True)

            assert answer.status_code == 200
            assert answer.redirect_chain[-1][0].startswith("/account/login/")


class TestTheEmailsPage:
    def test_offers_for_each_address_what_can_be_done_with_it(self) -> None:
        client = sign_in_by_code("sponsor@example.org")
        user = User.objects.get()
        EmailAddress.objects.create(user=user, email="verified@example.org", verified=True)
        EmailAddress.objects.create(user=user, email="new@example.org")

        text = client.get("/account/email/").text

        assert set(re.findall(r'aria-label="(.*?@example.org.*?)"', text)) == {
            "Make verified@example.org primary",
            "Remove verified@example.org",
            "Send a code to new@example.org",
            "Remove new@example.org",
        }

    def test_its_buttons_do_so(self) -> None:
        client = sign_in_by_code("sponsor@example.org")
        addresses = EmailAddress.objects
        addresses.create(user=User.objects.get(), email="other@example.org", verified=True)

        client.post("/account/email/", {"action_primary": "", "email": "other@example.org"})
        client.post("/account/email/", {"action_remove": "", "email": "sponsor@example.org"})

        assert [(a.email, a.primary) for a in addresses.all()] == [("other@example.org", True)]


class TestAddingAnAddress:
    def test_that_is_free(self) -> None:
        client = sign_in_by_code("sponsor@example.org")

        asked = client.post("/account/email/", {"action_add": "", "email": "new@example.org"})
        client.post(asked.headers["Location"], {"code": mailed_code()})

        assert EmailAddress.objects.get(email="new@example.org").verified

    def test_of_somebody_else_looks_the_same_and_does_not_move_it(self) -> None:
        sign_in_by_code("other@example.org")
        client = sign_in_by_code("sponsor@example.org")
        pages = [
            client.post("/account/email/", {"action_add": "", "email": address})
            for address in ("new@example.org", "other@example.org")
        ]
        client.post(pages[1].headers["Location"], {"code": mailed_code()})

        assert pages[0].headers["Location"] == pages[1].headers["Location"]
        owner = EmailAddress.objects.get(email="other@example.org", verified=True).user
        assert owner.email == "other@example.org"
