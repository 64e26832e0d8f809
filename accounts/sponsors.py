"""Sponsors: people who sign in with a mail address, and the agents that they own."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import transaction

from accounts.agents import normalize_contact
from accounts.models import Agent, User
from imageskill.lib import clock

_CONFIRMED_WITHIN = timedelta(days=1)


class SponsorActionRefused(Exception):
    """Something that a person asked for and can't have; the text says why, in plain words."""


def get_or_create_user(address: str) -> User:
    """Return the person of this address, who may be new: then with nothing but the address.

    Called when somebody asks for a sign-in code, so that known and unknown addresses are
    answered, mailed and timed alike. The address counts as theirs once the code came back.
    """
    address = normalize_contact(address)
    with transaction.atomic():
        user, _ = User.objects.get_or_create(
            email=address, defaults={"password": make_password(None)}
        )
        EmailAddress.objects.get_or_create(
            user=user, email=address, defaults={"primary": True, "verified": False}
        )
    return user


def delete_unconfirmed_users() -> int:
    """Forget whoever asked for a code and never typed it; gives how many.

    Anybody can type anybody's address: what nobody confirmed in a day is not kept.
    """
    strangers = User.objects.filter(
        is_staff=False,
        last_login=None,
        organizations=None,
        date_joined__lt=clock.now() - _CONFIRMED_WITHIN,
        password__startswith=UNUSABLE_PASSWORD_PREFIX,
    ).exclude(emailaddress__verified=True)
    keys = list(strangers.values_list("pk", flat=True)[:5000])
    User.objects.filter(pk__in=keys).delete()
    return len(keys)


def confirmed_addresses(user: User) -> list[str]:
    """Return the addresses that a person has shown to be theirs, in lower case."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    return [address.lower() for address in confirmed.values_list("email", flat=True)]


def lock_owned_agent(agent: Agent, user: User) -> Agent:
    """Lock an agent and its organization for a change by its sponsor; refuse anybody else."""
    locked = (
        Agent.objects.select_for_update(of=("self", "organization"))
        .select_related("organization")
        .get(pk=agent.pk)
    )
    if locked.organization.owner_id != user.pk:
        raise SponsorActionRefused("This agent is no longer yours.")
    return locked
