"""The people and agents of a made-up history."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group

from accounts import grants
from accounts.models import Agent, Alert, Claim, ClaimRecipient, Organization, Token, User
from accounts.roles import ROLES
from imageskill.dev.demo.diary import Diary
from imageskill.dev.demo.dice import Dice

_WHO = ("painter", "editor", "builder", "curator", "sketcher", "packer", "planner", "designer")
_WHAT = (
    "storefront",
    "newsroom",
    "slides",
    "catalog",
    "brand",
    "docs",
    "listing",
    "game",
    "recipe",
)
_SPONSORS = ("agent-ops", "design-ops", "marketing", "catalog-team", "brand-desk", "art-direction")
_RUNTIMES = {"claude-code": 5, "codex": 4, "cursor": 2, "openclaw": 1, "langgraph": 1, "custom": 1}
_DOMAINS = ("atelier.example", "northwind.example", "papermoon.example", "fable.example")
_FOUND_BY = {"llms.txt": 4, "skill.md": 3, "search": 2, "": 2}
_State = Claim.State
STAFF_DOMAIN = "@staff.example"


@dataclass(slots=True, eq=False)
class Player:
    """An agent with what the story needs of it."""

    agent: Agent
    pays: bool
    until: datetime
    sponsor: User | None = None
    is_closed: bool = False  # owes, is suspended or revoked: nothing further happens

    @property
    def org(self) -> int:
        """The organization's key."""
        return self.agent.organization_id


def address(role: str, seed: int) -> str:
    """Return the address of the person in a role."""
    return f"{role.replace(' ', '-')}-{seed}{STAFF_DOMAIN}"


