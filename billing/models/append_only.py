"""Rows that are written once. PostgreSQL refuses too, by triggers; here it fails earlier."""

from typing import Any, NoReturn

from django.db import models


class RowIsFinal(TypeError):
    """A row of an append-only table was to be changed; a correction is a further row."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """A QuerySet that reads and adds."""

    def update(self, **_: object) -> NoReturn:
        """Refuse."""
        raise RowIsFinal(f"{self.model.__name__} rows are never updated.")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise RowIsFinal(f"{self.model.__name__} rows are never deleted.")


class AppendOnly(models.Model):
    """A row that can be added and read, and nothing else."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; refuse to change it."""
        if not self._state.adding:
            raise RowIsFinal(f"{type(self).__name__} rows are never updated.")
        super().save(*args, **kwargs)

    def delete(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise RowIsFinal(f"{type(self).__name__} rows are never deleted.")
