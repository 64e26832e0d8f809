"""Check the images of a request against what their model accepts: input, mask, references."""

from decimal import Decimal

from imageskill.lib.errors import ApiError, Detail, InvalidArguments
from jobs.images import conversions
from jobs.images.fitting import fit
from jobs.planning.request import ImageInfo
from jobs.registry.entry import ImageRule, Model

_PNG = "image/png"
_MARKS = {"transparency": "transparent", "black": "black"}
_MAX_BYTES_PER_PIXEL = 4  # no PNG has noticeably more
_MARKED_AT_MOST = 127  # of 255: some editors leave marked pixels a little opaque or gray

_CONVERSIONS = {
    conversions.TURNED: "it is turned upright",
    conversions.FIRST_FRAME: "only its first frame is sent",
    conversions.COLORS: "its colors are converted to RGB of 8 bits",
    conversions.PROFILE: "its colors are converted to sRGB, as its color profile is too large",
}

REFERENCE_RULE = ImageRule(
    mime_types=("image/png", "image/jpeg", "image/webp"),
    max_bytes=10 * 1024 * 1024,
    min_edge=300,
    min_ratio=Decimal("0.40"),
    max_ratio=Decimal("2.50"),
)
"""What every reference image must meet, whichever model it is for."""


class InputPolicyDenied(ApiError):
    """The bytes, type, size, hash or image sent is not accepted."""

    code = "INPUT_POLICY_DENIED"
    status = 415
    exit_code = 6
    message = "This input is not accepted."


def check(model: Model, *, image: ImageInfo | None, mask: ImageInfo | None) -> None:
    """Check the input and the mask of a request.

    Raises `InvalidArguments` for an image that is missing or has no use, `InputPolicyDenied` for
    one that breaks the model's rule.
    """
    _check_presence(model.input_image, image, field="input_asset_id", model=model)
    _check_presence(model.mask, mask, field="mask_asset_id", model=model)
    if model.input_image and image:
        check_image(image, rule=model.input_image, field="input_asset_id", converts=True)
    if model.mask and mask:
        check_image(mask, rule=model.mask, field="mask_asset_id", converts=True)
        _check_marks(mask, rule=model.mask)
        if image and (mask.width, mask.height) != (image.width, image.height):
            raise _denied(
                "mask_asset_id",
                f"is {mask.width}x{mask.height}; a mask must have the size of its input, "
                f"{image.width}x{image.height}",
            )


def conversion_warning(image: ImageInfo, *, rule: ImageRule, field: str) -> str | None:
    """Return how an image is changed before it leaves, or None where it leaves as it is."""
    is_taken = image.mime_type in rule.mime_types
    told = [_CONVERSIONS[name] for name in image.conversions]
    if not is_taken:
        told.append(f"it is sent as PNG or JPEG, as the model does not take {image.mime_type}")
    told += _reductions(image, rule, is_converted=bool(told))
    if not told:
        return None
    return f"The image of {field} is changed for the provider: {'; '.join(told)}."


def _reductions(image: ImageInfo, rule: ImageRule, *, is_converted: bool) -> list[str]:
    """Return how an image is made smaller, as far as that is known before it is done."""
    size = (image.width, image.height)
    width, height = fit(size, max_pixels=rule.max_pixels, max_edge=rule.max_edge)
    told = [] if (width, height) == size else [f"it is scaled to {width}x{height}"]
    if rule.max_bytes is None:
        return told
    limit = f"so that its file has at most {rule.max_bytes} bytes"
    if image.content_length > rule.max_bytes:
        return [*told, f"it is compressed or scaled down {limit}"]
    if (told or is_converted) and width * height * _MAX_BYTES_PER_PIXEL > rule.max_bytes:
        return [*told, f"it may be compressed or scaled down {limit}"]
    return told


def check_image(image: ImageInfo, *, rule: ImageRule, field: str, converts: bool = False) -> None:
    """Check an image against a rule. Raises `InputPolicyDenied`.

    `converts`: another type than the rule's is converted to PNG or JPEG before it leaves, and
    what has too many bytes is made smaller.
    """
    if image.mime_type not in rule.mime_types and not (converts and _PNG in rule.mime_types):
        raise _denied(
            field, f"is {image.mime_type}; accepted types are {', '.join(rule.mime_types)}"
        )
    is_too_large = rule.max_bytes is not None and image.content_length > rule.max_bytes
    if (is_too_large and not converts) or (rule.max_bytes and not image.content_length):
        raise _denied(field, f"has {image.content_length} bytes; the limit is {rule.max_bytes}")
    size = f"{image.width}x{image.height}"
    if min(image.width, image.height) < rule.min_edge:
        raise _denied(field, f"is {size}; each side must have at least {rule.min_edge} pixels")
    ratio = Decimal(image.width) / image.height
    if not (rule.min_ratio or 0) <= ratio <= (rule.max_ratio or ratio):
        raise _denied(
            field,
            f"is {size}; width divided by height must be from {rule.min_ratio} to {rule.max_ratio}",
        )


def _check_marks(mask: ImageInfo, *, rule: ImageRule) -> None:
    """Refuse a mask that marks nothing, as its model reads masks."""
    least = {"transparency": mask.min_alpha, "black": mask.min_luma, None: None}[rule.needs]
    if least is not None and least > _MARKED_AT_MOST:
        raise _denied(
            "mask_asset_id",
            f"has no {_MARKS[str(rule.needs)]} pixels; this model changes what such pixels mark",
        )


def _check_presence(
    rule: ImageRule | None, image: ImageInfo | None, *, field: str, model: Model
) -> None:
    if rule and rule.required and image is None:
        raise InvalidArguments(details=[Detail(field=field, message=f"is required by {model.id}")])
    if rule is None and image is not None:
        raise InvalidArguments(
            details=[Detail(field=field, message=f"is not accepted by {model.id}")]
        )


def _denied(field: str, message: str) -> InputPolicyDenied:
    return InputPolicyDenied(
        f"The image of {field} {message}.", details=[Detail(field=field, message=message)]
    )
