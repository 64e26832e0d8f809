"""What an agent may use in a day."""

from datetime import UTC, datetime

import pytest

from accounts import grants
from accounts.grants import CapabilityDenied
from accounts.models import Agent
from billing.limits import daily_use
from billing.limits.daily_use import DailyJobLimit
from tests.billing.shop import at_once
from tests.cast import sign_up

pytestmark = pytest.mark.django_db
State = Agent.ClaimState
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday


def take(agent: Agent, credits: int = 1, at: datetime = NOON) -> None:
    daily_use.reserve(agent=agent, credits=credits, at=at)


def used(agent: Agent, at: datetime = NOON) -> int:
    return daily_use.usage(agent.pk, at).jobs


class TestJobs:
    @pytest.mark.parametrize(
        ("state", "limit"),
        [(State.UNCLAIMED, 2), (State.PAYMENT_BACKED_UNCLAIMED, 50), (State.CLAIMED, 200)],
    )
    def test_a_day_by_claim_state(self, agent, state, limit):
        agent.agent.claim_state = state

        assert daily_use.job_limit(agent.agent) == limit

    def test_past_the_limit_are_refused_until_midnight(self, agent):
        take(agent.agent)
        take(agent.agent)

        with pytest.raises(DailyJobLimit) as refused:
            take(agent.agent)

        assert refused.value.recovery["retry_after_seconds"] == 12 * 3600
        take(agent.agent, at=datetime(2026, 11, 19, tzinfo=UTC))

    def test_given_back_can_be_taken_again(self, agent):
        for _ in range(3):
            take(agent.agent, credits=9)
            daily_use.release(agent_id=agent.agent.pk, taken_at=NOON, credits=9)

        assert daily_use.usage(agent.agent.pk, NOON) == daily_use.AgentUsage(0, 0, 0, 0, 0)

    def test_go_back_to_the_day_they_were_taken_on(self, agent):
        take(agent.agent)
        take(agent.agent, at=datetime(2026, 11, 19, tzinfo=UTC))

        daily_use.release(agent_id=agent.agent.pk, taken_at=NOON, credits=1)

        assert (used(agent.agent), used(agent.agent, datetime(2026, 11, 19, tzinfo=UTC))) == (0, 1)

    def test_of_another_agent_do_not_count(self, agent, stranger):
        take(agent.agent)

        assert used(stranger.agent) == 0

    def test_none_at_all_where_the_limit_is_nothing(self, agent, settings):
        settings.DAILY_JOBS_PREVIEW = 0

        with pytest.raises(DailyJobLimit):
            take(agent.agent)


@pytest.mark.parametrize(
    ("cap", "words", "day_before"),
    [
        ("cap_credits_per_day", "a day", None),
        ("cap_credits_per_week", "a week", datetime(2026, 11, 16, tzinfo=UTC)),
        ("cap_credits_per_month", "a month", datetime(2026, 11, 2, tzinfo=UTC)),
        ("cap_credits_total", "in all", datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
class TestCaps:
    def test_count_what_falls_into_their_window(self, agent, cap, words, day_before):
        setattr(agent.agent, cap, 10)
        take(agent.agent, credits=6, at=day_before or NOON)

        with pytest.raises(CapabilityDenied, match=f"10 credits {words}"):
            take(agent.agent, credits=5)

    def test_can_be_used_up_to_the_last_credit(self, agent, cap, words, day_before):
        setattr(agent.agent, cap, 10)
        take(agent.agent, credits=6, at=day_before or NOON)

        take(agent.agent, credits=4)


def test_credits_before_the_window_do_not_count(agent):
    agent.agent.cap_credits_per_week = 10
    take(agent.agent, credits=10, at=datetime(2026, 11, 15, tzinfo=UTC))  # Sunday

    take(agent.agent, credits=10)


def test_paid_but_unclaimed_agents_are_bounded_a_day(agent, settings):
    settings.PAYMENT_BACKED_CREDITS_PER_DAY = 10
    agent.agent.claim_state = State.PAYMENT_BACKED_UNCLAIMED

    with pytest.raises(CapabilityDenied, match="10 credits a day"):
        take(agent.agent, credits=11)


def test_paid_but_unclaimed_agents_are_bounded_an_operation(agent, settings):
    settings.PAYMENT_BACKED_CREDITS_PER_OPERATION = 10
    grants.check_operation(agent.agent, credits=11, outputs=1)
    agent.agent.claim_state = State.PAYMENT_BACKED_UNCLAIMED

    with pytest.raises(CapabilityDenied, match="one operation is 10"):
        grants.check_operation(agent.agent, credits=11, outputs=1)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_the_limit_holds(self, transactional_db):
        agent = sign_up().agent

        results = at_once(*[lambda: take(agent)] * 8)

        assert sum(result is None for result in results) == 2
        assert used(agent) == 2
