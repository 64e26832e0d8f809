"""fal's queue: submit, status, result, cancel, and the files it made."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.providers import image, request_images
from imageskill.dev.standins.providers.gaps import Gaps, apply, gap
from imageskill.dev.standins.server import StandIn

PREFIX = "/fal"
PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
    "auto_2K": (2048, 2048),
    "auto_3K": (3072, 3072),
    "auto_4K": (4096, 4096),
}
TIERS = {"0.5K": 512, "1K": 1024, "2K": 2048, "4K": 4096}
_IMAGE_FIELDS = ("image_url", "mask_url", "first_image_url", "second_image_url")
_IMAGE_LIST_FIELDS = ("image_urls", "reference_image_urls")
MAX_RUNS = 5000
_RECORDED_FIELDS = ("prompt", "num_images", "output_format", "seed")
_JPEG_APPS = ("/flux", "/dreamo")
_PROMPTLESS_APPS = ("/redux",)
_KLING_EDITS = ("/kling-image/o1", "/kling-image/o3/image-to-image")
_KLING_EDIT_IMAGES = 10


@dataclass
class RunEnding:
    """How the next run ends instead of well.

    That is an error's status, body and headers, all of it flagged, or gaps in the batch.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_flagged: bool = False
    gaps: Gaps = ()


@dataclass
class QueuedRun:
    """A request in the queue."""

    request_id: str
    app: str
    asked: dict[str, Any]
    size: tuple[int, int]
    ready_at: float
    ending: RunEnding | None = None
    is_canceled: bool = False

    @property
    def kind(self) -> str:
        """The format of its files."""
        is_jpeg = any(name in self.app for name in _JPEG_APPS)
        return str(self.asked.get("output_format") or ("jpeg" if is_jpeg else "png"))


class FalStandIn:
    """The stand-in for fal. `seconds` is how long a run takes, `endings` how the next ones end."""

    def __init__(self, stand_in: StandIn) -> None:
        self.seconds = 0.0
        self.endings: list[RunEnding] = []
        self.runs: dict[str, QueuedRun] = {}
        request = rf"{PREFIX}/(?P<app>[^/]+/[^/]+)/requests/(?P<id>[0-9a-f-]+)"
        stand_in.route("GET", rf"{request}/status")(self.status)
        stand_in.route("GET", request)(self.result)
        stand_in.route("PUT", rf"{request}/cancel")(self.cancel)
        files = rf"{PREFIX}/files/(?P<id>[0-9a-f-]+)/(?P<number>\d+)\.\w+"
        stand_in.route("GET", files)(self.file)
        stand_in.route("POST", rf"{PREFIX}/(?P<app>[^/]+/[^/]+)(?P<rest>/.*)?")(self.submit)

    def reset(self) -> None:
        """Forget every run."""
        self.seconds = 0.0
        self.endings.clear()
        self.runs.clear()

    def submit(self, request: StandInRequest) -> StandInResponse:
        """Take a request into the queue."""
        refusal = _unauthorized(request) or _invalid(request)
        if refusal:
            return refusal
        try:
            size = _size(request.json)
        except request_images.InvalidImage:
            return _validation("image_load_error", ["body", "image_url"], "Failed to load")
        run = QueuedRun(
            request_id=str(uuid.uuid4()),
            app=request.params["app"],
            asked={name: request.json[name] for name in _RECORDED_FIELDS if name in request.json},
            size=size,
            ready_at=time.monotonic() + self.seconds,
            ending=self.endings.pop(0) if self.endings else None,
        )
        self.runs[run.request_id] = run
        while len(self.runs) > MAX_RUNS:
            self.runs.pop(next(iter(self.runs)), None)
        url = f"{request.base_url}{PREFIX}/{run.app}/requests/{run.request_id}"
        return StandInResponse(
            {
                "status": "IN_QUEUE",
                "request_id": run.request_id,
                "response_url": url,
                "status_url": f"{url}/status",
                "cancel_url": f"{url}/cancel",
                "queue_position": 0,
            }
        )

    def status(self, request: StandInRequest) -> StandInResponse:
        """Return how far a request is."""
        run = self.runs.get(request.params["id"])
        if run is None:
            return StandInResponse({"detail": "Request not found"}, 404)
        left_s = run.ready_at - time.monotonic()
        told: dict[str, Any] = {"request_id": run.request_id, "logs": None}
        if left_s <= 0 or run.is_canceled:
            told |= {"status": "COMPLETED", "metrics": {"inference_time": self.seconds}}
            if run.ending and run.ending.status != 200:
                told |= {"error": "The request failed"}
            return StandInResponse(told)
        if left_s > self.seconds / 2:
            return StandInResponse(told | {"status": "IN_QUEUE", "queue_position": 0}, 202)
        return StandInResponse(told | {"status": "IN_PROGRESS"}, 202)

    def result(self, request: StandInRequest) -> StandInResponse:
        """Return what a request made, or the error it ended with."""
        run = self.runs.get(request.params["id"])
        if run is None:
            return StandInResponse({"detail": "Request not found"}, 404)
        if run.is_canceled:
            return StandInResponse(
                {"detail": "Request was canceled", "error_type": "cancelled"}, 499
            )
        if run.ready_at > time.monotonic():
            return StandInResponse({"detail": "Request is still in progress"}, 400)
        if run.ending and run.ending.status != 200:
            return StandInResponse(run.ending.body, run.ending.status, run.ending.headers)
        return StandInResponse(_result_body(run, request.base_url))

    def cancel(self, request: StandInRequest) -> StandInResponse:
        """Stop a request that is not over yet."""
        run = self.runs.get(request.params["id"])
        if run is None:
            return StandInResponse({"status": "NOT_FOUND"}, 404)
        if run.ready_at <= time.monotonic():
            return StandInResponse({"status": "ALREADY_COMPLETED"}, 400)
        run.is_canceled = True
        return StandInResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    def file(self, request: StandInRequest) -> StandInResponse:
        """Serve a file that a request made."""
        run = self.runs.get(request.params["id"])
        if run is None:
            return StandInResponse({"detail": "Not found"}, 404)
        content = image.render(
            words=str(run.asked.get("prompt") or run.app),
            size=run.size,
            kind=run.kind,
            number=int(request.params["number"]),
        )
        return StandInResponse(content, 200, {"Content-Type": image.MIME_TYPES[run.kind]})


