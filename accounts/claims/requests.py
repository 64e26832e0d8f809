"""Claim requests: by the agent, by staff, forwarded by a recipient, or offered by a sponsor.

Each agent has at most one open request. Its token is created when the email is sent, stored as a
hash, valid for seven days and one decision, and replaced by a newer request.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts import audit, sponsors
from accounts.claims import decisions, inboxes, mails
from accounts.models import Agent, Claim, ClaimRecipient, User
from imageskill.lib import clock, ids, row_limits
from imageskill.lib.queue import enqueue
from imageskill.lib.redis import ratelimit

LIFETIME = timedelta(days=7)
_DAY = timedelta(days=1)
_RETRY_AFTER = timedelta(minutes=5)
_TOKEN_LENGTH = 43  # 256 bits

State = Claim.State
RequestState = Agent.ClaimRequestState


@dataclass(frozen=True, slots=True)
class ClaimRequestResult:
    """The current request, if any, and whether this call created it."""

    claim: Claim | None
    is_new: bool


def request(*, agent: Agent, contact: str) -> ClaimRequestResult:
    """Send a claim request to a contact, unless one is still open.

    The result is the same if the email is withheld (unsubscribed, over its limit or on a reserved
    domain): an agent must not learn anything about a contact. Someone who declined or reported
    this agent gets no further request from it. Raises `RateLimited` after too many in a day.
    """
    address = inboxes.validate_address(contact)
    with transaction.atomic():
        locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        recipient = inboxes.lock_inbox(address)
        latest = locked.claims.filter(recipient=recipient).order_by("-id").first()
        if not _is_claimable(locked) or (latest is not None and _blocks_new_request(latest)):
            return ClaimRequestResult(claim=latest, is_new=False)
        limit = settings.CLAIM_REQUESTS_PER_DAY_PER_AGENT
        row_limits.require_room(locked.claims.all(), limit=limit, per=_DAY)
        claim = _create_claim(locked, recipient)
        _set_contact(locked, address)
    agent.contact, agent.claim_request_state = locked.contact, locked.claim_request_state
    return ClaimRequestResult(claim=claim, is_new=True)


def reissue(*, agent: Agent, user: User, reason: str, contact: str | None = None) -> Claim:
    """Send a new link as staff, optionally to a corrected contact. The old link stops working.

    The recipient's limits apply. Raises `sponsors.SponsorActionRefused` if the agent can't be
    claimed.
    """
    address = inboxes.validate_address(contact or agent.contact)
    with transaction.atomic():
        locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        if not _is_claimable(locked):
            raise sponsors.SponsorActionRefused(
                f"The agent is {locked.claim_state} and can't be claimed."
            )
        before = locked.contact
        claim = _create_claim(locked, inboxes.lock_inbox(address))
        _set_contact(locked, address)
        audit.record(
            user=user,
            action="claim.reissue",
            subject=locked.public_id,
            reason=reason,
            before={"contact": inboxes.redact(before)},
            after={"contact": inboxes.redact(address), "claim": claim.public_id},
        )
    return claim


def forward(*, claim: Claim, user: User, address: str) -> Claim:
    """Forward a request to another email, as its recipient."""
    address = inboxes.validate_address(address)
    _count_invitation(user)
    with transaction.atomic():
        agent, current = decisions.lock_claim(claim)
        decisions.refuse_if(decisions.conflict_reason(current, agent, user))
        if not _is_claimable(agent):
            raise sponsors.SponsorActionRefused("Only the sponsor of this agent can transfer it.")
        forwarded = _create_claim(agent, inboxes.lock_inbox(address), invited_by=user)
        _audit_invitation(agent, user, forwarded, action="claim.pass_on")
    return forwarded


def offer_transfer(*, agent: Agent, user: User, address: str) -> Claim:
    """Offer an agent to another sponsor. The owner changes when they accept."""
    address = inboxes.validate_address(address)
    _count_invitation(user)
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        if locked.claim_state != Agent.ClaimState.CLAIMED:
            raise sponsors.SponsorActionRefused("Only a claimed agent can be transferred.")
        offer = _create_claim(locked, inboxes.lock_inbox(address), invited_by=user)
        _audit_invitation(locked, user, offer, action="agent.hand_over")
    return offer


def withdraw_transfer(*, agent: Agent, user: User) -> None:
    """Withdraw the open transfer offer."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        _replace_open(locked)


