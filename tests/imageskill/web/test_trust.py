"""`/v1/trust`: what vouches for an installation."""

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from imageskill import __version__
from imageskill.lib import clock
from imageskill.web import trust
from imageskill.web.documents import client_archive
from jobs.models import ModelDay


@pytest.mark.django_db
class TestTrust:
    def test_names_the_hash_of_each_document_as_it_is_served(self, api, client):
        documents = api.get("/v1/trust").data["documents"]
        assert [one["key"] for one in documents] == [one.key for one in trust.DOCUMENTS]
        for document in documents:
            served = client.get(urlsplit(document["url"]).path).content
            assert document["sha256"] == hashlib.sha256(served).hexdigest(), document["key"]
            assert document["bytes"] == len(served)

    def test_says_what_runs_here_and_how_it_is(self, api):
        data = api.get("/v1/trust").data
        assert data["versions"] == {"api": __version__, "client": __version__}
        assert data["health"] == api.get("/healthz").data
        summary = api.get("/v1/models").data["summary"]
        assert data["models"] == {name: summary[name] for name in data["models"]}

    def test_a_models_last_day_is_evidence_for_a_month(self, api):
        today = clock.now().date()
        for model, days_ago, completed in (
            ("local.sketch", 2, 3),
            ("local.sketch", 4, 1),
            ("openai.gpt-image-2", 3, 0),
            ("fal.flux-dev", 40, 9),
        ):
            ModelDay.objects.create(
                day=today - timedelta(days=days_ago),
                model_id=model,
                provider_id="any",
                completed=completed,
                failed=1,
            )
        assert api.get("/v1/trust").data["recent_runs"] == [
            {"model": "local.sketch", "last_completed_on": str(today - timedelta(days=2))}
        ]

    def test_answers_the_command_of_the_remote_command_line(self, api):
        answer = api.post("/v1/cli", json={"argv": ["trust", "--json"]})
        assert answer.envelope["command"] == "image-skill trust"
        assert answer.data["contract_version"] == "image-skill.trust.v1"

    def test_needs_few_statements(self, api, django_assert_max_num_queries):
        api.get("/v1/trust")
        with django_assert_max_num_queries(8):
            api.get("/v1/trust")


def test_the_client_to_download_is_the_same_from_every_process():
    addresses = {"api_url": "https://api.example.org", "site_url": "https://example.org"}
    first = client_archive.build_archive(**addresses)
    client_archive.build_archive.cache_clear()
    assert client_archive.build_archive(**addresses) == first
