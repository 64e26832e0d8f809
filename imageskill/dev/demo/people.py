"""The people and agents of a history: staff, sign-ups, claims, tokens, and how some agents end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group

from accounts import agents, grants, sponsors, suspension
from accounts.agent_limits import AgentLimits
from accounts.claims import decisions, requests
from accounts.models import Agent, Claim, Token, User
from accounts.staff import membership
from accounts.staff.roles import ROLES
from billing import signup
from imageskill.dev.demo.runtime.context import Context, Customer

_WHO = ("painter", "editor", "builder", "curator", "sketcher", "packer", "planner", "designer")
_WHAT = ("storefront", "newsroom", "slides", "catalog", "brand", "docs", "listing", "game")
_SPONSORS = ("agent-ops", "design-ops", "marketing", "catalog-team", "brand-desk", "art-direction")
_RUNTIMES = {"claude-code": 5, "codex": 4, "cursor": 2, "openclaw": 1, "langgraph": 1, "custom": 1}
_DOMAINS = ("atelier.example", "northwind.example", "papermoon.example", "fable.example")
_FOUND_BY = {"llms.txt": 4, "skill.md": 3, "search": 2, "": 2}
_DAY_S = 86_400
_REGULARS = 6  # agents that are there from the beginning to the end, so that somebody always is
_UNCLAIMED = {"declined": 2, "reported": 1, "replaced": 1, "expired": 4}
STAFF_DOMAIN = "@staff.example"


def address(role: str, seed: int) -> str:
    """Return the address of the person in a role."""
    return f"{role.replace(' ', '-')}-{seed}{STAFF_DOMAIN}"


def hire(context: Context) -> None:
    """Make one person for each role, the operator first; none can sign in with a password."""
    operator = User.objects.create_user(address("operator", context.seed), is_staff=True)
    operator.groups.add(Group.objects.get(name="operator"))
    context.staff["operator"] = operator
    for role in ROLES:
        if role != "operator":
            user = sponsors.get_or_create_user(address(role, context.seed))
            membership.set_roles(user=user, by=operator, roles=[role], reason=f"joins as {role}")
            context.staff[role] = User.objects.get(pk=user.pk)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """An agent to be: when it signs up, until when it works, who pays."""

    at: datetime
    until: datetime
    is_claimed: bool
    pays: bool


def plan(context: Context, count: int) -> list[Draft]:
    """Choose when agents sign up, oldest first, and what they will be like."""
    random, begin, end = context.random, context.begin, context.end
    moments = sorted(random.between(begin, end - timedelta(hours=2)) for _ in range(count))
    drafts: list[Draft] = []
    for at in moments:
        is_regular = len(drafts) < _REGULARS
        is_claimed = is_regular or random.random() < 0.35
        pays = is_regular or random.random() < (0.7 if is_claimed else 0.15)
        until = end if is_regular or random.random() < 0.8 else random.between(at, end)
        drafts.append(Draft(at, until, is_claimed, pays))
    return drafts


def sign_up(context: Context, draft: Draft) -> Customer:
    """Sign an agent up; claims, new tokens and its end are planned."""
    random = context.random
    name = f"{random.choice(_WHAT)}-{random.choice(_WHO)}"
    contact = ""
    if draft.is_claimed:
        number = random.randrange(len(_SPONSORS))
        contact = f"{_SPONSORS[number]}-{context.seed}@{_DOMAINS[number % len(_DOMAINS)]}"
    elif random.random() < 0.5:
        contact = f"{name}-{random.randrange(90)}-{context.seed}@{random.choice(_DOMAINS)}"
    opened = signup.open_account(
        name=name,
        runtime=random.weighted(_RUNTIMES),
        contact=contact,
        networks=[f"198.51.{random.randrange(100, 104)}.{random.randrange(1, 255)}"],
        discovery_source=random.weighted(_FOUND_BY),
    )
    customer = Customer(
        token=opened.token,
        agent_id=opened.agent.pk,
        organization_id=opened.agent.organization_id,
        contact=contact,
        pays=draft.pays,
        until=draft.until,
    )
    context.customers.append(customer)
    if contact:
        _plan_answer(context, customer, is_claimed=draft.is_claimed)
    _plan_end(context, customer, is_claimed=draft.is_claimed)
    return customer


def _plan_answer(context: Context, customer: Customer, *, is_claimed: bool) -> None:
    random, later = context.random, context.timeline.later
    after_s = random.uniform(600, 4 * _DAY_S)
    answer = "accepted" if is_claimed else random.weighted(_UNCLAIMED)
    steps = {
        "accepted": partial(_accept, context, customer),
        "declined": partial(_decline, customer),
        "reported": partial(_report, customer),
        "replaced": partial(_ask_again, context, customer),
    }
    if answer in steps:
        later(after_s, steps[answer])


def _plan_end(context: Context, customer: Customer, *, is_claimed: bool) -> None:
    random, plan = context.random, context.timeline.plan
    rotated_at = random.between(context.timeline.now, customer.until)
    if random.random() < 0.15:
        plan(rotated_at, _rotate, customer)
    fate = random.random()
    if fate < 0.03:
        plan(customer.until, _revoke, customer)
    elif fate < 0.06 and is_claimed:
        plan(customer.until, _pause, customer)


def _open_claim(customer: Customer) -> Claim | None:
    claim = Claim.objects.filter(agent=customer.agent_id, state=Claim.State.REQUESTED).first()
    return claim if claim and not claim.agent.is_revoked else None


def _accept(context: Context, customer: Customer) -> None:
    claim = _open_claim(customer)
    if claim is None:
        return
    user = sponsors.get_or_create_user(customer.contact)
    EmailAddress.objects.filter(user=user).update(verified=True)  # the mailed code was typed in
    limits = AgentLimits(
        grants=tuple(grants.NEW_AGENT_GRANTS),
        outputs_per_request=4,
        credits_per_operation=200,
        credits_per_day=context.random.choice([None, 80, 500]),
        credits_per_month=context.random.choice([None, 5000]),
    )
    decisions.accept(claim=claim, user=user, limits=limits)
    customer.sponsor = user


def _decline(customer: Customer) -> None:
    if claim := _open_claim(customer):
        decisions.decline(claim=claim, user=None)


def _report(customer: Customer) -> None:
    if claim := _open_claim(customer):
        decisions.report(claim=claim, user=None, reason="I have never heard of it.")


def _ask_again(context: Context, customer: Customer) -> None:
    """Send a claim request to another inbox; it replaces the first and may get no answer."""
    agent = Agent.objects.get(pk=customer.agent_id)
    domain = context.random.choice(_DOMAINS)
    requests.request(agent=agent, contact=f"{agent.name}-{context.seed}@{domain}")


def _rotate(customer: Customer) -> None:
    token = Token.objects.filter(agent=customer.agent_id, revoked_at=None).first()
    if token is not None and not token.agent.is_revoked:
        customer.token = signup.rotate_token(token)


def _revoke(customer: Customer) -> None:
    agent = Agent.objects.get(pk=customer.agent_id)
    if not agent.is_revoked:
        agents.revoke(agent, user=customer.sponsor, reason="the project is over")


def _pause(customer: Customer) -> None:
    if customer.sponsor is not None:
        suspension.pause(agent=Agent.objects.get(pk=customer.agent_id), user=customer.sponsor)
