"""Users: sponsors and staff, identified by email."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower

from imageskill.lib import clock


class PeopleManager(UserManager["User"]):
    """Creates users by email."""

    def _create_user(self, email: str, password: str | None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]
        """Create a user; without a password they sign in with an emailed code or a passkey."""
        return self._create_user(email, password, **fields)

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]
        """Create a superuser."""
        return self._create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person who signs in with their email."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("email", unique=True)
    date_joined = models.DateTimeField("date joined", default=clock.now)
    time_zone = models.CharField(max_length=64, default="UTC")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta:
        verbose_name = "user"
        verbose_name_plural = "users"
        indexes: ClassVar = [
            models.Index(fields=["is_staff", "-id"], name="user_by_staff"),
            models.Index(fields=["is_active", "-id"], name="user_by_active"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_once_whatever_its_case"),
        ]

    def __str__(self) -> str:
        return self.email
