"""What the checks of the books found, each time they ran."""

from typing import ClassVar

from django.db import models

from imageskill.lib import clock


class BooksCheck(models.Model):
    """One run of `check_books`: nightly, by hand, or by a button in the console."""

    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    problem_count = models.PositiveIntegerField()
    problems = models.JSONField(default=list)  # the first hundred: [{check, subject, message}]

    class Meta:
        verbose_name = "check of the books"
        verbose_name_plural = "checks of the books"
        indexes: ClassVar = [models.Index(name="books_check_newest", fields=["-id"])]

    def __str__(self) -> str:
        return f"{self.problem_count} problems at {self.started_at:%Y-%m-%d %H:%M}"
