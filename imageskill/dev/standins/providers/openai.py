"""OpenAI's images and moderations: JSON and forms in, base64 and usage out."""

import re
import time
from base64 import b64encode
from math import ceil, floor
from typing import Any

from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.providers import image
from imageskill.dev.standins.providers.gaps import Gaps, apply
from imageskill.dev.standins.server import StandIn

PREFIX = "/openai/v1"
MODELS = ("gpt-image-2", "gpt-image-1.5")
KNOWN = {
    "model", "prompt", "n", "size", "quality", "output_format", "output_compression",
    "background", "moderation", "user", "stream", "partial_images", "input_fidelity",
}  # fmt: skip
FACTOR = {"low": 16, "medium": 48, "high": 96, "auto": 48}
TOKENS_OF_1_5 = {
    "low": {"1024x1024": 272, "1024x1536": 408, "1536x1024": 400},
    "medium": {"1024x1024": 1056, "1024x1536": 1584, "1536x1024": 1568},
    "high": {"1024x1024": 4160, "1024x1536": 6240, "1536x1024": 6208},
}
INPUT_TOKENS = 323
_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}
_PNG_DEPTH_AT = 24
CATEGORIES = (
    "harassment", "hate", "illicit", "self-harm", "sexual", "sexual/minors", "violence",
    "violence/graphic",
)  # fmt: skip


class OpenAIStandIn:
    """The stand-in for OpenAI. `seconds` is how long a run takes."""

    def __init__(self, stand_in: StandIn) -> None:
        self.seconds = 0.0
        self.moderation_seconds = 0.0
        self.gaps: list[Gaps] = []  # of the next batches
        stand_in.route("POST", rf"{PREFIX}/images/generations")(self.generate)
        stand_in.route("POST", rf"{PREFIX}/images/edits")(self.edit)
        stand_in.route("POST", rf"{PREFIX}/moderations")(self.moderate)

    def reset(self) -> None:
        """Answer at once again."""
        self.seconds = self.moderation_seconds = 0.0
        self.gaps.clear()

    def generate(self, request: StandInRequest) -> StandInResponse:
        """Make images from a prompt."""
        asked = request.json
        refusal = _unauthorized(request) or _invalid(asked)
        if refusal:
            return refusal
        return self._made(asked, size=_size(asked, auto=(1024, 1024)), inputs=0)

    def edit(self, request: StandInRequest) -> StandInResponse:
        """Make images from a prompt and others."""
        parts = request.multipart
        asked: dict[str, Any] = {part.name: part.text for part in parts if part.filename is None}
        asked |= {name: int(asked[name]) for name in ("n", "output_compression") if name in asked}
        refusal = _unauthorized(request) or _invalid(asked)
        if refusal:
            return refusal
        images = [part.data for part in parts if part.name in {"image", "image[]"}]
        masks = [part.data for part in parts if part.name == "mask"]
        refusal = _invalid_images(images) or _invalid_mask(images, masks)
        if refusal:
            return refusal
        size = _size(asked, auto=image.open_image(images[0]).size)
        return self._made(asked, size=size, inputs=len(images))

    def moderate(self, request: StandInRequest) -> StandInResponse:
        """Flag what the prompt names in brackets."""
        time.sleep(self.moderation_seconds)
        called = set(re.findall(r"\[([a-z/-]+)\]", str(request.json["input"])))
        categories = {name: name in called for name in CATEGORIES}
        result = {
            "flagged": any(categories.values()),
            "categories": categories,
            "category_scores": {name: float(hit) for name, hit in categories.items()},
        }
        return StandInResponse(
            {"id": "modr-1", "model": request.json["model"], "results": [result]}
        )

    def _made(
        self, asked: dict[str, Any], *, size: tuple[int, int], inputs: int
    ) -> StandInResponse:
        time.sleep(self.seconds)
        kind = asked.get("output_format", "png")
        count = int(asked.get("n", 1))
        drawings = [
            image.render(words=asked["prompt"], size=size, kind=kind, number=number)
            for number in range(count)
        ]
        text = len(asked["prompt"]) // 4 + 1
        went_in = INPUT_TOKENS * inputs
        came_out = _tokens(asked, size) * count
        body = {
            "created": int(time.time()),
            "background": asked.get("background", "opaque"),
            "output_format": kind,
            "quality": asked.get("quality", "medium"),
            "size": f"{size[0]}x{size[1]}",
            "data": apply(
                [{"b64_json": b64encode(content).decode()} for content in drawings],
                self.gaps.pop(0) if self.gaps else (),
                broken={"b64_json": b64encode(b"no image").decode()},
            ),
            "usage": {
                "input_tokens": text + went_in,
                "output_tokens": came_out,
                "total_tokens": text + went_in + came_out,
                "input_tokens_details": {"text_tokens": text, "image_tokens": went_in},
                "output_tokens_details": {"text_tokens": 0, "image_tokens": came_out},
            },
        }
        return StandInResponse(body, 200, {"x-request-id": "req_standin"})


