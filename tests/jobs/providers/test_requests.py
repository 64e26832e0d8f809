"""Each model of the seeds, made once through its stand-in: the request field by field."""

import json

import pytest

from jobs.providers import calls
from jobs.providers.failures import PERMANENT, ProviderError
from jobs.providers.interface import ProviderResult
from jobs.registry import catalog
from tests.jobs.providers.orders import (
    content,
    data_uri,
    image,
    mask,
    opened,
    order,
    reference,
)

PROMPT = "a tea kettle on the moon"
INPUT, MASK = image(), mask()
FRONTAL = reference("red", role="element_frontal", index=0)
BESIDE = [
    reference(color, role="element_reference", index=0, reference_index=number)
    for number, color in enumerate(["orange", "yellow"])
]
SECOND_FRONTAL = reference("green", role="element_frontal", index=1)
ELEMENTS = (SECOND_FRONTAL, BESIDE[1], FRONTAL, BESIDE[0])
SENT_ELEMENTS = [
    {
        "frontal_image_url": data_uri(FRONTAL),
        "reference_image_urls": [data_uri(one) for one in BESIDE],
    },
    {"frontal_image_url": data_uri(SECOND_FRONTAL)},
]
FIRST = reference("navy", index=0, reference_task="id")
SECOND = reference("olive", index=1)

FLUX = {"num_images": 1, "sync_mode": False, "enable_safety_checker": True}
PLAIN = {"num_images": 1, "sync_mode": False}
SEEDREAM = FLUX | {"max_images": 1}
WORDS = {"prompt": PROMPT}
ONE = {"image_url": data_uri(INPUT)}
LIST = {"image_urls": [data_uri(INPUT)]}

