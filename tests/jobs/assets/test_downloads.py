"""Downloads are counted by image and day: only those of the image, and each once."""

from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

import pytest
import redis

from imageskill.lib import clock
from imageskill.lib.redis.client import client as redis_client
from jobs import tasks
from jobs.assets import downloads, removal, thumbnails
from jobs.models import Asset, DownloadDay
from tests.billing.shop import at_once
from tests.jobs.sample_images import upload_of

pytestmark = pytest.mark.django_db
LATE = datetime(2026, 11, 20, 23, 59, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)


def uploaded(api, agent, png):
    made = api.post("/v1/upload", token=agent.token, json=upload_of(png)).data
    return Asset.objects.get(public_id=made["asset"]["asset_id"])


@pytest.fixture
def asset(api, agent, png):
    return uploaded(api, agent, png)


@pytest.fixture
def at():
    """Let it be another moment."""
    with ExitStack() as blocks:
        yield lambda moment: blocks.enter_context(clock.at(moment))


@pytest.fixture
def write(at):
    """Have the task write what was counted up to now."""

    def written():
        at(clock.now() + timedelta(minutes=3))
        tasks.write_downloads()
        return list(DownloadDay.objects.order_by("day").values_list("day", "count"))

    return written


@pytest.fixture
def fetch(client, asset):
    def fetched(method="get", path=None, **headers):
        return getattr(client, method)(path or f"/a/{asset.public_id}.png", headers=headers)

    return fetched


class TestCounting:
    def test_a_picture_or_its_beginning_counts(self, fetch, write):
        fetch()
        assert fetch(Range="bytes=0-9").status_code == 206
        assert fetch(Range="bytes=-99999999").status_code == 206

        assert [count for _, count in write()] == [3]

    def test_nothing_else_counts(self, fetch, write, asset):
        thumbnails.process(asset.public_id)
        etag = f'"{asset.sha256}"'

        assert fetch("head").status_code == 200
        assert fetch("head", Range="bytes=0-9").status_code == 206
        assert fetch(**{"If-None-Match": etag}).status_code == 304
        assert fetch(Range="bytes=10-19").status_code == 206
        assert fetch(Range="bytes=99999999-").status_code == 416
        assert fetch(path=f"/t/{asset.public_id}.webp").status_code == 200
        assert fetch(path=f"/a/{asset.public_id}.jpg").status_code == 404
        removal.delete(asset)
        assert fetch().status_code == 410

        assert write() == []

    def test_without_redis_pictures_are_served_and_redis_is_left_alone(self, fetch, monkeypatch):
        tried = []

        def nobody():
            tried.append(1)
            return redis.Redis.from_url("redis://127.0.0.1:9")

        monkeypatch.setattr(downloads, "client", nobody)
        monkeypatch.setattr(downloads, "_paused_until", 0.0)

        assert [fetch().status_code for _ in range(3)] == [200, 200, 200]
        assert len(tried) == 1

    def test_nothing_of_the_caller_is_kept(self, fetch, write):
        fetch(**{"User-Agent": "curious-browser/1", "X-Forwarded-For": "203.0.113.77"})

        kept = [redis_client().hgetall(key) for key in redis_client().scan_iter("downloads:*")]
        assert [list(one.values()) for one in kept] == [["1"]]

        write()
        fields = {field.name for field in DownloadDay._meta.get_fields()}
        assert fields == {"id", "asset", "day", "count", "first_at", "last_at"}


class TestWriting:
    def test_adds_up_by_utc_day(self, at, fetch, write):
        at(LATE)
        fetch()
        assert write() == [(DAY, 1)]
        at(LATE + timedelta(minutes=1))
        fetch()
        fetch()

        assert write() == [(DAY, 1), (date(2026, 11, 21), 2)]

    def test_adds_later_minutes_to_the_day(self, at, fetch, write):
        at(LATE - timedelta(hours=5))
        fetch()
        write()
        at(LATE)
        fetch()
        write()

        row = DownloadDay.objects.get()
        assert row.count == 2
        assert row.first_at == datetime(2026, 11, 20, 18, 59, tzinfo=UTC)
        assert row.last_at == datetime(2026, 11, 20, 23, 59, tzinfo=UTC)

    def test_waits_until_a_minute_is_over(self, at, fetch):
        at(LATE)
        fetch()

        assert downloads.flush() == 0
        at(LATE + timedelta(minutes=2))
        assert downloads.flush() == 1
        assert redis_client().keys("downloads*") == []

    def test_done_again_after_a_kill_it_adds_nothing(self, at, fetch, write):
        at(LATE)
        fetch()
        fetch()
        before = {key: redis_client().dump(key) for key in _keys()}
        assert write() == [(DAY, 2)]

        for key, value in before.items():  # as if the worker had died before Redis forgot
            redis_client().restore(key, 0, value)

        assert write() == [(DAY, 2)]
        assert _keys() == []

    def test_goes_on_where_it_was_killed_between_two_minutes(self, at, fetch, write):
        at(LATE - timedelta(minutes=1))
        fetch()
        [(minute, score)] = redis_client().zrange("downloads", 0, -1, withscores=True)
        kept = redis_client().dump(f"downloads:{minute}")
        write()
        at(LATE)
        fetch()
        redis_client().restore(f"downloads:{minute}", 0, kept)  # beside the newer one
        redis_client().zadd("downloads", {minute: score})

        assert write() == [(DAY, 2)]

    def test_a_picture_that_is_not_there_keeps_none_from_being_counted(self, at, fetch, write):
        at(LATE)
        downloads.record(Asset(pk=10**12))
        fetch()

        assert write() == [(DAY, 1)]

    def test_stays_when_the_picture_is_deleted(self, at, fetch, asset, write):
        at(LATE)
        fetch()
        removal.delete(asset)

        assert write() == [(DAY, 1)]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_workers_count_a_download_once(self, at, fetch):
        for minutes in range(20):
            at(LATE - timedelta(minutes=minutes))
            fetch()
        at(LATE + timedelta(minutes=3))

        assert [kind for kind in at_once(*[downloads.flush] * 4) if not isinstance(kind, int)] == []

        assert DownloadDay.objects.get().count == 20


def _keys():
    return sorted(redis_client().scan_iter("downloads*"))
