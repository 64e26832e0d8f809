"""Reports: each accepted call has its own id and event; repeats count on the first."""

import pytest
from django.db import DatabaseError

from accounts.models import ActivityEvent
from feedback import scoring
from feedback.models import Report

pytestmark = pytest.mark.django_db

FULL = {
    "type": "user_feedback",
    "title": "Wait times out",
    "body": "jobs wait gave up although the job was done a second later",
    "command": "image-skill jobs wait job_x",
    "expected": "the finished job",
    "actual": "TIMEOUT",
    "proof_needed": "a wait that outlasts the job",
    "surface": ["cli", "docs"],
    "evidence": ["trace:trace_x", "job:job_unknown"],
    "severity": "medium",
    "confidence": "high",
    "next_state": "watch",
}


class TestCreateFeedback:
    def test_a_full_report_is_kept_with_its_event(self, api, agent):
        answer = api.post("/v1/feedback", json=FULL, token=agent.token)
        assert answer.data["quality"] == {"score": 100, "missing": []}
        assert answer.envelope["warnings"] == []
        event = ActivityEvent.objects.get(public_id=answer.data["event_id"])
        assert event.links == {"feedback_id": answer.data["feedback_id"]}
        found = api.get(f"/v1/activity/{answer.data['feedback_id']}", token=agent.token)
        assert found.data["events"][0]["type"] == "feedback.created"

    def test_a_title_alone_is_accepted_with_guidance(self, api, agent):
        answer = api.post("/v1/feedback", json={"title": "Confusing"}, token=agent.token)
        assert answer.data["weak_signal"] is True
        assert len(answer.envelope["warnings"]) == len(answer.data["quality"]["missing"])

    def test_a_report_of_nothing_is_refused(self, api, agent):
        answer = api.post("/v1/feedback", json={"title": "  "}, token=agent.token)
        assert (answer.code, answer.exit_code) == ("INVALID_ARGUMENTS", 2)
        assert not Report.objects.exists()

    def test_control_characters_do_not_reach_the_row(self, api, agent):
        report = {"title": "unit\u001fsep", "body": "\u001b[31mred\u001b[0m\ttab\nline"}
        api.post("/v1/feedback", json=report, token=agent.token)
        row = Report.objects.get()
        assert (row.title, row.body) == ("unitsep", "[31mred[0m\ttab\nline")

    def test_keys_are_struck_out_before_they_are_stored(self, api, agent):
        body = f"my token {agent.token} was refused"
        answer = api.post("/v1/feedback", json={"body": body}, token=agent.token)
        assert "Rotate any token" in answer.envelope["warnings"][0]
        assert agent.token not in Report.objects.get().body

    def test_the_same_key_again_is_a_duplicate_with_an_id_of_its_own(self, api, agent):
        first, second = (
            api.post("/v1/feedback", json=FULL | {"dedupe_key": "k"}, token=agent.token).data
            for _ in range(2)
        )
        assert second["duplicate_of"] == first["feedback_id"] != second["feedback_id"]
        assert Report.objects.get(public_id=first["feedback_id"]).repeats == 1
        assert ActivityEvent.objects.filter(type="feedback.created").count() == 2

    def test_nearly_the_same_words_are_a_duplicate(self, api, agent):
        first = api.post("/v1/feedback", json=FULL, token=agent.token).data
        again = FULL | {"title": "Wait times out!", "body": FULL["body"] + " again"}
        second = api.post("/v1/feedback", json=again, token=agent.token).data
        assert second["duplicate_of"] == first["feedback_id"]

    def test_other_words_or_another_surface_are_not(self, api, agent):
        api.post("/v1/feedback", json=FULL, token=agent.token)
        for other in (
            {"title": "Gallery is slow", "body": "it takes ten seconds"},
            {"surface": []},
        ):
            answer = api.post("/v1/feedback", json=FULL | other, token=agent.token)
            assert answer.data["duplicate_of"] is None

    def test_nobody_learns_of_anothers_report(self, api, agent, stranger):
        api.post("/v1/feedback", json=FULL | {"dedupe_key": "k"}, token=agent.token)
        answer = api.post("/v1/feedback", json=FULL | {"dedupe_key": "k"}, token=stranger.token)
        assert answer.data["duplicate_of"] is None

    def test_a_report_that_cannot_be_stored_leaves_nothing(self, api, agent, monkeypatch):
        def broken(*_):
            raise DatabaseError

        monkeypatch.setattr("accounts.activity.record", broken)
        answer = api.post("/v1/feedback", json=FULL, token=agent.token)
        assert (answer.status, answer.code) == (503, "FEEDBACK_STORAGE_UNAVAILABLE")
        assert (answer.exit_code, answer.error["retryable"]) == (9, True)
        assert not Report.objects.exists()


class TestQuality:
    def test_the_parts_add_up_to_a_hundred(self):
        assert scoring.score(FULL).score == 100
        assert scoring.score({}).score == 0


class TestSecretsAtTheDoor:
    def test_keys_that_compare_reports_hold_none(self, api, agent):
        secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0K1L2"
        slug = "glpat-" + "a1b2c3d4e5f6g7h8i9j0"
        fields = {
            "title": "crash",
            "dedupe_key": f"crash {secret}",
            "source": secret,
            "trace_id": secret,
            "type": slug,
            "next_state": slug,
            "surface": ["edit", slug],
        }
        api.post("/v1/feedback", json=fields, token=agent.token)
        stored = Report.objects.get()
        assert (stored.dedupe_key, stored.source, stored.trace_id) == ("", "", "")
        assert (stored.type, stored.next_state) == ("user_feedback", "watch")
        assert stored.surface == ["edit"]

    def test_keys_without_any_stay(self, api, agent):
        fields = {
            "title": "crash",
            "dedupe_key": "crash of edit",
            "source": "nightly run",
            "trace_id": "trace_" + "0123456789abcdef" * 2,
            "type": "bug",
            "next_state": "fix",
            "surface": ["edit", "images"],
        }
        api.post("/v1/feedback", json=fields, token=agent.token)
        stored = Report.objects.get()
        assert {name: getattr(stored, name) for name in fields} == fields

    def test_a_secret_in_two_lines_is_not_stored(self, api, agent):
        body = "the key is sk_" + "live_a1B2c3D4\ne5F6g7H8i9J0 and it fails"
        api.post("/v1/feedback", json={"body": body}, token=agent.token)
        assert "a1B2c3D4" not in Report.objects.get().body
        assert "e5F6g7H8" not in Report.objects.get().body
