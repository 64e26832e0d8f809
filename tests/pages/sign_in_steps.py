"""Steps that stories about signing in share."""

import re

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.core import mail
from django.test import Client

LOGIN = "/account/login/"
CONFIRM = "/account/login/code/confirm/"


def mailed_code() -> str:
    """The code in the newest mail."""
    found = re.search(r"^ {4}(\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def sign_in_by_code(address: str) -> Client:
    """A browser in which somebody without a factor has just signed in."""
    client = Client()
    client.post(LOGIN, {"login": address})
    client.post(CONFIRM, {"code": mailed_code()})
    return client


def age(client: Client, *, minutes: int) -> None:
    """Set back everything that this browser's session was signed in with."""
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= minutes * 60
    session.save()
