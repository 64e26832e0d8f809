"""Sponsors: people who sign in with an email, and the agents that they own."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import transaction

from accounts import contacts
from accounts.models import Agent, User
from imageskill.lib import clock

_CONFIRMED_WITHIN = timedelta(days=1)


class SponsorActionRefused(Exception):
    """The action is not possible; the message tells the sponsor why."""


def get_or_create_user(address: str) -> User:
    """Return the user with this email, creating them if needed.

    Called for every requested sign-in code, so that known and unknown emails get the same
    answer, email and timing. The email is verified once the code was entered.
    """
    address = contacts.normalize(address)
    with transaction.atomic():
        user, _ = User.objects.get_or_create(
            email=address, defaults={"password": make_password(None)}
        )
        EmailAddress.objects.get_or_create(
            user=user, email=address, defaults={"primary": True, "verified": False}
        )
    return user


def delete_unconfirmed_users() -> int:
    """Delete users who requested a code and never entered it; return how many.

    Anyone can request a code for any email, so unverified ones are kept for a day only.
    """
    unconfirmed = User.objects.filter(
        is_staff=False,
        last_login=None,
        organizations=None,
        date_joined__lt=clock.now() - _CONFIRMED_WITHIN,
        password__startswith=UNUSABLE_PASSWORD_PREFIX,
    ).exclude(emailaddress__verified=True)
    keys = list(unconfirmed.values_list("pk", flat=True)[:5000])
    User.objects.filter(pk__in=keys).delete()
    return len(keys)


def confirmed_addresses(user: User) -> list[str]:
    """Return the verified emails of a user, in lower case."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    return [address.lower() for address in confirmed.values_list("email", flat=True)]


def lock_owned_agent(agent: Agent, user: User) -> Agent:
    """Lock an agent and its organization for a change by its sponsor; refuse anyone else.

    Not their keys, as `claims.decisions.lock_claim` says.
    """
    locked = (
        Agent.objects.select_for_update(of=("self", "organization"), no_key=True)
        .select_related("organization")
        .get(pk=agent.pk)
    )
    if locked.organization.owner_id != user.pk:
        raise SponsorActionRefused("This agent is no longer yours.")
    return locked