# Model, what differs in the order, endpoint, body.
FAL = [
    (
        "fal.flux-dev",
        {"aspect_ratio": "16:9", "parameters": {"seed": 7}},
        "fal-ai/flux/dev",
        FLUX | WORDS | {"image_size": "landscape_16_9", "seed": 7},
    ),
    (
        "fal.flux-pro-v1-1-ultra",
        {"aspect_ratio": "21:9", "parameters": {"raw": True, "seed": None}},
        "fal-ai/flux-pro/v1.1-ultra",
        PLAIN | WORDS | {"aspect_ratio": "21:9", "raw": True},
    ),
    (
        "fal.flux-pro-kontext",
        {"parameters": {"seed": 1}},
        "fal-ai/flux-pro/kontext",
        PLAIN | WORDS | ONE | {"seed": 1},
    ),
    ("fal.flux-pro-kontext-max", {}, "fal-ai/flux-pro/kontext/max", PLAIN | WORDS | ONE),
    (
        "fal.flux-dev-redux",
        {"parameters": {"image_size": {"width": 640, "height": 480}}},
        "fal-ai/flux/dev/redux",
        FLUX | ONE | {"image_size": {"width": 640, "height": 480}},
    ),
    ("fal.flux-krea-redux", {}, "fal-ai/flux/krea/redux", FLUX | ONE),
    (
        "fal.flux-schnell-redux",
        {"aspect_ratio": "4:3"},
        "fal-ai/flux/schnell/redux",
        FLUX | ONE | {"image_size": "landscape_4_3"},
    ),
    (
        "fal.z-image-turbo",
        {"aspect_ratio": "16:9", "parameters": {"image_size": "square"}},
        "fal-ai/z-image/turbo",
        FLUX | WORDS | {"image_size": "square"},
    ),
    (
        "fal.z-image-turbo-image-to-image",
        {},
        "fal-ai/z-image/turbo/image-to-image",
        FLUX | WORDS | ONE | {"image_size": "auto"},
    ),
    (
        "fal.nano-banana-2",
        {"aspect_ratio": "4:1", "parameters": {"resolution": "0.5K"}},
        "fal-ai/nano-banana-2",
        PLAIN | WORDS | {"aspect_ratio": "4:1", "resolution": "0.5K"},
    ),
    (
        "fal.nano-banana-2-edit",
        {"parameters": {"resolution": "2K", "seed": 3}},
        "fal-ai/nano-banana-2/edit",
        PLAIN | WORDS | LIST | {"aspect_ratio": "auto", "resolution": "2K", "seed": 3},
    ),
    (
        "fal.nano-banana-pro",
        {"output_format": "webp"},
        "fal-ai/nano-banana-pro",
        PLAIN | WORDS | {"aspect_ratio": "1:1", "output_format": "webp"},
    ),
    (
        "fal.nano-banana-pro-edit",
        {"aspect_ratio": "9:16"},
        "fal-ai/nano-banana-pro/edit",
        PLAIN | WORDS | LIST | {"aspect_ratio": "9:16"},
    ),
    (
        "fal.gemini-3-pro-image-preview",
        {"parameters": {"resolution": "2K"}},
        "fal-ai/gemini-3-pro-image-preview",
        PLAIN | WORDS | {"aspect_ratio": "1:1", "resolution": "2K"},
    ),
    (
        "fal.gemini-3-pro-image-preview-edit",
        {},
        "fal-ai/gemini-3-pro-image-preview/edit",
        PLAIN | WORDS | LIST | {"aspect_ratio": "auto"},
    ),
    (
        "fal.ideogram-v2-edit",
        {"mask": MASK, "parameters": {"style": "anime", "expand_prompt": False}},
        "fal-ai/ideogram/v2/edit",
        WORDS
        | ONE
        | {
            "sync_mode": False,
            "mask_url": data_uri(MASK),
            "style": "anime",
            "expand_prompt": False,
        },
    ),
    (
        "fal.bytedance-seedream-v4-5-text-to-image",
        {},
        "fal-ai/bytedance/seedream/v4.5/text-to-image",
        SEEDREAM | WORDS | {"image_size": "square_hd"},
    ),
    (
        "fal.bytedance-seedream-v4-5-edit",
        {"parameters": {"image_size": "auto_4K"}},
        "fal-ai/bytedance/seedream/v4.5/edit",
        SEEDREAM | WORDS | LIST | {"image_size": "auto_4K"},
    ),
    (
        "fal.bytedance-seedream-v5-lite-text-to-image",
        {"aspect_ratio": "3:4"},
        "fal-ai/bytedance/seedream/v5/lite/text-to-image",
        SEEDREAM | WORDS | {"image_size": "portrait_4_3"},
    ),
    (
        "fal.bytedance-seedream-v5-lite-edit",
        {},
        "fal-ai/bytedance/seedream/v5/lite/edit",
        SEEDREAM | WORDS | LIST | {"image_size": "auto_2K"},
    ),
    (
        "fal.kling-image-o1",
        {"references": ELEMENTS},
        "fal-ai/kling-image/o1",
        PLAIN | WORDS | LIST | {"aspect_ratio": "auto", "elements": SENT_ELEMENTS},
    ),
    (
        "fal.kling-image-o3-text-to-image",
        {"references": ELEMENTS, "output_count": 2},
        "fal-ai/kling-image/o3/text-to-image",
        PLAIN | WORDS | {"num_images": 2, "aspect_ratio": "1:1", "elements": SENT_ELEMENTS},
    ),
    (
        "fal.kling-image-o3-image-to-image",
        {"aspect_ratio": "21:9"},
        "fal-ai/kling-image/o3/image-to-image",
        PLAIN | WORDS | LIST | {"aspect_ratio": "21:9"},
    ),
    (
        "fal.kling-image-v3-text-to-image",
        {"references": (FRONTAL,)},
        "fal-ai/kling-image/v3/text-to-image",
        PLAIN
        | WORDS
        | {"aspect_ratio": "1:1", "elements": [{"frontal_image_url": data_uri(FRONTAL)}]},
    ),
    (
        "fal.kling-image-v3-image-to-image",
        {},
        "fal-ai/kling-image/v3/image-to-image",
        PLAIN | WORDS | ONE,
    ),
    (
        "fal.dreamo",
        {
            "references": (SECOND, FIRST),
            "parameters": {"image_size": {"width": 1280, "height": 720}},
        },
        "fal-ai/dreamo",
        WORDS
        | {
            "sync_mode": False,
            "enable_safety_checker": True,
            "image_size": {"width": 1280, "height": 720},
            "first_image_url": data_uri(FIRST),
            "first_reference_task": "id",
            "second_image_url": data_uri(SECOND),
        },
    ),
]

