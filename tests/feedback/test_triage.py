"""Triage: who may move what where, why, and what the audit keeps."""

import itertools

import pytest

from accounts.models import AuditLine
from feedback import triage
from feedback.models import QueueItem, Report
from feedback.states import TRANSITIONS, ReportState
from feedback.transitions import ReportTransitionRefused

pytestmark = pytest.mark.django_db


class TestMoves:
    @pytest.mark.parametrize(("name", "state"), list(itertools.product(TRANSITIONS, ReportState)))
    def test_each_state_takes_the_moves_of_the_table_and_no_other(
        self, left, press, settings, name, state
    ):
        settings.GITHUB_REPOSITORY = "owner/name"
        other = left(title="quite another matter", body="different")
        report = left()
        first = other if state == "duplicate" else None
        Report.objects.filter(pk=report.pk).update(state=state, duplicate_of=first)
        if state in TRANSITIONS[name].sources:
            assert press(name, report, target=other.public_id).state == TRANSITIONS[name].to
        else:
            with pytest.raises(ReportTransitionRefused):
                press(name, report, target=other.public_id)
            assert Report.objects.get(pk=report.pk).state == state

    @pytest.mark.parametrize("name", ["watch", "decline", "duplicate"])
    def test_these_need_a_reason(self, left, press, name):
        other = left(title="quite another matter", body="different")
        with pytest.raises(ReportTransitionRefused, match="reason"):
            press(name, left(), reason="  ", target=other.public_id)

    def test_each_leaves_an_audit_line(self, left, press, triager):
        report = press("decline", left(), reason="out of scope")
        line = AuditLine.objects.get(subject=report.public_id)
        assert (line.user, line.action, line.reason) == (
            triager,
            "feedback.decline",
            "out of scope",
        )
        assert (line.before, line.after) == ({"state": "new"}, {"state": "declined"})


class TestDuplicates:
    def test_a_merged_one_adds_to_the_other_and_its_own_repeats_stay_with_it(
        self, left, press, stranger
    ):
        first = left()
        other = left(by=stranger)
        repeat = left(by=stranger)
        press("duplicate", other, target=first.public_id)
        first.refresh_from_db()
        repeat.refresh_from_db()
        assert (first.repeats, repeat.duplicate_of) == (2, other)

    def test_a_later_repeat_counts_on_both_and_names_only_its_own(self, left, press, stranger):
        first, other = left(), left(by=stranger)
        press("duplicate", other, target=first.public_id)
        late = left(by=stranger)
        first.refresh_from_db()
        assert (late.duplicate_of, first.repeats) == (other, 2)

    def test_nothing_is_a_duplicate_of_itself_or_its_repeat(self, left, press):
        report = left()
        repeat = left()
        for target in (report, repeat):
            with pytest.raises(ReportTransitionRefused, match="itself"):
                press("duplicate", report, target=target.public_id)

    def test_merging_along_a_chain_ends_at_its_root(self, left, press, stranger):
        titles = ("alpha is slow", "bravo misses", "charlie hangs")
        one, two, three = (left(title=title, body=title * 3) for title in titles)
        press("duplicate", two, target=one.public_id)
        press("duplicate", three, target=two.public_id)
        three.refresh_from_db()
        assert three.duplicate_of == one

    def test_separating_takes_the_count_back(self, left, press):
        first, repeat = left(), left()
        press("separate", repeat)
        first.refresh_from_db()
        assert (first.repeats, Report.objects.get(pk=repeat.pk).state) == (0, "new")

    def test_likely_ones_are_those_of_the_same_key_or_alike(self, left, stranger):
        report = left(dedupe_key="k")
        same_key = left(by=stranger, title="nothing in common", dedupe_key="k")
        like = left(by=stranger, title="Waiting times out")
        left(by=stranger, title="Gallery is slow", body="b")
        left(by=stranger, title="Wait times out", surface=["docs"])
        assert triage.find_similar(report) == [same_key, like]


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "fields", "is_queued"),
        [
            ("*:high", {"severity": "critical"}, True),
            ("*:high", {"severity": "medium"}, False),
            ("bug:low", {"type": "bug"}, True),
            ("bug:low", {"type": "idea"}, False),
        ],
    )
    def test_what_staff_accept_is_queued_where_a_rule_says_so(
        self, left, press, settings, rule, fields, is_queued
    ):
        settings.GITHUB_REPOSITORY = "owner/name"
        settings.GITHUB_AUTO_QUEUE = [rule]
        full = {"command": "c", "expected": "e", "actual": "a"}
        report = press("accept", left(**full, **fields))
        assert (report.state == "queued") is is_queued
        assert QueueItem.objects.exists() is is_queued
