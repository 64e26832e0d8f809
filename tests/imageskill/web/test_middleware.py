"""What middleware adds to pages: caching, and the origin of images."""

import pytest
from django.core import mail
from django.test import Client

from tests.accounts.claiming import person

pytestmark = pytest.mark.django_db


class TestPersonalPages:
    @pytest.mark.parametrize("path", ["/agents", "/account"])
    def test_are_kept_by_no_cache(self, path):
        browser = Client()
        browser.force_login(person("sponsor@example.com"))

        answer = browser.get(path)

        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]

    def test_public_ones_may_be_kept(self):
        assert "no-store" not in Client().get("/skill.md").get("Cache-Control", "")


class TestHost:
    @pytest.mark.parametrize(
        "path",
        ["/", "/skill.md", "/v1/openapi.json", "/v1/payment-methods", "/account/login/", "/admin/"],
    )
    def test_of_another_port_is_in_no_page_or_redirect(self, path):
        answer = Client().get(path, headers={"Host": "localhost:41234"})
        assert answer.status_code in {200, 302}
        assert b"41234" not in answer.content
        assert "41234" not in str(answer.headers)

    def test_of_another_port_is_in_no_mail(self):
        browser = Client(headers={"Host": "localhost:41234"})
        browser.post("/account/login/", {"login": "somebody@example.com"})
        [message] = mail.outbox
        assert "41234" not in str(message.message())

    @pytest.mark.parametrize(
        "host", ["localhost:", "localhost:abc", "localhost:80:80", "evil.test"]
    )
    def test_that_is_none_of_ours_is_refused(self, host):
        assert Client().get("/account/login/", headers={"Host": host}).status_code == 400


class TestMediaOrigin:
    @pytest.fixture
    def visitor(self, settings):
        settings.PUBLIC_MEDIA_URL = "https://media.example.com"
        settings.ALLOWED_HOSTS = ["media.example.com", "localhost"]
        return Client()

    @pytest.mark.parametrize("path", ["/", "/agents", "/admin/", "/v1/models", "/account/login/"])
    def test_serves_no_page(self, visitor, path):
        for host in ("media.example.com", "Media.example.com.", "media.example.com.:443"):
            answer = visitor.get(path, headers={"Host": host})
            assert answer.status_code == 404
            assert answer["Content-Type"] == "text/plain"

    def test_serves_images_and_health(self, visitor):
        media = {"Host": "media.example.com:443"}
        assert visitor.get("/a/image_none.png", headers=media)["Content-Type"] != "text/plain"
        assert visitor.get("/healthz", headers=media).status_code in {200, 503}

    def test_the_other_origins_serve_all(self, visitor):
        assert visitor.get("/v1/models", headers={"Host": "localhost"}).status_code == 200
