"""The moment of a row's last change."""

from typing import Any

from django.db import models

from imageskill.lib import clock


class UpdatedAtField(models.DateTimeField):  # type: ignore[type-arg]
    """Takes the moment from `lib.clock` at each save; `auto_now` reads a clock of Django's.

    As with `auto_now`, `save(update_fields=...)` must name the field, and `QuerySet.update` must
    set it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("default", clock.now)
        options.setdefault("editable", False)
        super().__init__(*args, **options)

    def deconstruct(self) -> tuple[Any, ...]:
        """Describe a plain field: for the database it is one, and migrations need no other."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Set the moment on the instance."""
        moment = clock.now()
        setattr(model_instance, self.attname, moment)
        return moment
