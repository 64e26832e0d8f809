"""Asking a person to claim an agent: by the agent, by staff, by somebody who passes it on.

One request an agent is open at a time. Its token is made when its mail is, is kept as a hash,
works seven days for one decision, and dies when a newer request takes its place.
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
from imageskill.lib import clock, ids, ratelimit
from imageskill.lib.queue import enqueue

LIFETIME = timedelta(days=7)
_RETRY_AFTER = timedelta(minutes=5)
_TOKEN_LENGTH = 43  # 256 bits

State = Claim.State
RequestState = Agent.ClaimRequestState


@dataclass(frozen=True, slots=True)
class ClaimRequestResult:
    """The outcome of asking: the request that stands, if any, and whether this call made it."""

    claim: Claim | None
    is_new: bool


def request(*, agent: Agent, contact: str) -> ClaimRequestResult:
    """Ask an inbox to claim the agent; while it may still answer it is not asked twice.

    The outcome is the same whether a mail goes out or is withheld (an inbox that was stopped or
    asked often, a reserved domain): an agent must not learn anything about an inbox. A person
    who declined or reported this agent is not asked by it again.
    """
    address = inboxes.validate_address(contact)
    with transaction.atomic():
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
        recipient = inboxes.lock_inbox(address)
        latest = locked.claims.filter(recipient=recipient).order_by("-id").first()
        if not _is_claimable(locked) or (latest is not None and _blocks_new_request(latest)):
            return ClaimRequestResult(claim=latest, is_new=False)
        claim = _create_claim(locked, recipient)
        _set_contact(locked, address)
    agent.contact, agent.claim_request_state = locked.contact, locked.claim_request_state
    return ClaimRequestResult(claim=claim, is_new=True)


def reissue(*, agent: Agent, user: User, reason: str, contact: str | None = None) -> Claim:
    """Send a fresh link, by staff, perhaps to a corrected address; the old link dies.

    The inbox's limits count as ever. Raises `sponsors.Refused` where nothing can be claimed.
    """
    address = inboxes.validate_address(contact or agent.contact)
    with transaction.atomic():
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
        if not _is_claimable(locked):
            raise sponsors.SponsorActionRefused(
                f"The agent is {locked.claim_state}: nothing to claim."
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
    """Invite another address in one's own place, by the person whom the request was made to."""
    address = inboxes.validate_address(address)
    _count_invitation(user)
    with transaction.atomic():
        agent, current = decisions.lock_claim(claim)
        decisions.refuse_if(decisions.conflict_reason(current, agent, user))
        if not _is_claimable(agent):
            raise sponsors.SponsorActionRefused(
                "Only the sponsor of this agent can offer it to somebody else."
            )
        invited = _create_claim(agent, inboxes.lock_inbox(address), invited_by=user)
        _audit_invitation(agent, user, invited, action="claim.pass_on")
    return invited


def offer_transfer(*, agent: Agent, user: User, address: str) -> Claim:
    """Offer one's agent to another sponsor; it stays with this one until they accept."""
    address = inboxes.validate_address(address)
    _count_invitation(user)
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        if locked.claim_state != Agent.ClaimState.CLAIMED:
            raise sponsors.SponsorActionRefused("Only a claimed agent can be handed over.")
        offer = _create_claim(locked, inboxes.lock_inbox(address), invited_by=user)
        _audit_invitation(locked, user, offer, action="agent.hand_over")
    return offer


def withdraw_transfer(*, agent: Agent, user: User) -> None:
    """Take back an offer to hand the agent over."""
    with transaction.atomic():
        locked = sponsors.lock_owned_agent(agent, user)
        _replace_open(locked)


def send(*, claim_id: int) -> bool:
    """Make the token and send the mail; False when there is nothing (more) to send now.

    Whoever changes the row first sends. A mail that can't be handed over raises, leaves the
    request unmailed, and is tried again with a fresh token.
    """
    now = clock.now()
    token = ids.random_text(_TOKEN_LENGTH)
    if _mails_today() >= settings.CLAIM_MAILS_PER_DAY:
        return False
    mine = (
        _unmailed()
        .filter(pk=claim_id)
        .update(mail_tried_at=now, digest=decisions.hash_token(token), expires_at=now + LIFETIME)
    )
    if mine != 1:
        return False
    claim = Claim.objects.select_related("agent", "recipient", "invited_by").get(pk=claim_id)
    mails.send(claim, link=settings.PUBLIC_SITE_URL + reverse("claim_link", args=[token]))
    Claim.objects.filter(pk=claim_id).update(mailed_at=clock.now())
    return True


def ids_awaiting_mail() -> list[int]:
    """Return the requests whose mail got lost on its way or had to wait, oldest first."""
    late = _unmailed().filter(created_at__lt=clock.now() - timedelta(minutes=1))
    return list(late.order_by("created_at").values_list("pk", flat=True)[:100])


def expire_overdue() -> int:
    """Close requests that nobody decided in time; gives how many."""
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
    """Whether an earlier request to the same inbox makes a new one pointless."""
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
