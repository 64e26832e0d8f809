"""xAI's images: JSON both ways, links or base64, the charge in ticks."""

import time
import uuid
from base64 import b64encode
from typing import Any

from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.providers import image, request_images
from imageskill.dev.standins.providers.gaps import Gaps, apply, gap
from imageskill.dev.standins.server import StandIn

PREFIX = "/xai/v1"
TICKS_PER_CENT = 10**8
CENTS = {
    "grok-imagine-image": {"1k": 2.0, "2k": 2.0, "input": 0.2},
    "grok-imagine-image-quality": {"1k": 5.0, "2k": 7.0, "input": 1.0},
}
RATIOS = {
    "1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "9:19.5", "19.5:9", "9:20", "20:9",
    "1:2", "2:1", "auto",
}  # fmt: skip
KNOWN = {"model", "prompt", "n", "aspect_ratio", "resolution", "response_format", "user"}
MAX_SOURCES = 3


class XAIStandIn:
    """The stand-in for xAI. `seconds` is how long a run takes."""

    def __init__(self, stand_in: StandIn) -> None:
        self.seconds = 0.0
        self.files: dict[str, bytes] = {}
        self.gaps: list[Gaps] = []  # of the next batches
        stand_in.route("POST", rf"{PREFIX}/images/generations")(self.generate)
        stand_in.route("POST", rf"{PREFIX}/images/edits")(self.edit)
        stand_in.route("GET", r"/xai/files/(?P<id>[0-9a-f]+)\.jpeg")(self.file)

    def reset(self) -> None:
        """Answer at once again, and forget the files."""
        self.seconds = 0.0
        self.files.clear()
        self.gaps.clear()

    def generate(self, request: StandInRequest) -> StandInResponse:
        """Make images from a prompt."""
        refusal = _unauthorized(request) or _invalid(request.json, KNOWN)
        return refusal or self._made(request, like=(1, 1), inputs=0)

    def edit(self, request: StandInRequest) -> StandInResponse:
        """Make images from a prompt and up to three others."""
        asked = request.json
        refusal = _unauthorized(request) or _invalid(asked, KNOWN | {"image", "images"})
        if refusal:
            return refusal
        if ("image" in asked) == ("images" in asked):
            return _error("Exactly one of image and images must be given.")
        sources = asked["images"] if "images" in asked else [asked["image"]]
        if len(sources) > MAX_SOURCES:
            return _error("At most 3 source images are supported.")
        if "image" in asked and "aspect_ratio" in asked:
            return _error("Argument not supported: aspect_ratio")
        try:
            sizes = [request_images.size_from_data_uri(source["url"]) for source in sources]
        except request_images.InvalidImage:
            return _error("Could not decode the provided image.")
        return self._made(request, like=sizes[0], inputs=len(sources))

    def file(self, request: StandInRequest) -> StandInResponse:
        """Serve an image that was only linked."""
        content = self.files.get(request.params["id"])
        if content is None:
            return StandInResponse({"code": "not-found", "error": "No such file"}, 404)
        return StandInResponse(content, 200, {"Content-Type": "image/jpeg"})

    def _made(
        self, request: StandInRequest, *, like: tuple[int, int], inputs: int
    ) -> StandInResponse:
        time.sleep(self.seconds)
        asked = request.json
        tier = asked.get("resolution", "1k")
        ratio = asked.get("aspect_ratio", "auto" if inputs else "1:1")
        if ratio == "auto":
            ratio = f"{like[0]}:{like[1]}"
        size = image.size_for_ratio(ratio, area=(2048 if tier == "2k" else 1024) ** 2)
        count = int(asked.get("n", 1))
        images = [
            image.render(words=asked["prompt"], size=size, kind="jpeg", number=number)
            for number in range(count)
        ]
        prices = CENTS[asked["model"]]
        ticks = round((prices[tier] * count + prices["input"] * inputs) * TICKS_PER_CENT)
        gaps = self.gaps.pop(0) if self.gaps else ()
        data = [self._given(content, request) for content in images]
        data = [
            entry | ({"respect_moderation": False} if gap(gaps, number) == "flagged" else {})
            for number, entry in enumerate(data)
        ]
        nothing = {"b64_json": b64encode(b"no image").decode(), "mime_type": "image/jpeg"}
        data = apply(data, gaps, broken=nothing)
        return StandInResponse({"data": data, "usage": {"cost_in_usd_ticks": ticks}})

    def _given(self, content: bytes, request: StandInRequest) -> dict[str, Any]:
        if request.json.get("response_format", "url") == "b64_json":
            return {"b64_json": b64encode(content).decode(), "mime_type": "image/jpeg"}
        number = uuid.uuid4().hex
        self.files[number] = content
        url = f"{request.base_url}/xai/files/{number}.jpeg"
        return {"url": url, "mime_type": "image/jpeg", "revised_prompt": ""}


def blocked_body() -> dict[str, Any]:
    """Return the body of a moderated generation, which is billed all the same."""
    return {
        "code": "imagine:content-moderated",
        "error": "Generated image rejected by content moderation.",
        "usage": {"cost_in_usd_ticks": 500_000_000},
    }


def _unauthorized(request: StandInRequest) -> StandInResponse | None:
    if request.headers.get("authorization", "").removeprefix("Bearer ").strip():
        return None
    return StandInResponse({"code": "unauthenticated", "error": "Incorrect API key provided"}, 401)


def _invalid(asked: dict[str, Any], known: set[str]) -> StandInResponse | None:
    unknown = sorted(set(asked) - known)
    if unknown:
        return _error(f"Argument not supported: {unknown[0]}")
    if asked.get("model") not in CENTS:
        return StandInResponse({"code": "not-found", "error": "The model does not exist"}, 404)
    if asked.get("aspect_ratio", "auto") not in RATIOS:
        return _error("Invalid aspect_ratio")
    if not asked.get("prompt"):
        return _error("Argument missing: prompt")
    if "[blocked]" in asked["prompt"]:
        return StandInResponse(blocked_body(), 400)
    return None


def _error(message: str) -> StandInResponse:
    return StandInResponse({"code": "Client specified an invalid argument", "error": message}, 400)
