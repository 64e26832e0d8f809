"""A passkey signs in alone only if it was added for that."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.pages.passkey import Passkey
from tests.pages.sign_in_steps import CONFIRM, LOGIN, age, mailed_code, sign_in_by_code

pytestmark = pytest.mark.django_db
ADDRESS = "sponsor@example.org"
ADD, ALONE = "/account/2fa/webauthn/add/", "/account/2fa/webauthn/login/"
AGAIN = "/account/2fa/webauthn/reauthenticate/"


def _add(client: Client, passkey: Passkey, *, alone: bool) -> None:
    options = client.get(ADD).context["js_data"]["creation_options"]
    form = {"name": "phone", "credential": passkey.create(options["publicKey"]["challenge"])}
    client.post(ADD, form | ({"passwordless": "on"} if alone else {}))
    assert Authenticator.objects.filter(type="webauthn").exists()


def _sign_in_with(passkey: Passkey) -> Client:
    client = Client()
    answer = client.get(ALONE, headers={"X-Requested-With": "XMLHttpRequest"})
    challenge = answer.json()["request_options"]["publicKey"]["challenge"]
    client.post(ALONE, {"credential": passkey.sign(challenge, user=User.objects.get())})
    return client


def _is_signed_in(client: Client) -> bool:
    return client.get(reverse("my_agents")).status_code == 200


@pytest.fixture
def fresh(db: None) -> Client:
    return sign_in_by_code(ADDRESS)


class TestAPasskey:
    def test_signs_in_alone_if_it_was_added_for_that(self, fresh: Client) -> None:
        passkey = Passkey()
        _add(fresh, passkey, alone=True)

        assert _is_signed_in(_sign_in_with(passkey))

    @pytest.mark.parametrize(
        ("alone", "use"), [(True, "Signs in alone"), (False, "Second factor only")]
    )
    def test_is_listed_with_what_it_is_for_renamed_and_removed(
        self, fresh: Client, alone: bool, use: str
    ) -> None:
        _add(fresh, Passkey(), alone=alone)
        key = Authenticator.objects.get(type="webauthn")
        assert use in fresh.get(reverse("mfa_list_webauthn")).text
        assert "You have 1 passkey" in fresh.get(reverse("mfa_index")).text

        fresh.post(reverse("mfa_edit_webauthn", args=[key.pk]), {"name": "tablet"})
        url = reverse("mfa_remove_webauthn", args=[key.pk])
        assert "Remove tablet" in fresh.get(url).text
        answer = fresh.post(url, follow=True)

        assert "Passkey removed." in answer.text
        assert not Authenticator.objects.filter(type="webauthn").exists()

    def test_that_is_a_second_factor_only_does_not(self, fresh: Client) -> None:
        passkey = Passkey()
        _add(fresh, passkey, alone=False)

        client = _sign_in_with(passkey)

        assert not _is_signed_in(client)
        assert "second factor only" in client.get(LOGIN).text

    def test_that_is_a_second_factor_only_completes_a_mailed_code(self, fresh: Client) -> None:
        passkey = Passkey()
        _add(fresh, passkey, alone=False)
        client = Client()
        client.post(LOGIN, {"login": ADDRESS})
        step = client.post(CONFIRM, {"code": mailed_code()}).headers["Location"]
        assert not _is_signed_in(client)

        options = client.get(step).context["js_data"]["request_options"]
        signed = passkey.sign(options["publicKey"]["challenge"], user=User.objects.get())
        client.post(step, {"credential": signed})

        assert _is_signed_in(client)

    def test_makes_a_stale_session_fresh(self, fresh: Client) -> None:
        passkey = Passkey()
        _add(fresh, passkey, alone=False)
        age(fresh, minutes=16)
        asked = fresh.get(ADD, follow=True)
        assert "Sign in again" in asked.text
        assert "Use a passkey" in asked.text

        options = fresh.get(AGAIN).context["js_data"]["request_options"]
        signed = passkey.sign(options["publicKey"]["challenge"], user=User.objects.get())
        fresh.post(AGAIN, {"credential": signed})

        assert fresh.get(ADD).status_code == 200
