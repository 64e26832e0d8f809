import pytest

from accounts.models import AuditLine
from imageskill.lib.errors import InvalidArguments
from jobs import registry
from jobs.catalog import availability, switches
from jobs.models import Switch
from jobs.providers import breaker
from jobs.registry.unavailability import (
    LOCAL_DISABLED,
    MODEL_DISABLED,
    NO_CREDENTIALS,
    PROVIDER_DISABLED,
)

SKETCH = registry.get("local.sketch")
REMIX = registry.get("local.sketch-remix")
FLUX = registry.get("fal.flux-dev")


@pytest.fixture(autouse=True)
def _forgotten():
    switches.clear_cache()
    yield
    switches.clear_cache()


@pytest.fixture
def turn(db, django_capture_on_commit_callbacks):
    def turn(kind, name, *, is_on, reason="bad images since noon"):
        with django_capture_on_commit_callbacks(execute=True):
            return switches.set_enabled(kind=kind, name=name, is_on=is_on, user=None, reason=reason)

    return turn


class TestTurn:
    def test_a_model_is_off_at_once_and_on_again(self, turn):
        turn("model", "local.sketch", is_on=False)
        assert availability.current().unavailability(SKETCH) == MODEL_DISABLED
        assert availability.current().unavailability(REMIX) is None
        turn("model", "local.sketch", is_on=True)
        assert availability.current().unavailability(SKETCH) is None

    def test_a_provider_is_off_with_all_its_models(self, turn):
        turn("provider", "local", is_on=False)
        assert availability.current().unavailability(SKETCH) == PROVIDER_DISABLED
        assert availability.current().unavailability(REMIX) == PROVIDER_DISABLED

    def test_the_audit_tells_who_and_why(self, turn):
        turn("model", "local.sketch", is_on=False)
        line = AuditLine.objects.get()
        assert (line.action, line.subject) == ("model.switched_off", "local.sketch")
        assert (line.reason, line.before, line.after) == (
            "bad images since noon",
            {"is_on": True},
            {"is_on": False},
        )

    def test_one_row_stands_for_a_thing(self, turn):
        turn("model", "local.sketch", is_on=False)
        turn("model", "local.sketch", is_on=False, reason="still bad")
        assert Switch.objects.get().reason == "still bad"

    @pytest.mark.parametrize(
        ("kind", "name", "reason"),
        [
            ("model", "local", "why"),
            ("provider", "local.sketch", "why"),
            ("model", "local.sketch", "  "),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, turn, kind, name, reason):
        with pytest.raises(InvalidArguments):
            turn(kind, name, is_on=False, reason=reason)
        assert not Switch.objects.exists()

    def test_a_switch_is_remembered_for_a_while(self, db, django_assert_num_queries):
        with django_assert_num_queries(1):
            switches.disabled()
            switches.disabled()


class TestAvailability:
    def test_no_credentials_is_the_first_reason(self, db, settings):
        settings.PROVIDERS_ARE_STANDINS = False
        settings.FAL_KEY = ""
        assert availability.current().unavailability(FLUX) == NO_CREDENTIALS
        settings.FAL_KEY = "id:secret"
        assert availability.current().unavailability(FLUX) is None

    def test_the_local_renderer_follows_its_setting(self, db, settings):
        settings.LOCAL_PROVIDER = False
        assert availability.current().unavailability(SKETCH) == LOCAL_DISABLED

    def test_an_open_breaker_is_told_with_its_seconds(self, db, settings):
        for _ in range(settings.BREAKER_FAILURES):
            breaker.record_failure("local.sketch")
        unavailability = availability.current().unavailability(SKETCH)
        assert unavailability.reason == "provider_failing"
        assert 0 < unavailability.retry_after_s <= settings.BREAKER_PAUSE_S
        breaker.record_success("local.sketch")
        assert availability.current().unavailability(SKETCH) is None