def staff(seed: int) -> dict[str, User]:
    """Make one person for each role; none can sign in with a password."""
    found = {}
    for role in ROLES:
        user = User.objects.create_user(address(role, seed), is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        found[role] = user
    return found


def players(
    dice: Dice, diary: Diary, *, count: int, begin: datetime, end: datetime, seed: int
) -> list[Player]:
    """Make agents, oldest first, with organizations, tokens, claims and sponsors."""
    sponsors = [
        User(email=f"{name}-{seed}@{dice.choice(_DOMAINS)}", date_joined=begin)
        for name in (*_SPONSORS, *(f"team-lead-{number}" for number in range(count // 12)))
    ]
    for sponsor in sponsors:
        sponsor.set_unusable_password()
    User.objects.bulk_create(sponsors)
    moments = sorted(dice.between(begin, end - timedelta(hours=1)) for _ in range(count))
    made = [_player(dice, at, end, sponsors, seed) for at in moments]
    Organization.objects.bulk_create(one.agent.organization for one in made)
    Agent.objects.bulk_create(one.agent for one in made)
    _tokens(dice, diary, made)
    _claims(dice, diary, made, end)
    for one in made:
        _note_ends(diary, one)
    return made


def _player(dice: Dice, at: datetime, end: datetime, sponsors: list[User], seed: int) -> Player:
    is_claimed = dice.random() < 0.35
    pays = dice.random() < (0.7 if is_claimed else 0.15)
    sponsor = dice.choice(sponsors) if is_claimed else None
    name = f"{dice.choice(_WHAT)}-{dice.choice(_WHO)}"
    contact = f"{name}-{dice.randrange(90)}-{seed}@{dice.choice(_DOMAINS)}"
    state = Agent.ClaimState.UNCLAIMED
    if sponsor:
        state, contact = Agent.ClaimState.CLAIMED, sponsor.email
    elif pays:
        state = Agent.ClaimState.PAYMENT_BACKED_UNCLAIMED
    agent = Agent(
        public_id=dice.public_id("agent"),
        organization=Organization(
            public_id=dice.public_id("organization"), owner=sponsor, created_at=at
        ),
        name=name,
        runtime=dice.one_of(_RUNTIMES),
        contact=contact,
        claim_state=state,
        grants=list(grants.NEW_AGENT_GRANTS),
        cap_outputs_per_request=4,
        cap_credits_per_operation=200,
        cap_credits_per_day=dice.choice([None, 500, 2000]) if sponsor else None,
        cap_credits_per_month=dice.choice([None, 5000]) if sponsor else None,
        signup_network=f"198.51.{dice.randrange(100, 104)}.{dice.randrange(1, 255)}",
        discovery_source=dice.one_of(_FOUND_BY),
        created_at=at,
    )
    until = end if dice.random() < 0.8 else dice.between(at, end)
    fate = dice.random()
    if fate < 0.03 and not sponsor:
        agent.suspended_at, agent.suspension_reason = until, "reported by the person it named"
    elif fate < 0.05:
        agent.claim_state, agent.revoked_at = Agent.ClaimState.REVOKED, until
    agent.last_seen_at = until
    return Player(agent, pays, until, sponsor)


def _tokens(dice: Dice, diary: Diary, made: list[Player]) -> None:
    tokens = []
    for one in made:
        first = Token(agent=one.agent, created_at=one.agent.created_at, last_used_at=one.until)
        of_agent = [first]
        if one.agent.revoked_at:
            first.revoked_at = one.agent.revoked_at
            first.revoked_because = Token.RevokedBecause.AGENT_REVOKED
        elif dice.random() < 0.15:
            turn = dice.between(one.agent.created_at, one.until)
            first.last_used_at = first.revoked_at = turn
            first.revoked_because = Token.RevokedBecause.ROTATED
            of_agent.append(Token(agent=one.agent, created_at=turn, last_used_at=one.until))
            _tell(diary, one, Alert.Kind.TOKEN_ROTATED, turn, by="by the agent itself")
        for token in of_agent:
            token.lookup = dice.text(8)
            token.digest = hashlib.sha256(dice.text(43).encode()).digest()  # nobody has its text
        tokens += of_agent
    Token.objects.bulk_create(tokens)


def _claims(dice: Dice, diary: Diary, made: list[Player], end: datetime) -> None:
    recipients: dict[str, ClaimRecipient] = {}
    claims = []
    for one in made:
        if not one.sponsor and dice.random() < 0.5:
            continue
        agent = one.agent
        recipient = recipients.setdefault(
            agent.contact, ClaimRecipient(address=agent.contact, created_at=agent.created_at)
        )
        claim = _claim(dice, one, recipient, end)
        if claim.state != _State.REPLACED:
            agent.claim_request_state = Agent.ClaimRequestState(claim.state)
        claims.append(claim)
        _note_claim(diary, one, claim)
    ClaimRecipient.objects.bulk_create(recipients.values())
    Claim.objects.bulk_create(claims)
    Agent.objects.bulk_update([one.agent for one in made], ["claim_request_state"], 500)


def _claim(dice: Dice, one: Player, recipient: ClaimRecipient, end: datetime) -> Claim:
    asked = one.agent.created_at
    expires = asked + timedelta(days=7)
    state = _State.ACCEPTED
    if one.sponsor is None and one.agent.suspended_at:
        state = _State.REPORTED
    elif one.sponsor is None:
        state = dice.choice([_State.DECLINED, _State.REPLACED, _State.EXPIRED, _State.EXPIRED])
        state = _State.REQUESTED if expires > end else state
    decided = None if state == _State.REQUESTED else dice.after(asked, 600, 4 * 86400)
    if decided:
        decided = min(expires if state == _State.EXPIRED else decided, end)
    return Claim(
        public_id=dice.public_id("claim"),
        agent=one.agent,
        recipient=recipient,
        state=state,
        digest=hashlib.sha256(dice.text(40).encode()).digest(),
        created_at=asked,
        mail_tried_at=asked,
        mailed_at=asked + timedelta(seconds=2),
        expires_at=expires,
        decided_at=decided,
        decided_by=one.sponsor,
    )


def _note_claim(diary: Diary, one: Player, claim: Claim) -> None:
    if one.sponsor is None or claim.decided_at is None:
        return
    about, at = one.agent.public_id, claim.decided_at
    before, after = {"claim_state": "unclaimed"}, {"claim_state": "claimed"}
    diary.note(one.sponsor, "claim.accept", about, at, before=before, after=after)
    _tell(diary, one, Alert.Kind.CLAIMED, at, by=one.sponsor.email)


def _note_ends(diary: Diary, one: Player) -> None:
    agent = one.agent
    about, reason = agent.public_id, agent.suspension_reason
    if agent.suspended_at:
        diary.note(None, "agent.suspend", about, agent.suspended_at, reason=reason)
    if agent.revoked_at:
        after = {"claim_state": agent.claim_state}
        diary.note(one.sponsor, "agent.revoke", about, agent.revoked_at, after=after)


def _tell(diary: Diary, one: Player, kind: str, at: datetime, **facts: str) -> None:
    about = one.agent.public_id
    cause = f"{about}:{at:%Y-%m-%d}"
    diary.tell(one.sponsor, kind, about, at, cause=cause, facts={"agent": one.agent.name, **facts})
