"""Assets: images that were made or uploaded, what goes into jobs, and what checks found."""

from datetime import datetime
from functools import partial
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from accounts.models import Agent, Organization
from imageskill.lib import clock, ids
from jobs.images import manifest_states
from jobs.images.formats import BY_MIME_TYPE
from jobs.models.job import Job


class AssetQuerySet(models.QuerySet["Asset"]):
    """Sets of assets."""

    def of(self, organization_id: int) -> "AssetQuerySet":
        """Narrow to what one organization may see: its own that are available."""
        mine = self.filter(organization_id=organization_id, state=Asset.State.AVAILABLE)
        return mine.with_use()

    def with_use(self) -> "AssetQuerySet":
        """Load `is_used` with each asset."""
        used = JobInput.objects.filter(asset=models.OuterRef("pk"))
        return self.annotate(is_used=models.Exists(used))  # type: ignore[no-redef]

    def expired_uploads(self, *, before: datetime, unused_before: datetime) -> "AssetQuerySet":
        """Narrow to uploads of before that moment, or the other one for those that no job used."""
        kept = self.filter(kind=Asset.Kind.UPLOADED, state=Asset.State.AVAILABLE).with_use()
        unused = models.Q(created_at__lt=unused_before, is_used=False)
        latest = max(before, unused_before)  # so that the index of age narrows them first
        return kept.filter(models.Q(created_at__lt=before) | unused, created_at__lt=latest)

    def failed_check_since(self, at: datetime) -> "AssetQuerySet":
        """Narrow to images that failed a check after that moment."""
        return self.filter(verdict__is_good=False, verdict__checked_at__gt=at)


class Asset(models.Model):
    """One image and where its bytes are; immutable but for `state` and its thumbnail."""

    class Kind(models.TextChoices):
        """Where it came from."""

        GENERATED = "generated", "Generated"
        UPLOADED = "uploaded", "Uploaded"

    class State(models.TextChoices):
        """Whether it can be fetched."""

        AVAILABLE = "available", "Available"
        QUARANTINED = "quarantined", "Quarantined"  # staff look into it; comes back or not
        WITHDRAWN = "withdrawn", "Withdrawn"  # taken down by staff; the bytes are kept
        DELETED = "deleted", "Deleted"  # by its owner, or its time was over; the bytes are gone

    public_id = models.CharField(
        max_length=64, unique=True, default=partial(ids.new, "asset"), editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="assets")
    index = models.PositiveSmallIntegerField(default=0)  # its place among the job's outputs
    kind = models.CharField(max_length=16, choices=Kind.choices)
    mime_type = models.CharField("type", max_length=32)
    content_length = models.PositiveBigIntegerField("bytes")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField("SHA-256", max_length=64)
    manifest = models.CharField(
        "content credentials",
        max_length=8,
        blank=True,
        db_default="",
        default="",
        choices=manifest_states.CHOICES,
    )
    min_luma = models.PositiveSmallIntegerField(null=True)  # the darkest pixel, 0 to 255
    min_alpha = models.PositiveSmallIntegerField(null=True)  # the most transparent one
    # What a provider needs done to it first, by the names in `jobs.images.conversions`.
    conversions = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), blank=True
    )
    storage_key = models.CharField(max_length=200)
    thumbnail_key = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.AVAILABLE)
    state_changed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    is_used: bool = True  # whether a job has named it; loaded by `with_use`

    objects: ClassVar = AssetQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="asset_newest_of"),
            models.Index(fields=["agent", "-id"], name="asset_of_agent"),
            models.Index(fields=["sha256"], name="asset_by_sha256"),
            models.Index(fields=["kind", "created_at"], name="asset_by_age"),
            models.Index(fields=["kind", "-id"], name="asset_by_kind"),
            models.Index(fields=["state", "-id"], name="asset_by_state"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "index"], name="asset_once_for_an_output"),
            models.CheckConstraint(
                name="asset_is_a_picture",
                condition=models.Q(content_length__gt=0, width__gt=0, height__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def extension(self) -> str:
        """The last part of its public address, by its type."""
        return BY_MIME_TYPE[self.mime_type].extension

    @property
    def is_available(self) -> bool:
        """Whether it may be fetched and used."""
        return self.state == self.State.AVAILABLE


class Upload(models.Model):
    """What an upload said and sent, beside what is served."""

    class SourceKind(models.TextChoices):
        """Where the caller had the image from, by its own account."""

        LOCAL_PATH = "local_path", "File"
        REMOTE_URL = "remote_url", "URL"

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="upload")
    source_kind = models.CharField(max_length=16, choices=SourceKind.choices)
    filename = models.CharField(max_length=255)
    remote_origin = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001
    received_bytes = models.PositiveBigIntegerField()
    received_sha256 = models.CharField(max_length=64)
    had_metadata = models.BooleanField()

    def __str__(self) -> str:
        return f"upload of {self.asset_id}"


class JobInput(models.Model):
    """An image that goes into a job: the input, its mask, or a reference with its role."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="inputs")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=32)
    index = models.PositiveSmallIntegerField(default=0)
    reference_index = models.PositiveSmallIntegerField(null=True)
    reference_task = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["job", "role", "index", "reference_index"],
                name="job_input_once_for_a_place",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.job_id}"


class StagedOutput(models.Model):
    """A provider's output on its way into storage: decoded, safe on disk, not yet an asset.

    Goes when its job ends. `asset_public_id` is minted with it, so that a repair writes the
    same object again instead of another.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="staged_outputs")
    index = models.PositiveSmallIntegerField()
    asset_public_id = models.CharField(max_length=64, default=partial(ids.new, "asset"))
    kept_key = models.CharField(max_length=200)
    mime_type = models.CharField(max_length=32)
    content_length = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    manifest = models.CharField(
        max_length=8, blank=True, db_default="", default="", choices=manifest_states.CHOICES
    )
    min_luma = models.PositiveSmallIntegerField(null=True)
    min_alpha = models.PositiveSmallIntegerField(null=True)
    conversions = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), blank=True
    )

    class Meta:
        db_table = "jobs_keptoutput"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "index"], name="kept_once_for_an_output"),
        ]

    def __str__(self) -> str:
        return f"output {self.index} of {self.job_id}"

    @property
    def extension(self) -> str:
        """The last part of the public address it will have."""
        return BY_MIME_TYPE[self.mime_type].extension


class AssetCheck(models.Model):
    """What the check of a stored image found; for staff."""

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="verdict")
    checked_at = models.DateTimeField(default=clock.now)
    is_good = models.BooleanField()  # all of the verdicts together
    decodes = models.BooleanField()  # a truncated image doesn't
    is_as_promised = models.BooleanField()  # bytes, type and size as the asset's row says
    is_as_planned = models.BooleanField(default=True)  # size and type as the plan expected
    is_blank = models.BooleanField(default=False)
    difference_hash = models.CharField(max_length=16, blank=True)
    bands = ArrayField(models.PositiveIntegerField(), default=list)  # to find near hashes by
    same_as = models.ForeignKey(
        Asset, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )  # another agent's image that looks the same
    finding = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [
            GinIndex(fields=["bands"], name="asset_check_by_band"),
            models.Index(fields=["is_good", "-id"], name="asset_check_by_verdict"),
            models.Index(
                fields=["checked_at"], name="asset_check_failed", condition=models.Q(is_good=False)
            ),
        ]

    def __str__(self) -> str:
        return f"check of {self.asset_id}"