def _result_body(run: QueuedRun, base_url: str) -> dict[str, Any]:
    count = int(run.asked.get("num_images") or 1)
    width, height = run.size
    images = [
        {
            "url": f"{base_url}{PREFIX}/files/{run.request_id}/{number}.{run.kind}",
            "content_type": image.MIME_TYPES[run.kind],
            "width": width,
            "height": height,
        }
        for number in range(count)
    ]
    is_flagged = bool(run.ending and run.ending.is_flagged)
    gaps = run.ending.gaps if run.ending else ()
    flags = [is_flagged or gap(gaps, number) == "flagged" for number in range(count)]
    flags = [flag for number, flag in enumerate(flags) if gap(gaps, number) != "absent"]
    nowhere = {"url": f"{base_url}{PREFIX}/files/{uuid.UUID(int=0)}/0.png"}
    return {
        "images": apply(images, gaps, broken=nowhere),
        "timings": {},
        "seed": run.asked.get("seed") or 1,
        "has_nsfw_concepts": flags,
        "prompt": run.asked.get("prompt", ""),
    }


def _unauthorized(request: StandInRequest) -> StandInResponse | None:
    if request.headers.get("authorization", "").removeprefix("Key ").strip():
        return None
    return StandInResponse({"detail": "Authentication is required to access this application"}, 401)


def _invalid(request: StandInRequest) -> StandInResponse | None:
    asked = request.json
    if not isinstance(asked, dict):
        return _validation("value_error", ["body"], "Input should be a valid dictionary")
    if "prompt" not in asked and not request.path.endswith(_PROMPTLESS_APPS):
        return _validation("missing", ["body", "prompt"], "Field required")
    if "[blocked]" in str(asked.get("prompt")):
        message = "The content could not be processed because it was flagged by a content checker"
        return _validation("content_policy_violation", ["body", "prompt"], message)
    given_to_kling = len(asked.get("elements", [])) + len(asked.get("image_urls", []))
    if request.path.endswith(_KLING_EDITS) and given_to_kling > _KLING_EDIT_IMAGES:
        message = "Elements and images must be 10 at most in all"
        return _validation("sequence_too_long", ["body", "elements"], message)
    return None


def _validation(kind: str, loc: list[str], message: str) -> StandInResponse:
    entry = {"loc": loc, "msg": message, "type": kind, "url": f"https://docs.fal.ai/errors#{kind}"}
    return StandInResponse({"detail": [entry]}, 422, {"X-Fal-Retryable": "false"})


def _size(asked: dict[str, Any]) -> tuple[int, int]:
    """Find the size: asked for, by ratio and tier, or the first image's."""
    sizes = _input_sizes(asked)
    wanted = asked.get("image_size")
    if isinstance(wanted, dict):
        return wanted["width"], wanted["height"]
    if wanted in PRESETS:
        return PRESETS[wanted]
    edge = TIERS.get(str(asked.get("resolution")), 1024)
    ratio = str(asked.get("aspect_ratio") or "auto")
    if ratio == "auto":
        return sizes[0] if sizes else (edge, edge)
    return image.size_for_ratio(ratio, area=edge * edge)


def _input_sizes(asked: dict[str, Any]) -> list[tuple[int, int]]:
    """Open every image in a request, those of elements too."""
    uris = [asked[name] for name in _IMAGE_FIELDS if name in asked]
    for name in _IMAGE_LIST_FIELDS:
        uris += asked.get(name, [])
    for element in asked.get("elements", []):
        uris += [element["frontal_image_url"], *element.get("reference_image_urls", [])]
    return [request_images.size_from_data_uri(uri) for uri in uris]
