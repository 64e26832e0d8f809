"""Each filter that a list offers goes by an index, which goes on in the order of the list."""

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import F, Model

from accounts.models import Agent

APPS = {"accounts", "billing", "jobs", "feedback"}
# Lists that stay short whatever happens, each for a reason.
SHORT = {
    "billing.CreditPack": "as many packs as somebody wrote",
}


def filtered_fields() -> list[tuple[type[Model], str, type | None]]:
    """Return each column that a list of the console is filtered by, with the filter's class."""
    found = []
    for model, page in admin.site._registry.items():
        if model._meta.app_label not in APPS or model._meta.label in SHORT:
            continue
        for offered in page.list_filter:
            if isinstance(offered, type):
                # Of more than one column: what it runs is planned in test_plans.
                assert issubclass(offered, SimpleListFilter), offered
                continue
            name, kind = offered if isinstance(offered, tuple) else (offered, None)
            found.append((model, name, kind))
    return found


def is_served(model: type[Model], name: str, kind: type | None) -> bool:
    """Return whether an index begins with the column and goes on with the key, newest first."""
    narrows_to_a_span = kind is not None and kind.__name__ in {"DayFilter", "MonthFilter"}
    for index in model._meta.indexes:
        columns = [field.removeprefix("-") for field in index.fields] or _columns(index.expressions)
        if not columns or columns[0] != name:
            continue
        if narrows_to_a_span or (len(columns) > 1 and columns[1] in {"id", "pk"}):
            return True
    return False


def _columns(expressions) -> list[str]:
    """Name the column that each expression is over."""
    names = []
    for expression in expressions:
        flat = expression.flatten()
        names.append(next((part.name for part in flat if isinstance(part, F)), ""))
    return names


class TestFilters:
    def test_each_has_its_index(self):
        missing = [
            f"{model._meta.label}.{name}"
            for model, name, kind in filtered_fields()
            if not is_served(model, name, kind)
        ]
        assert not missing, "no index begins with the filter and goes on with -id: " + ", ".join(
            missing
        )

    def test_they_are_many(self):
        assert len(filtered_fields()) > 20

    def test_no_list_is_called_short_that_is_not_there(self):
        labels = {model._meta.label for model in admin.site._registry}
        assert set(SHORT) <= labels

    def test_a_column_without_an_index_would_be_told(self):
        assert not is_served(Agent, "runtime", None)
        assert is_served(Agent, "claim_state", None)
