"""The state of a report as it was: the same as somebody saw who looked then."""

import pytest

from feedback import history
from feedback.models import QueueItem
from imageskill.lib import clock

pytestmark = pytest.mark.django_db


class TestStates:
    def test_each_is_that_of_then(self, left, press):
        report, other = left(title="one thing"), left(title="another matter", dedupe_key="b")
        seen = [(clock.now(), "new")]
        for move, state in (("watch", "watch"), ("accept", "accepted"), ("decline", "declined")):
            report = press(move, report)
            seen.append((clock.now(), state))
        for at, state in seen:
            assert history.states_at([report, other], at=at) == {report.pk: state, other.pk: "new"}

    def test_the_queue_moves_it_on_at_its_own_moment(self, left, press, settings):
        settings.GITHUB_REPOSITORY = "image-skill/reports"
        report = press("accept", left(title="one thing"))
        press("queue", report)
        queued = clock.now()
        item = QueueItem.objects.get(report=report)
        QueueItem.objects.filter(pk=item.pk).update(state="failed", processed_at=clock.now())
        type(report).objects.filter(pk=report.pk).update(state="accepted")
        report.refresh_from_db()
        assert history.states_at([report], at=queued) == {report.pk: "queued"}
        assert history.states_at([report], at=clock.now()) == {report.pk: "accepted"}
        press("queue", report)  # which forgets when the queue was done with it the first time
        assert history.states_at([report], at=queued) == {report.pk: None}
