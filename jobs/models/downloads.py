"""Downloads of images, counted by day; who made them is not stored."""

from typing import ClassVar

from django.db import models

from jobs.models.asset import Asset


class DownloadDay(models.Model):
    """How often one image was fetched on one UTC day; stays when the image is deleted."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    count = models.PositiveIntegerField()
    first_at = models.DateTimeField()  # to the minute, as is the last
    last_at = models.DateTimeField()  # no earlier minute is added any more

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["asset", "day"], name="downloads_once_for_asset_and_day"
            ),
            models.CheckConstraint(
                name="downloads_are_some_in_order",
                condition=models.Q(count__gte=1, first_at__lte=models.F("last_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} on {self.day}"
