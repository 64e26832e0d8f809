"""What middleware adds to pages: caching, and the origin of images."""

import pytest
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


class TestMediaOrigin:
    @pytest.fixture
    def visitor(self, settings):
        settings.PUBLIC_MEDIA_URL = "https://media.example.com"
        settings.ALLOWED_HOSTS = ["media.example.com", "localhost"]
        return Client()

    @pytest.mark.parametrize("path", ["/", "/agents", "/admin/", "/v1/models", "/account/login/"])
    def test_serves_no_page(self, visitor, path):
        answer = visitor.get(path, headers={"Host": "media.example.com"})
        assert answer.status_code == 404
        assert answer["Content-Type"] == "text/plain"

    def test_serves_images_and_health(self, visitor):
        media = {"Host": "media.example.com:443"}
        assert visitor.get("/a/image_none.png", headers=media)["Content-Type"] != "text/plain"
        assert visitor.get("/healthz", headers=media).status_code in {200, 503}

    def test_the_other_origins_serve_all(self, visitor):
        assert visitor.get("/v1/models", headers={"Host": "localhost"}).status_code == 200
