"""The people of the tests, a fixed few, so that who may do what reads like a story."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group

from accounts.models import Agent, Organization, User
from billing import signup


@dataclass
class Signed:
    """An agent together with the token that it alone was shown."""

    agent: Agent
    token: str

    @property
    def organization(self) -> Organization:
        return self.agent.organization

    @property
    def id(self) -> str:
        return self.agent.public_id


def sign_up(name: str = "creative-agent", contact: str = "agent-ops@example.com") -> Signed:
    """Sign an agent up as the endpoint does, starter credits included."""
    opened = signup.open_account(
        name=name, runtime="tests", contact=contact, networks=["192.0.2.1"], is_bounded=False
    )
    return Signed(agent=opened.agent, token=opened.token)


@pytest.fixture
def agent(db: None) -> Signed:
    """The agent that a story is about."""
    return sign_up()


@pytest.fixture
def stranger(db: None) -> Signed:
    """Another organization's agent: must never see or touch the first one's things."""
    return sign_up(name="other-agent", contact="other-ops@example.com")


@pytest.fixture
def sponsor(agent: Signed) -> User:
    """The person who has claimed `agent`."""
    user = User.objects.create_user("sponsor@example.com")
    Organization.objects.filter(pk=agent.organization.pk).update(owner=user)
    Agent.objects.filter(pk=agent.agent.pk).update(claim_state=Agent.ClaimState.CLAIMED)
    agent.agent.refresh_from_db()
    return user


def _staff(address: str, group: str) -> User:
    user = User.objects.create_user(address, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def supporter(db: None) -> User:
    """Somebody of the support staff."""
    return _staff("support@example.com", "support")


@pytest.fixture
def lead_supporter(db: None) -> User:
    """Somebody who leads support."""
    return _staff("lead-support@example.com", "lead support")


@pytest.fixture
def financier(db: None) -> User:
    """Somebody of finance."""
    return _staff("finance@example.com", "finance")


@pytest.fixture
def second_financier(db: None) -> User:
    """Somebody else of finance: the second person."""
    return _staff("second-finance@example.com", "finance")


@pytest.fixture
def triager(db: None) -> User:
    """Somebody who triages feedback."""
    return _staff("triage@example.com", "triage")


@pytest.fixture
def auditor(db: None) -> User:
    """Somebody who only reads."""
    return _staff("auditor@example.com", "auditor")


@pytest.fixture
def operator(db: None) -> User:
    """Somebody who runs the service."""
    return _staff("operator@example.com", "operator")
