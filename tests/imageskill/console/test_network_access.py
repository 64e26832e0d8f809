"""The console can be put on a host of its own and behind a list of networks."""

import pytest

pytestmark = pytest.mark.django_db


class TestDoor:
    def test_it_is_there_for_everybody_by_default(self, client):
        assert client.get("/admin/").status_code == 302

    def test_other_networks_find_nothing(self, client, settings):
        settings.ADMIN_NETWORKS = ["10.1.0.0/16"]
        assert client.get("/admin/").status_code == 404
        assert client.get("/admin/", REMOTE_ADDR="10.1.2.3").status_code == 302

    def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(self, client, settings):
        settings.ADMIN_NETWORKS = ["10.1.0.0/16"]
        forged = {"HTTP_X_FORWARDED_FOR": "10.1.2.3"}
        assert client.get("/admin/", **forged).status_code == 404
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        assert client.get("/admin/", **forged).status_code == 302

    def test_other_hosts_find_nothing(self, client, settings):
        settings.ADMIN_HOST = "console.example.com"
        settings.ALLOWED_HOSTS = ["*"]
        assert client.get("/admin/").status_code == 404
        assert client.get("/admin/", HTTP_HOST="console.example.com").status_code == 302
        assert client.get("/admin/", HTTP_HOST="Console.example.com:8443").status_code == 302
        assert client.get("/healthz", HTTP_HOST="api.example.com").status_code == 200

    def test_it_says_no_more_than_any_page_that_is_not_there(self, client, settings):
        settings.ADMIN_NETWORKS = ["10.1.0.0/16"]
        assert client.get("/admin/").content == client.get("/nothing/").content
        assert client.get("/admin/accounts/agent/").status_code == 404