XAI = [
    (
        "xai.grok-imagine-image",
        {"aspect_ratio": "19.5:9", "output_count": 3},
        "images/generations",
        {"model": "grok-imagine-image", "n": 3, "aspect_ratio": "19.5:9"},
    ),
    (
        "xai.grok-imagine-image-edit",
        {"inputs": (INPUT,)},
        "images/edits",
        {"model": "grok-imagine-image", "n": 1, "image": {"url": data_uri(INPUT)}},
    ),
    (
        "xai.grok-imagine-image-quality",
        {"parameters": {"resolution": "2k"}},
        "images/generations",
        {
            "model": "grok-imagine-image-quality",
            "n": 1,
            "aspect_ratio": "1:1",
            "resolution": "2k",
        },
    ),
    (
        "xai.grok-imagine-image-quality-edit",
        {"references": (SECOND, FIRST), "aspect_ratio": "16:9"},
        "images/edits",
        {
            "model": "grok-imagine-image-quality",
            "n": 1,
            "aspect_ratio": "16:9",
            "images": [{"url": data_uri(one)} for one in (INPUT, FIRST, SECOND)],
        },
    ),
]

OPENAI_CREATE = [
    (
        "openai.gpt-image-2",
        {"output_count": 2, "aspect_ratio": "3:2", "parameters": {"quality": "low"}},
        {"model": "gpt-image-2", "n": 2, "size": "1536x1024", "quality": "low"},
    ),
    (
        "openai.gpt-image-1.5",
        {
            "output_format": "webp",
            "parameters": {
                "size": "1024x1536",
                "background": "transparent",
                "output_compression": 80,
                "moderation": "low",
            },
        },
        {
            "model": "gpt-image-1.5",
            "n": 1,
            "size": "1024x1536",
            "output_format": "webp",
            "background": "transparent",
            "output_compression": 80,
            "moderation": "low",
        },
    ),
]

OPENAI_EDIT = [
    (
        "openai.gpt-image-2-edit",
        {"mask": MASK, "parameters": {"moderation": "low"}},
        {"model": "gpt-image-2", "n": "1", "moderation": "low"},
        [("image", INPUT), ("mask", MASK)],
    ),
    (
        "openai.gpt-image-1.5-edit",
        {
            "aspect_ratio": "2:3",
            "parameters": {
                "input_fidelity": "high",
                "quality": "high",
                "output_format": "jpeg",
                "output_compression": 0,
            },
        },
        {
            "model": "gpt-image-1.5",
            "n": "1",
            "size": "1024x1536",
            "input_fidelity": "high",
            "quality": "high",
            "output_format": "jpeg",
            "output_compression": "0",
        },
        [("image", INPUT)],
    ),
]


def made(model: str, **more) -> ProviderResult:
    row = catalog.find(model)
    if row.operation == "edit":
        more = {"inputs": (INPUT,)} | more
    asked = order(model, **more)
    answer = calls.submit(row.provider, asked)
    if not isinstance(answer, ProviderResult):
        answer = calls.collect(row.provider, answer, asked)
    assert len(answer.outputs) == asked.output_count
    for output in answer.outputs:
        image = opened(output)
        assert output.mime_type == f"image/{image.format.lower()}"
    return answer


