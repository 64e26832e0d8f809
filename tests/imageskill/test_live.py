from django.contrib.auth.models import Group

from accounts.models import User
from tests import database


class TestLive:
    def test_web_and_worker_run_on_the_test_database(self, live):
        answer = live.get("/healthz")

        assert answer.data["checks"] == {
            "database": "ok",
            "broker": "ok",
            "storage": "ok",
            "worker": "ok",
        }


class TestDatabase:
    def test_what_migrations_made_is_back_after_a_test_that_commits(self, transactional_db):
        made = set(Group.objects.values_list("name", flat=True))
        assert made
        Group.objects.all().delete()
        User.objects.create_user("left-over@example.com")

        database.restore()

        assert set(Group.objects.values_list("name", flat=True)) == made
        assert not User.objects.exists()


class TestPage:
    def test_shows_a_page_of_the_live_server(self, live, page):
        response = page.goto(f"{live.url}/healthz")

        assert response is not None
        assert response.status == 200
