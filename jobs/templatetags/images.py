"""Filters for images and jobs: URLs, alternative text, cost and description."""

from django import template
from django.conf import settings

from jobs.api import representations
from jobs.models import Asset, Job

register = template.Library()


@register.filter
def image_url(image: Asset) -> str:
    """Return an image's public URL."""
    return representations.image_url(image)


@register.filter
def thumbnail_url(image: Asset) -> str:
    """Return the URL of an image's thumbnail, or an empty string if there is none."""
    return representations.thumbnail_url(image) or ""


@register.filter
def thumbnail_url_for_id(public_id: str) -> str:
    """Return the URL of a thumbnail by the image's id."""
    return f"{settings.PUBLIC_MEDIA_URL}/t/{public_id}.webp"


@register.filter
def alt_text(image: Asset) -> str:
    """Return an alternative text from the image's metadata."""
    kind = "Uploaded image" if image.kind == Asset.Kind.UPLOADED else "Image"
    return f"{kind} of {image.created_at:%b %-d, %Y}, {image.width} by {image.height} pixels"


@register.filter
def job_cost(job: Job) -> str:
    """Return what a job cost, or holds while it runs."""
    if job.credits_captured is not None:
        return f"{job.credits_captured:,}"
    return "0" if job.is_final else f"{job.credits_held:,} on hold"


@register.filter
def job_cost_with_unit(job: Job) -> str:
    """Return what a job cost, with the unit."""
    cost = job_cost(job)
    return f"{cost} credit" if cost == "1" else f"{cost} credits"


@register.filter
def job_description(job: Job) -> str:
    """Return a short description of a job."""
    images = "an image" if job.output_count == 1 else f"{job.output_count} images"
    return f"Edit {images}" if job.operation == Job.Operation.EDIT else f"Create {images}"
