"""Saved views: filters of a list under a name."""

from typing import ClassVar

from django.db import models

from accounts.models.users import User


class SavedFilter(models.Model):
    """The filters and search of a list under a name, for one user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    model = models.CharField(max_length=100)  # app_label.model_name
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "model", "name"], name="saved_filter_once_for_a_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name
