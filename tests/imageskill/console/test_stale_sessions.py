"""A staff session whose second factor is an hour old can't make itself fresh."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.urls import reverse

from tests.browser.console import app_code

pytestmark = pytest.mark.django_db
AGAIN = "/account/2fa/reauthenticate/"
CODES = "/account/2fa/recovery-codes/"
PASSWORD = "a long enough password"
OTHER = "other@example.com"
CHANGES = [
    ("mfa_deactivate_totp", {}),
    ("mfa_add_webauthn", {"name": "mine", "credential": "{}"}),
    ("mfa_view_recovery_codes", None),
    ("mfa_download_recovery_codes", None),
    ("mfa_generate_recovery_codes", {}),
    ("account_email", {"action_add": "", "email": "thief@example.net"}),
    ("account_email", {"action_primary": "", "email": OTHER}),
    ("account_email", {"action_remove": "", "email": OTHER}),
]


@pytest.fixture
def secret(operator):
    """What the operator's authenticator app keeps; recovery codes and two addresses beside."""
    secret = generate_totp_secret()
    TOTP.activate(operator, secret)
    RecoveryCodes.activate(operator)
    for address, is_primary in ((operator.email, True), (OTHER, False)):
        EmailAddress.objects.create(user=operator, email=address, verified=True, primary=is_primary)
    return secret


@pytest.fixture
def stale(signed_in, operator, secret):
    """The browser of an operator who could sign in by password too, an hour after the factor."""
    operator.set_password(PASSWORD)
    operator.save()
    return signed_in(operator, minutes_ago=60)


def _sensitive(user):
    return reverse("admin:accounts_user_action", args=[user.pk, "roles"])


class TestAStaleSession:
    @pytest.mark.parametrize("url", ["/account/password/set/", "/admin/password_change/"])
    def test_it_sets_no_password(self, signed_in, operator, secret, url):
        browser = signed_in(operator, minutes_ago=60)
        form = {"password1": PASSWORD, "password2": PASSWORD}
        assert browser.post(url, form).status_code == 404
        operator.refresh_from_db()
        assert not operator.has_usable_password()

    def test_a_password_does_not_make_it_fresh(self, stale, supporter):
        answer = stale.post("/account/reauthenticate/", {"password": PASSWORD})
        assert answer["Location"].startswith(AGAIN)
        assert stale.get(CODES)["Location"].startswith(AGAIN)
        assert stale.get(_sensitive(supporter))["Location"].startswith(AGAIN)

    def test_nor_does_a_mailed_code(self, stale):
        answer = stale.post("/account/reauthenticate/", {"action": "send"})
        assert answer["Location"].startswith(AGAIN)
        assert not mail.outbox

    def test_nor_does_a_sign_in_a_moment_ago_without_the_factor(self, signed_in, operator, secret):
        browser = signed_in(operator, second_factor=False)
        assert browser.get(CODES)["Location"].startswith(AGAIN)

    @pytest.mark.parametrize(("name", "form"), CHANGES)
    def test_it_changes_nothing_and_sees_no_recovery_code(self, stale, operator, name, form):
        before = _ways_in(operator)
        url = reverse(name)
        answer = stale.get(url) if form is None else stale.post(url, form)
        assert answer["Location"].startswith(AGAIN)
        assert _ways_in(operator) == before
        assert not mail.outbox

    @pytest.mark.parametrize("name", ["mfa_remove_webauthn", "mfa_edit_webauthn"])
    def test_it_changes_no_passkey(self, stale, operator, name):
        key = Authenticator.objects.create(user=operator, type="webauthn", data={"name": "k"})
        answer = stale.post(reverse(name, args=[key.pk]), {"name": "mine"})
        assert answer["Location"].startswith(AGAIN)
        key.refresh_from_db()
        assert key.data == {"name": "k"}

    def test_only_the_factor_makes_it_fresh(self, stale, secret, supporter):
        answer = stale.post(AGAIN, {"code": app_code(secret), "next": CODES})
        assert answer["Location"] == CODES
        assert stale.get(CODES).status_code == 200
        assert stale.get(_sensitive(supporter)).status_code == 200


class TestAFreshSession:
    def test_signing_in_counts_as_giving_the_factor(self, signed_in, operator, secret):
        browser = signed_in(operator, minutes_ago=14)
        assert browser.get(CODES).status_code == 200
        browser.post(reverse("account_email"), {"action_remove": "", "email": OTHER})
        assert not EmailAddress.objects.filter(email=OTHER).exists()


def _ways_in(user):
    factors = Authenticator.objects.filter(user=user).order_by("pk").values_list("type", "data")
    addresses = EmailAddress.objects.filter(user=user).order_by("pk")
    return list(factors), list(addresses.values_list("email", "primary"))
