"""Tokens: created once, stored as a hash, compared in constant time."""

import hashlib
import hmac
from datetime import timedelta

from django.conf import settings

from accounts.models import Agent, Token
from accounts.tokens import lookup as token_lookup
from imageskill.lib import clock, ids, row_limits
from imageskill.lib.errors import ApiError

PREFIX = "isk_r_"
_LOOKUP_LENGTH = 8
_SECRET_LENGTH = 43  # 256 bits
_HOUR = timedelta(hours=1)
_TOUCH_EVERY = timedelta(minutes=5)  # the last use is informational, so minutes are precise enough


class AuthRequired(ApiError):
    """The token is missing or invalid; the error does not reveal which."""

    code = "AUTH_REQUIRED"
    status = 401
    exit_code = 3
    message = "A valid token is required: missing, unknown, rotated and revoked ones are refused."


def create(agent: Agent) -> str:
    """Create a token for the agent; return its text, which can't be read again."""
    lookup = ids.random_text(_LOOKUP_LENGTH)
    text = f"{PREFIX}{lookup}{ids.random_text(_SECRET_LENGTH)}"
    Token.objects.create(agent=agent, lookup=lookup, digest=_digest(text))
    return text


def display_prefix(text: str) -> str:
    """Return the part of a token that is safe to show."""
    return text[: len(PREFIX) + _LOOKUP_LENGTH]


def rotate(token: Token) -> str:
    """Revoke a token that the caller has just presented and create a new one.

    In the caller's transaction. Of two concurrent rotations one succeeds; the other raises
    `AuthRequired`. Raises `RateLimited` after too many in an hour: limits count by token.
    """
    if not _revoke(token, because=Token.RevokedBecause.ROTATED):
        raise auth_required()
    mine = Token.objects.filter(agent=token.agent_id)
    row_limits.require_room(mine, limit=settings.TOKENS_PER_HOUR_PER_AGENT, per=_HOUR)
    return create(token.agent)


def revoke(token: Token) -> bool:
    """Revoke a token; return False if it was revoked already."""
    return _revoke(token, because=Token.RevokedBecause.REVOKED)


def revoke_all(agent: Agent, *, because: str = Token.RevokedBecause.AGENT_REVOKED) -> int:
    """Revoke all active tokens of the agent; return how many."""
    return agent.tokens.filter(revoked_at__isnull=True).update(
        revoked_at=clock.now(), revoked_because=because
    )


def verify(text: str) -> Token:
    """Return the active token with this text, its agent and organization, in one query.

    Raises `AuthRequired` for anything else, including a revoked agent's token.
    """
    token = find(text)
    if token is None or not token.is_active or token.agent.is_revoked:
        raise auth_required()
    _touch(token)
    return token


def find(text: str) -> Token | None:
    """Return the token with this text, active or revoked, or None."""
    if not text.startswith(PREFIX) or not text.isascii() or "\x00" in text:
        return None
    lookup = text[len(PREFIX) : len(PREFIX) + _LOOKUP_LENGTH]
    token = token_lookup.find(lookup)
    if token is None or not hmac.compare_digest(bytes(token.digest), _digest(text)):
        return None
    return token


def auth_required() -> AuthRequired:
    """Return the error, with the command that gets a token."""
    return AuthRequired(
        recovery={
            "suggested_command": (
                "image-skill signup --agent --agent-contact CONTACT --agent-name NAME"
                " --runtime RUNTIME --save --json"
            )
        }
    )


def _digest(text: str) -> bytes:
    # 256 random bits can't be guessed, so a slow hash is not needed.
    return hashlib.sha256(text.encode()).digest()


def _revoke(token: Token, *, because: str) -> bool:
    now = clock.now()
    changed = Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(
        revoked_at=now, revoked_because=because
    )
    return changed == 1


def _touch(token: Token) -> None:
    now = clock.now()
    if token.last_used_at is None or now - token.last_used_at > _TOUCH_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
        Agent.objects.filter(pk=token.agent_id).update(last_seen_at=now)
