"""How fields look in lists and on pages: by their type, not by a method of each admin class."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, ClassVar

from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import FieldDoesNotExist
from django.db.models import (
    AutoField,
    BooleanField,
    DateTimeField,
    ForeignKey,
    IntegerField,
    Model,
    URLField,
)
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from imageskill.lib.admin import formatting

_CENTS = "_cents"
_ID_FIELD = "public_id"


class DisplayMixin:
    """Shows the fields that `list_display`, `fields` and `fieldsets` name, by their type.

    A moment is in the viewer's zone, a foreign key a link, `…_cents` an amount in the row's
    currency, a number has its thousands apart, an id a button that copies it. A path such as
    `quote__pack_name` may be named as well. The name of a method of the class stays that.
    """

    copyable_fields: ClassVar[Sequence[str]] = ()  # ids, beside `public_id`
    badges: ClassVar[Mapping[str, Mapping[str, str]]] = {}  # field → its values → unfold's colors
    labels: ClassVar[Mapping[str, str]] = {}  # field → what to call it instead of its name
    model: type[Model]
    admin_site: Any

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Show the columns by type; the first one is a link already, so it holds no other."""
        first, *others = super().get_list_display(request)  # type: ignore[misc]
        is_link = first in {field.name for field in self.model._meta.fields if field.is_relation}
        return [*([first] if is_link else self.by_type([first])), *self.by_type(others)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the fields of the page by type, and badges by their words: lists alone draw them."""
        return [
            (
                title,
                {**options, "fields": list(map(self._on_page, self.by_type(options["fields"])))},
            )
            for title, options in super().get_fieldsets(request, obj)  # type: ignore[misc]
        ]

    def by_type(self, names: Sequence[Any]) -> list[Any]:
        """Return the names with those of fields replaced by what shows them by their type."""
        return [self._displayed(name) for name in names]

    def _on_page(self, name: Any) -> Any:
        badge = getattr(self, name, None) if isinstance(name, str) else None
        if not getattr(badge, "label", None):
            return name
        attribute = f"{name}_words"
        if not hasattr(self, attribute):
            setattr(self, attribute, _show_words(badge))
        return attribute

    def _displayed(self, name: Any) -> Any:
        if not isinstance(name, str) or hasattr(self, name):
            return name
        try:
            field = get_fields_from_path(self.model, name)[-1]
        except FieldDoesNotExist:
            return name
        # A column's class ends with it: the style sheet aligns numbers to the right.
        attribute = f"{name}_{'numeric' if _is_number(field) else 'displayed'}"
        if hasattr(self, attribute):
            return attribute
        show = self._display_of(name, field)
        if show is None:
            return name
        setattr(self, attribute, show)
        return attribute

    def _display_of(self, name: str, field: Any) -> Callable[[Model], Any] | None:
        colors = self.badges.get(name)
        show = _show_badge if colors else self._type_display(name, field)
        if show is None and name not in self.labels and LOOKUP_SEP not in name:
            return None

        @display(
            description=self.labels.get(name) or _label(field),
            label=colors,
            boolean=isinstance(field, BooleanField) or None,
        )
        def by_type(row: Model) -> Any:
            *path, last = name.split(LOOKUP_SEP)
            owner = reduce(lambda thing, part: thing and getattr(thing, part), path, row)
            return (show or _show_plain)(owner, last) if owner else "–"

        return by_type

    def _type_display(self, name: str, field: Any) -> Callable[[Model, str], Any] | None:
        if name in self.copyable_fields or field.name == _ID_FIELD:
            return _show_copyable
        if field.name.endswith(_CENTS):
            return _show_amount
        if isinstance(field, ForeignKey):
            return self._show_link
        if field.choices or isinstance(field, AutoField):
            return None
        return next((show for kind, show in _BY_TYPE.items() if isinstance(field, kind)), None)

    def _show_link(self, thing: Model, name: str) -> SafeString | str:
        target = getattr(thing, name)
        if target is None or self.admin_site.is_registered(type(target)):
            return formatting.object_link(target)
        return str(target)


def _label(field: Any) -> str:
    """Return what the model calls the field, without the unit or preposition in its name."""
    if field.name == _ID_FIELD:
        return f"{field.model._meta.verbose_name} id"
    return str(field.verbose_name).removesuffix(" cents").removesuffix(" at")


def _is_number(field: Any) -> bool:
    return (
        isinstance(field, IntegerField) and not field.choices and not isinstance(field, AutoField)
    )


def _show_amount(thing: Model, name: str) -> str:
    own = f"{name.removesuffix(_CENTS)}_currency"
    currency = getattr(thing, own, "") or getattr(thing, "currency", "") or "USD"
    return formatting.display_amount(getattr(thing, name), currency)


def _show_badge(thing: Model, name: str) -> tuple[str, str]:
    return getattr(thing, name), _show_plain(thing, name)


def _show_words(badge: Any) -> Callable[[Model], Any]:
    """Return what shows the words of a badge, which is a value and its words."""

    @display(description=badge.short_description)
    def words(row: Model) -> Any:
        shown = badge(row)
        return shown[1] if isinstance(shown, tuple) else shown

    return words


def _show_copyable(thing: Model, name: str) -> SafeString | str:
    value = getattr(thing, name)
    if isinstance(value, list):
        return formatting.copyable_list(value)
    return formatting.copyable(str(value or ""))


def _show_datetime(thing: Model, name: str) -> SafeString | str:
    return formatting.display_datetime(getattr(thing, name))


def _show_number(thing: Model, name: str) -> str:
    number = getattr(thing, name)
    return "–" if number is None else f"{number:,}"


def _show_plain(thing: Model, name: str) -> Any:
    words = getattr(thing, f"get_{name}_display", None)
    value = words() if words else getattr(thing, name)
    return "–" if value in (None, "") else value


def _show_url(thing: Model, name: str) -> SafeString | str:
    url = getattr(thing, name)
    return format_html('<a href="{}" rel="noopener">{}</a>', url, url) if url else "–"


_BY_TYPE: dict[type, Callable[[Model, str], Any]] = {
    DateTimeField: _show_datetime,
    IntegerField: _show_number,
    URLField: _show_url,
}