class TestRequests:
    @pytest.mark.parametrize(("model", "more", "endpoint", "body"), FAL, ids=[x[0] for x in FAL])
    def test_fal_gets_what_its_endpoint_takes(self, providers, model, more, endpoint, body):
        made(model, **more)

        request = providers.requests[0]
        assert (request.method, request.path) == ("POST", f"/fal/{endpoint}")
        assert request.headers["authorization"] == "Key fal-id:fal-secret"
        assert request.json == body

    @pytest.mark.parametrize(("model", "more", "endpoint", "body"), XAI, ids=[x[0] for x in XAI])
    def test_xai_gets_json(self, providers, model, more, endpoint, body):
        made(model, **more)

        (request,) = providers.requests
        assert (request.method, request.path) == ("POST", f"/xai/v1/{endpoint}")
        assert request.headers["authorization"] == "Bearer xai-key"
        assert request.json == body | {"prompt": PROMPT, "response_format": "b64_json"}

    @pytest.mark.parametrize(
        ("model", "more", "body"), OPENAI_CREATE, ids=[x[0] for x in OPENAI_CREATE]
    )
    def test_openai_gets_json_to_create(self, providers, model, more, body):
        made(model, **more)

        (request,) = providers.requests
        assert (request.method, request.path) == ("POST", "/openai/v1/images/generations")
        assert request.headers["authorization"] == "Bearer openai-key"
        assert request.json == body | {"prompt": PROMPT}

    @pytest.mark.parametrize(
        ("model", "more", "body", "files"), OPENAI_EDIT, ids=[x[0] for x in OPENAI_EDIT]
    )
    def test_openai_gets_a_form_to_edit(self, providers, model, more, body, files):
        made(model, **more)

        (request,) = providers.requests
        assert (request.method, request.path) == ("POST", "/openai/v1/images/edits")
        parts = request.multipart
        fields = {part.name: part.text for part in parts if part.filename is None}
        sent = [(p.name, p.content_type, p.data) for p in parts if p.filename is not None]
        assert fields == body | {"prompt": PROMPT}
        assert sent == [(name, "image/png", content(one)) for name, one in files]

    @pytest.mark.parametrize("model", ["openai.gpt-image-2-edit", "openai.gpt-image-1.5-edit"])
    def test_openai_gets_several_inputs_in_their_order(self, providers, model):
        inputs = [INPUT, image(kind="JPEG"), image(kind="WEBP")]

        answer = made(model, inputs=tuple(inputs), mask=MASK)

        (request,) = providers.requests
        parts = request.multipart
        assert [(part.name, part.text) for part in parts if part.filename is None] == [
            ("prompt", PROMPT),
            ("model", model.removeprefix("openai.").removesuffix("-edit")),
            ("n", "1"),
        ]
        assert [
            (part.name, part.filename, part.content_type, part.data)
            for part in parts
            if part.filename is not None
        ] == [
            ("image[]", "input.png", "image/png", content(inputs[0])),
            ("image[]", "input.jpeg", "image/jpeg", content(inputs[1])),
            ("image[]", "input.webp", "image/webp", content(inputs[2])),
            ("mask", "mask.png", "image/png", content(MASK)),
        ]
        assert answer.usage["image_in"] == 3 * 323

    @pytest.mark.parametrize(
        "model", ["fal.flux-pro-kontext", "fal.ideogram-v2-edit", "xai.grok-imagine-image-edit"]
    )
    def test_an_input_that_has_no_place_begins_nothing(self, providers, model):
        with pytest.raises(ProviderError) as caught:
            made(model, inputs=(INPUT, INPUT))

        assert (caught.value.failure, caught.value.reason) == (PERMANENT, "too_many_inputs")
        assert not providers.requests

    def test_every_wired_model_is_in_these_tables(self):
        tables = [*FAL, *XAI, *OPENAI_CREATE, *OPENAI_EDIT]
        local = {"local.sketch", "local.sketch-remix"}

        wired = {model.id for model in catalog.load().models if model.is_wired}
        assert {row[0] for row in tables} | local == wired
        assert len(tables) == 34

    def test_the_length_is_told_beforehand_and_right(self, providers):
        made("fal.kling-image-o1", references=ELEMENTS)

        request = providers.requests[0]
        assert "transfer-encoding" not in request.headers
        assert int(request.headers["content-length"]) == len(request.body)

    @pytest.mark.parametrize("model", ["fal.kling-image-o1", "fal.kling-image-o3-image-to-image"])
    def test_as_many_elements_as_a_row_allows_are_taken_and_one_more_is_not(self, providers, model):
        most = catalog.find(model).references.max_indexes
        given = [reference("red", role="element_frontal", index=index) for index in range(most + 1)]

        made(model, references=tuple(given[:most]))
        with pytest.raises(ProviderError) as caught:
            made(model, references=tuple(given))

        assert caught.value.reason == "sequence_too_long"

    def test_a_prompt_of_any_text_arrives_as_it_is(self, providers):
        prompt = 'quotes " and \\ and \ue001 and 漢字 and {"a": 1}'

        made("xai.grok-imagine-image-edit", prompt=prompt)

        assert json.loads(providers.requests[0].body)["prompt"] == prompt
