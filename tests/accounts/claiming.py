"""Steps that stories about claims share."""

import re

from allauth.account.models import EmailAddress
from django.core import mail

from accounts import agent_limits
from accounts.claims import decisions, requests
from accounts.models import Agent, Claim, User
from tests.cast import Signed


def person(address: str) -> User:
    """Somebody whose address is confirmed."""
    user = User.objects.create_user(address)
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user


def request_of(signed: Signed) -> Claim:
    """The open request of an agent."""
    return signed.agent.claims.get(state=Claim.State.REQUESTED)


def mailed(claim: Claim) -> str:
    """Send the request's mail and give the link's token."""
    assert requests.send(claim_id=claim.pk)
    return token_in(str(mail.outbox[-1].body))


def token_in(text: str) -> str:
    found = re.search(r"/claim/(\w+)", text)
    assert found, text
    return found[1]


def accept(signed: Signed, user: User) -> Agent:
    """Claim the agent under the terms that it has."""
    return decisions.accept(
        claim=request_of(signed), user=user, limits=agent_limits.for_agent(signed.agent)
    )
