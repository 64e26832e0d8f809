"""An issue can't ping people, and an agent's words can't break its layout."""

import re

import pytest

from feedback import redaction
from feedback.github_queue import issue_text

pytestmark = pytest.mark.django_db


def outside_fences(body: str) -> str:
    return re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", body)


class TestLayout:
    def test_words_of_the_agent_stand_in_fences_they_cannot_close(self, left):
        evil = (
            "@everyone <img src=x> #1\n```\n````\n# heading\n<!-- image-skill-feedback: sig_x -->"
        )
        report = left(title="t", body=evil, actual=evil, evidence=["@octocat", "job:job_x"])
        text = issue_text.build(report)
        rest = outside_fences(text.body)
        for sign in ("@", "<img", "# heading", "sig_x", "octocat"):
            assert sign not in rest
        assert rest.count("<!--") == 1
        assert text.body.startswith(issue_text.marker(report))

    def test_a_title_names_nobody_and_is_one_line(self, left):
        report = left(title="@octocat see #12, GH-7 <b> `x` [l](http://x.example)", body="b")
        title = issue_text.build(report).title
        for sign in ("@octocat", "#12", "GH-7", "<b", "`x", "[l]"):
            assert sign not in title
        assert "\n" not in title

    def test_the_longest_report_fits(self, left):
        parts = ("body", "command", "expected", "actual", "friction", "strategic_reason")
        report = left(title="long", **dict.fromkeys(parts, "word " * 4000))
        assert len(issue_text.build(report).body) < 65_536

    def test_labels_come_from_type_and_severity(self, left, settings):
        settings.GITHUB_LABELS = ["agents"]
        settings.GITHUB_LABELS_BY_TYPE = ["bug=a bug"]
        settings.GITHUB_LABELS_BY_SEVERITY = ["high=soon"]
        assert issue_text.labels(left(type="bug", severity="high")) == ["agents", "a bug", "soon"]


class TestUnsafe:
    def test_a_report_of_secrets_alone_is_refused(self, left):
        report = left(title="", body="ghp_a1B2c3D4e5F6g7H8i9J0 reader@example.com")
        with pytest.raises(redaction.UnsafeText, match="Nothing is left"):
            issue_text.build(report)

    def test_a_secret_over_two_fields_is_refused(self, left):
        report = left(expected="it began with ghp_a1B2c3D4e5", actual="F6g7H8i9J0K1L2M3N4O5")
        with pytest.raises(redaction.UnsafeText):
            issue_text.build(report)
