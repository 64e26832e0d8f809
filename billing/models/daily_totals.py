"""Daily totals of money that a task maintains: no page scans history or adds up all wallets."""

from typing import ClassVar

from django.db import models

from billing.chart import Purpose


class MoneyDay(models.Model):
    """The total of one kind of movement on one UTC day.

    `name` is a kind of `billing.chart`, or `receipts`. Receipts and what reversals took of them
    are counted by environment and in cents, since only live ones are revenue.
    """

    RECEIPTS = "receipts"

    day = models.DateField()
    name = models.CharField(max_length=24)
    environment = models.CharField(max_length=16, blank=True)
    count = models.PositiveIntegerField(default=0)
    credits = models.BigIntegerField(default=0)
    amount_cents = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "daily total"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "name", "environment"], name="money_once_for_day_and_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.day}"


class WalletTotal(models.Model):
    """The sum of all wallets of one purpose, as of the last count."""

    purpose = models.CharField(max_length=16, choices=Purpose, unique=True)
    credits = models.BigIntegerField()
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.credits} in {self.get_purpose_display()}"
