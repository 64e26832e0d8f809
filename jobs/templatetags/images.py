"""How pages name images: their addresses, and words for who can't see them."""

from django import template
from django.conf import settings

from jobs.api import representations
from jobs.models import Asset, Job

register = template.Library()


@register.filter
def image_url(image: Asset) -> str:
    """Return an image's public address."""
    return representations.image_url(image)


@register.filter
def thumbnail_url(image: Asset) -> str:
    """Return the address of an image's thumbnail; empty while there is none."""
    return representations.thumbnail_url(image) or ""


@register.filter
def thumbnail_url_for_id(public_id: str) -> str:
    """Return the address of the thumbnail of an image that has one, by its id."""
    return f"{settings.PUBLIC_MEDIA_URL}/t/{public_id}.webp"


@register.filter
def alt_text(image: Asset) -> str:
    """Describe an image without looking at it."""
    kind = "Uploaded image" if image.kind == Asset.Kind.UPLOADED else "Image"
    return f"{kind} of {image.created_at:%-d %B %Y}, {image.width} by {image.height} pixels"


@register.filter
def job_cost(job: Job) -> str:
    """Write what a job cost, or holds while it runs."""
    if job.credits_captured is not None:
        return f"{job.credits_captured:,}"
    return "0" if job.is_final else f"{job.credits_held:,} held"


@register.filter
def job_cost_with_unit(job: Job) -> str:
    """Write what a job cost with its unit."""
    number = job_cost(job)
    return f"{number} credit" if number == "1" else f"{number} credits"


@register.filter
def job_description(job: Job) -> str:
    """Return what a job did."""
    images = "an image" if job.output_count == 1 else f"{job.output_count} images"
    return f"Edit to {images}" if job.operation == Job.Operation.EDIT else f"Create {images}"
