"""Tokens: minted once, kept as a hash, compared in constant time."""

import hashlib
import hmac
from datetime import timedelta

from accounts.models import Agent, Token
from accounts.tokens import lookup as token_lookup
from imageskill.lib import clock, ids
from imageskill.lib.errors import ApiError

PREFIX = "isk_r_"
_LOOKUP_LENGTH = 8
_SECRET_LENGTH = 43  # 256 bits
_TOUCH_EVERY = timedelta(minutes=5)  # last use is for people to read; minutes are close enough


class AuthRequired(ApiError):
    """No token, or one that does not work; says not which, so that nobody can probe."""

    code = "AUTH_REQUIRED"
    status = 401
    exit_code = 3
    message = "A valid token is required: missing, unknown, rotated and revoked ones are refused."


def create(agent: Agent) -> str:
    """Make a token for the agent and give its text, the only time that it can be seen."""
    lookup = ids.random_text(_LOOKUP_LENGTH)
    text = f"{PREFIX}{lookup}{ids.random_text(_SECRET_LENGTH)}"
    Token.objects.create(agent=agent, lookup=lookup, digest=_digest(text))
    return text


def display_prefix(text: str) -> str:
    """Return the part of a token that may be shown."""
    return text[: len(PREFIX) + _LOOKUP_LENGTH]


def rotate(token: Token) -> str:
    """Replace a token, whose text the caller has just proved to hold, by a fresh one.

    Of two rotations at once one wins; the other raises `AuthRequired`.
    """
    if not _revoke(token, because=Token.RevokedBecause.ROTATED):
        raise auth_required()
    return create(token.agent)


def revoke(token: Token) -> bool:
    """End a token; False when it had ended before."""
    return _revoke(token, because=Token.RevokedBecause.REVOKED)


def revoke_all(agent: Agent, *, because: str = Token.RevokedBecause.AGENT_REVOKED) -> int:
    """End every token of the agent; gives how many there were."""
    return agent.tokens.filter(revoked_at__isnull=True).update(
        revoked_at=clock.now(), revoked_because=because
    )


def verify(text: str) -> Token:
    """Return the working token of this text with its agent and organization, in one statement.

    Raises `AuthRequired` for anything else, a revoked agent included.
    """
    token = find(text)
    if token is None or not token.is_active or token.agent.is_revoked:
        raise auth_required()
    _touch(token)
    return token


def find(text: str) -> Token | None:
    """Find the token of this text, whether it still works or not."""
    if not text.startswith(PREFIX) or not text.isascii() or "\x00" in text:
        return None
    lookup = text[len(PREFIX) : len(PREFIX) + _LOOKUP_LENGTH]
    token = token_lookup.find(lookup)
    if token is None or not hmac.compare_digest(bytes(token.digest), _digest(text)):
        return None
    return token


def auth_required() -> AuthRequired:
    """Make the refusal, with the way to a token."""
    return AuthRequired(
        recovery={
            "suggested_command": (
                "image-skill signup --agent --agent-contact CONTACT --agent-name NAME"
                " --runtime RUNTIME --save --json"
            )
        }
    )


def _digest(text: str) -> bytes:
    # 256 random bits need no slow hash: there is nothing to guess.
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
