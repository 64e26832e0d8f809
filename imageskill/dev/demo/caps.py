"""The caps of a made-up history's agents: never passed, and told of when they were nearly used."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from accounts.models import Agent, Alert
from billing.models import DailyUse
from imageskill.dev.demo.diary import Diary
from imageskill.dev.demo.people import Player

_NEAR_PERCENT = 80


def fit(diary: Diary, players: Sequence[Player], used: Mapping[tuple[int, date], DailyUse]) -> None:
    """Raise caps that the story passed to what was used at most; tell sponsors of such days."""
    days: dict[int, list[DailyUse]] = defaultdict(list)
    for (agent_id, _), use in used.items():
        days[agent_id].append(use)
    for player in players:
        _fit(player.agent, days[player.agent.pk])
        _tell(diary, player, days[player.agent.pk])
    agents = [player.agent for player in players]
    Agent.objects.bulk_update(agents, ["cap_credits_per_day", "cap_credits_per_month"], 500)


def _fit(agent: Agent, days: Sequence[DailyUse]) -> None:
    months: dict[tuple[int, int], int] = defaultdict(int)
    for use in days:
        months[use.day.year, use.day.month] += use.credits
    if agent.cap_credits_per_day is not None:
        most = max((use.credits for use in days), default=0)
        agent.cap_credits_per_day = max(agent.cap_credits_per_day, most)
    if agent.cap_credits_per_month is not None:
        agent.cap_credits_per_month = max([agent.cap_credits_per_month, *months.values()])


def _tell(diary: Diary, player: Player, days: Sequence[DailyUse]) -> None:
    cap = player.agent.cap_credits_per_day
    for use in days:
        if not cap or use.credits * 100 < cap * _NEAR_PERCENT:
            continue
        about = player.agent.public_id
        is_reached = use.credits >= cap
        at = datetime.combine(use.day, time(21, 10), tzinfo=UTC) + timedelta(seconds=cap)
        diary.tell(
            player.sponsor,
            Alert.Kind.CAP_REACHED if is_reached else Alert.Kind.CAP_NEAR,
            about,
            at,
            cause=f"{about}:a day:{use.day}:{cap}",
            facts={
                "agent": player.agent.name,
                "used": use.credits,
                "cap": cap,
                "window": "a day",
                "resets": "midnight UTC",
            },
        )