def send(*, claim_id: int) -> bool:
    """Create the token and send the email; return False if there is nothing to send now.

    The UPDATE claims the row, so that one worker sends. A failure raises, and the request is
    retried later with a new token.
    """
    now = clock.now()
    token = ids.random_text(_TOKEN_LENGTH)
    if _mails_today() >= settings.CLAIM_MAILS_PER_DAY:
        return False
    claimed_rows = (
        _unmailed()
        .filter(pk=claim_id)
        .update(mail_tried_at=now, digest=decisions.hash_token(token), expires_at=now + LIFETIME)
    )
    if claimed_rows != 1:
        return False
    claim = Claim.objects.select_related("agent", "recipient", "invited_by").get(pk=claim_id)
    mails.send(claim, link=settings.PUBLIC_SITE_URL + reverse("claim_link", args=[token]))
    Claim.objects.filter(pk=claim_id).update(mailed_at=clock.now())
    return True


def ids_awaiting_mail() -> list[int]:
    """Return the requests whose email was not sent within a minute, oldest first."""
    late = _unmailed().filter(created_at__lt=clock.now() - timedelta(minutes=1))
    return list(late.order_by("created_at").values_list("pk", flat=True)[:100])


def expire_overdue() -> int:
    """Expire requests without a decision; return how many."""
    now = clock.now()
    with transaction.atomic():
        overdue = list(
            Claim.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state=State.REQUESTED, expires_at__lte=now)
            .order_by("pk")[:500]
        )
        Claim.objects.filter(pk__in=[claim.pk for claim in overdue]).update(
            state=State.EXPIRED, decided_at=now
        )
        Agent.objects.filter(
            pk__in=[claim.agent_id for claim in overdue],
            claim_request_state=RequestState.REQUESTED,
        ).update(claim_request_state=RequestState.EXPIRED)
    return len(overdue)


def _count_invitation(user: User) -> None:
    ratelimit.consume(
        "claim-invitations",
        str(user.pk),
        limit=settings.CLAIM_REQUESTS_PER_DAY_PER_AGENT,
        per_s=86_400,
    )


def _is_claimable(agent: Agent) -> bool:
    return not agent.is_revoked and agent.claim_state != Agent.ClaimState.CLAIMED


def _blocks_new_request(claim: Claim) -> bool:
    """Return whether an earlier request to the same recipient rules out a new one."""
    if claim.is_open:
        return claim.expires_at > clock.now()
    return claim.state in {State.DECLINED, State.REPORTED}


def _create_claim(agent: Agent, recipient: ClaimRecipient, invited_by: User | None = None) -> Claim:
    _replace_open(agent)
    claim = Claim.objects.create(
        agent=agent,
        recipient=recipient,
        invited_by=invited_by,
        withheld=inboxes.withheld_reason(recipient),
        expires_at=clock.now() + LIFETIME,
    )
    if not claim.withheld:
        enqueue("accounts.mail_claim", claim_id=claim.pk)
    return claim


def _replace_open(agent: Agent) -> None:
    agent.claims.filter(state=State.REQUESTED).update(state=State.REPLACED, decided_at=clock.now())


def _set_contact(agent: Agent, address: str) -> None:
    agent.contact, agent.claim_request_state = address, RequestState.REQUESTED
    agent.save(update_fields=["contact", "claim_request_state"])


def _audit_invitation(agent: Agent, user: User, claim: Claim, *, action: str) -> None:
    audit.record(
        user=user,
        action=action,
        subject=agent.public_id,
        after={
            "contact": inboxes.redact(claim.recipient.address),
            "claim": claim.public_id,
        },
    )


def _unmailed() -> QuerySet[Claim]:
    now = clock.now()
    return Claim.objects.filter(
        Q(mail_tried_at__isnull=True) | Q(mail_tried_at__lt=now - _RETRY_AFTER),
        state=State.REQUESTED,
        withheld=Claim.Withheld.NO,
        mailed_at__isnull=True,
    )


def _mails_today() -> int:
    return Claim.objects.filter(mailed_at__gt=clock.now() - timedelta(days=1)).count()