def _tokens(asked: dict[str, Any], size: tuple[int, int]) -> int:
    quality = asked.get("quality", "auto")
    if asked["model"] == "gpt-image-1.5":
        table = TOKENS_OF_1_5["medium" if quality == "auto" else quality]
        return table.get(f"{size[0]}x{size[1]}", 1584)
    factor, long, short = FACTOR[quality], max(size), min(size)
    return ceil(factor * floor(factor * short / long + 0.5) * (2_000_000 + long * short) / 4e6)


def _size(asked: dict[str, Any], *, auto: tuple[int, int]) -> tuple[int, int]:
    wanted = asked.get("size", "auto")
    if wanted == "auto":
        return auto
    width, _, height = wanted.partition("x")
    return int(width), int(height)


def _unauthorized(request: StandInRequest) -> StandInResponse | None:
    if request.headers.get("authorization", "").removeprefix("Bearer ").strip():
        return None
    return _error("invalid_api_key", "Incorrect API key provided.", status=401)


def _invalid(asked: dict[str, Any]) -> StandInResponse | None:
    unknown = sorted(set(asked) - KNOWN)
    if unknown:
        message = f"Unknown parameter: '{unknown[0]}'."
        return _error("unknown_parameter", message, param=unknown[0])
    if asked.get("model") not in MODELS:
        return _error("model_not_found", "The model does not exist.", status=404, param="model")
    if asked["model"] == "gpt-image-2" and "input_fidelity" in asked:
        message = "input_fidelity is not supported by this model."
        return _error("invalid_input_fidelity_model", message, param="input_fidelity")
    if not asked.get("prompt"):
        return _error("missing_required_parameter", "Missing 'prompt'.", param="prompt")
    if "[blocked]" in asked["prompt"]:
        return StandInResponse(blocked_body(), 400)
    return None


def blocked_body() -> dict[str, Any]:
    """Return the body of a safety block."""
    return {
        "error": {
            "message": "Your request was rejected by the safety system. "
            "safety_violations=[violence].",
            "type": "image_generation_user_error",
            "param": None,
            "code": "moderation_blocked",
            "moderation_details": {"moderation_stage": "input", "categories": ["violence"]},
        }
    }


def _invalid_images(images: list[bytes]) -> StandInResponse | None:
    if not images:
        return _error("missing_required_parameter", "Missing 'image'.", param="image")
    if not all(map(_is_readable, images)):
        return _error("invalid_image_file", "Invalid image file or mode.", param="image")
    return None


def _invalid_mask(images: list[bytes], masks: list[bytes]) -> StandInResponse | None:
    if not masks:
        return None
    if not _is_readable(masks[0]):
        message = "Invalid mask image file or mode."
    elif image.open_image(masks[0]).size != image.open_image(images[0]).size:
        message = "Invalid mask image format - mask size does not match image size."
    elif not image.open_image(masks[0]).has_transparency_data:
        message = "Invalid mask image format - mask image missing alpha channel."
    else:
        return None
    return _error("invalid_image_file", message, param="mask")


def _is_readable(content: bytes) -> bool:
    """Return whether an image decodes, with 8 bits a channel and colors of screens."""
    try:
        is_readable = image.open_image(content).mode in _MODES
    except OSError:
        return False
    return is_readable and not (content.startswith(b"\x89PNG") and content[_PNG_DEPTH_AT] > 8)


def _error(
    code: str, message: str, *, status: int = 400, param: str | None = None
) -> StandInResponse:
    kind = "invalid_request_error"
    error = {"message": message, "type": kind, "param": param, "code": code}
    return StandInResponse({"error": error}, status, {"x-request-id": "req_standin"})
