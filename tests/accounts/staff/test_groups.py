"""Groups of staff follow the table of roles, in databases that were there before it changed too."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.models import User
from accounts.staff import roles
from accounts.staff.roles import PERMISSIONS, ROLES


def migrate() -> None:
    """Run `migrate` on a database that has every migration."""
    call_command("migrate", verbosity=0, interactive=False)


def given() -> dict[str, set[str]]:
    """Return each group's permissions."""
    return {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.all()
    }


@pytest.fixture
def person(db) -> User:
    return User.objects.create_user("support@example.com", is_staff=True)


@pytest.mark.django_db
class TestMigrate:
    def test_gives_each_role_its_permissions(self):
        assert given() == ROLES
        assert set(
            Permission.objects.filter(content_type__model="duty").values_list("codename", "name")
        ) == set(PERMISSIONS.items())

    def test_brings_a_new_role_and_a_new_permission(self, person, monkeypatch):
        monkeypatch.setitem(roles.PERMISSIONS, "see_forecasts", "see forecasts")
        monkeypatch.setitem(roles.ROLES, "forecaster", frozenset({"see_forecasts"}))
        monkeypatch.setitem(roles.ROLES, "support", ROLES["support"] | {"see_forecasts"})
        migrate()

        assert given() == ROLES
        person.groups.set([Group.objects.get(name="forecaster")])
        assert person.get_all_permissions() == {"accounts.see_forecasts"}

    def test_takes_a_removed_permission_from_everybody(self, person, monkeypatch):
        with monkeypatch.context() as before:
            before.setitem(roles.PERMISSIONS, "see_forecasts", "see forecasts")
            before.setitem(roles.ROLES, "support", ROLES["support"] | {"see_forecasts"})
            migrate()
        person.user_permissions.set(Permission.objects.filter(codename="see_forecasts"))
        assert person.has_perm("accounts.see_forecasts")
        migrate()

        assert given() == ROLES
        assert not Permission.objects.filter(codename="see_forecasts").exists()
        assert not User.objects.get(pk=person.pk).has_perm("accounts.see_forecasts")

    def test_takes_a_permission_from_a_role_that_lost_it(self, monkeypatch):
        monkeypatch.setitem(roles.ROLES, "triage", ROLES["triage"] - {"export"})
        migrate()

        assert "export" not in given()["triage"]
        assert "export" in given()["support"]

    def test_leaves_a_removed_role_its_members_and_no_permission(self, person, monkeypatch):
        person.groups.set([Group.objects.get(name="triage")])
        monkeypatch.delitem(roles.ROLES, "triage")
        migrate()

        assert [group.name for group in person.groups.all()] == ["triage"]
        assert person.get_all_permissions() == set()

    def test_brings_a_changed_label(self, monkeypatch):
        monkeypatch.setitem(roles.PERMISSIONS, "export", "download lists")
        migrate()

        assert Permission.objects.get(codename="export").name == "download lists"

    def test_changes_nothing_where_all_is_in_place(self, person):
        person.groups.set([Group.objects.get(name="support")])
        rows = Group.permissions.through.objects.order_by("pk").values_list()
        before = list(rows)
        migrate()

        assert list(rows) == before
        assert [group.name for group in person.groups.all()] == ["support"]
