"""What images a model takes: the input, its mask, and references. Pure: facts go in."""

from decimal import Decimal

from imageskill.lib.errors import ApiError, Detail, InvalidArguments
from jobs.planning.asks import ImageInfo
from jobs.registry.entry import ImageRule, Model

REFERENCE_RULE = ImageRule(
    mime_types=("image/png", "image/jpeg", "image/webp"),
    max_bytes=10 * 1024 * 1024,
    min_edge=300,
    min_ratio=Decimal("0.40"),
    max_ratio=Decimal("2.50"),
)
"""What every reference must be like, whichever model it is for."""


class InputPolicyDenied(ApiError):
    """The bytes, type, size, hash or image that came in is not taken."""

    code = "INPUT_POLICY_DENIED"
    status = 415
    exit_code = 6
    message = "This input is not taken."


def check(model: Model, *, image: ImageInfo | None, mask: ImageInfo | None) -> None:
    """Refuse an input or mask that the model does not take, or lacks.

    Raises `InvalidArguments` for one too few or too many, `InputPolicyDenied` for its kind.
    """
    _check_presence(model.input_image, image, field="input_asset_id", model=model)
    _check_presence(model.mask, mask, field="mask_asset_id", model=model)
    if model.input_image and image:
        check_image(image, rule=model.input_image, field="input_asset_id")
    if model.mask and mask:
        check_image(mask, rule=model.mask, field="mask_asset_id")
        if image and (mask.width, mask.height) != (image.width, image.height):
            raise _denied(
                "mask_asset_id",
                f"is {mask.width}x{mask.height}; a mask must be as wide and high as its input, "
                f"{image.width}x{image.height}",
            )


def check_image(facts: ImageInfo, *, rule: ImageRule, field: str) -> None:
    """Refuse an image that breaks a rule, naming what was found. Raises `InputPolicyDenied`."""
    if facts.mime_type not in rule.mime_types:
        raise _denied(field, f"is {facts.mime_type}; taken are {', '.join(rule.mime_types)}")
    if rule.max_bytes is not None and not 0 < facts.content_length <= rule.max_bytes:
        raise _denied(
            field, f"has {facts.content_length} bytes; at most {rule.max_bytes} are taken"
        )
    size = f"{facts.width}x{facts.height}"
    if min(facts.width, facts.height) < rule.min_edge:
        raise _denied(field, f"is {size}; each side needs at least {rule.min_edge} pixels")
    ratio = Decimal(facts.width) / facts.height
    if not (rule.min_ratio or 0) <= ratio <= (rule.max_ratio or ratio):
        raise _denied(
            field,
            f"is {size}; width divided by height must be from {rule.min_ratio} to {rule.max_ratio}",
        )


def _check_presence(
    rule: ImageRule | None, facts: ImageInfo | None, *, field: str, model: Model
) -> None:
    if rule and rule.required and facts is None:
        raise InvalidArguments(details=[Detail(field=field, message=f"{model.id} needs it")])
    if rule is None and facts is not None:
        raise InvalidArguments(details=[Detail(field=field, message=f"{model.id} takes none")])


def _denied(field: str, found: str) -> InputPolicyDenied:
    return InputPolicyDenied(
        f"The image of {field} {found}.", details=[Detail(field=field, message=found)]
    )
