"""Image review: checked images beside what was expected of them, failed checks first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from imageskill.lib.admin import actions
from imageskill.lib.admin.actions import StaffAction
from jobs.admin.assets import ACTIONS
from jobs.models import Asset, AssetCheck

_PAGE_SIZE = 48


@dataclass(frozen=True, slots=True)
class Expectation:
    """One property of an image: the expected value and the actual one."""

    name: str
    expected: str
    actual: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class ReviewCard:
    """A checked image, its look-alike if there is one, and the actions on it."""

    check: AssetCheck
    images: list[tuple[Asset, str]]
    facts: list[Expectation]
    staff_actions: list[tuple[StaffAction, str]]


def view(request: HttpRequest) -> HttpResponse:
    """Show a page of checked images; `after` is the key that the page starts below."""
    if not request.user.has_perm("accounts.see_jobs"):
        raise PermissionDenied
    only = "all" if request.GET.get("show") == "all" else "failed"
    checks = AssetCheck.objects.select_related("asset__job", "same_as").order_by("-pk")
    if only == "failed":
        checks = checks.filter(is_good=False)
    after = request.GET.get("after", "")
    if after.isascii() and after.isdigit() and len(after) < 19:
        checks = checks.filter(pk__lt=int(after))
    page = list(checks[: _PAGE_SIZE + 1])
    may = [action for action in ACTIONS if actions.is_allowed(action, request)]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Image review",
        "cards": [_build_card(check, may) for check in page[:_PAGE_SIZE]],
        "only": only,
        "next": page[_PAGE_SIZE - 1].pk if len(page) > _PAGE_SIZE else None,
    }
    return TemplateResponse(request, "admin/console/image_review.html", context)


def _build_card(check: AssetCheck, may: list[StaffAction]) -> ReviewCard:
    asset = check.asset
    images = [(asset, "This image")]
    if check.same_as:
        images.append((check.same_as, "Looks the same, another agent's"))
    return ReviewCard(
        check=check,
        images=images,
        facts=list(_expectations(check)),
        staff_actions=[
            (action, reverse("admin:jobs_asset_action", args=[asset.pk, action.name]))
            for action in may
            if action.is_open(asset)
        ],
    )


def _expectations(check: AssetCheck) -> Iterator[Expectation]:
    """Compare as the check did: with the plan of the job, and with the asset's own row."""
    asset, plan = check.asset, check.asset.job.plan
    size, kind = plan.get("size"), plan.get("output_format")
    expected_kind = f"image/{kind}" if kind else ""
    has_size = not size or size == [asset.width, asset.height]
    has_kind = not kind or asset.mime_type == expected_kind
    # Where the row is as planned and the check is not, the file itself is of another type.
    is_other = check.decodes and not check.is_as_planned and has_size and has_kind
    yield Expectation(
        "Size",
        f"{size[0]}×{size[1]}" if size else "any",
        f"{asset.width}×{asset.height}",
        has_size,
    )
    yield Expectation("Type", expected_kind or "any", asset.mime_type, has_kind)
    yield Expectation(
        "File",
        "complete, as written",
        _describe_bytes(check),
        check.decodes and check.is_as_promised and not is_other,
    )
    content = "one flat color" if check.is_blank else "image"
    yield Expectation("Content", "image", content if check.decodes else "–", not check.is_blank)
    uniqueness = "duplicate of another agent's" if check.same_as_id else "unique"
    yield Expectation(
        "Uniqueness",
        "unique",
        uniqueness if check.decodes else "–",
        check.same_as_id is None,
    )


def _describe_bytes(check: AssetCheck) -> str:
    if not check.decodes:
        return "can't be decoded, or truncated"
    return "complete, as written" if check.is_as_promised else "other than written"
