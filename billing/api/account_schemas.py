"""What opening an account takes and answers."""

from typing import Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import Field, field_validator, model_validator

from accounts import agents, contacts
from accounts.api.schemas import ActorOut, AgentOut, OrganizationOut
from billing.quota import LimitsOut
from imageskill.lib.schemas import Body, Data


class SignupIn(Body):
    """A new agent."""

    agent_name: str = Field(description="1 to 80 characters, one line, no URL")
    runtime: str = Field(description="What the agent runs in: 1 to 80 characters, one line")
    agent_contact: str | None = Field(None, max_length=254)
    human_email: str | None = Field(None, max_length=254, description="Alias of agent_contact")
    return_token: bool = Field(True, description="Whether to answer with the token, once")
    discovery_source: str | None = Field(None, max_length=200)

    @field_validator("agent_name", "runtime")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        if not agents.is_plain_name(value):
            raise ValueError("must have 1 to 80 characters on one line, and no URL")
        return value

    @field_validator("agent_contact", "human_email")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        contact = contacts.normalize(value)
        try:
            validate_email(contact)
        except ValidationError:
            raise ValueError("must be an email address") from None
        return contact

    @field_validator("discovery_source")
    @classmethod
    def _is_one_line(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError("must be one line without control characters")
        return value

    @model_validator(mode="after")
    def _names_one_contact(self) -> "SignupIn":
        if self.agent_contact and self.human_email and self.agent_contact != self.human_email:
            raise ValueError("agent_contact and human_email differ; send one of them")
        return self

    @property
    def contact(self) -> str:
        """The address under either name; empty if there is none."""
        return self.agent_contact or self.human_email or ""


class StorageOut(Data):
    """Where the token is kept: by the caller alone."""

    saved: Literal[False]
    token_prefix: str | None
    reason: str


class SignupOut(Data):
    """A new account, or the caller's with a fresh token."""

    token: str | None
    token_presented: bool
    storage: StorageOut
    actor: ActorOut
    agent: AgentOut
    organization: OrganizationOut
    claim_state: str
    grants: list[str]
    limits: LimitsOut
