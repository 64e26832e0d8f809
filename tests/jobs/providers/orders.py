"""Orders and images for tests of the adapters."""

import io
from base64 import b64encode
from datetime import timedelta

from PIL import Image

from imageskill.lib import clock
from jobs.providers.interface import InputImage, ProviderRequest
from jobs.registry import catalog


def image(drawing: Image.Image | None = None, *, kind="PNG", role="input", **more) -> InputImage:
    """Make an image that opens from memory and remembers its bytes."""
    file = io.BytesIO()
    (drawing or Image.new("RGB", (400, 300), "teal")).save(file, kind)
    content = file.getvalue()
    return InputImage(
        role=role,
        open=lambda: io.BytesIO(content),
        mime_type=f"image/{kind.lower()}",
        content_length=len(content),
        **more,
    )


def reference(color: str, *, role="reference_image", **more) -> InputImage:
    return image(Image.new("RGB", (320, 320), color), role=role, **more)


def mask() -> InputImage:
    return image(Image.new("RGBA", (400, 300), (0, 0, 0, 0)), role="mask")


def content(one: InputImage) -> bytes:
    with one.open() as file:
        return file.read()


def data_uri(one: InputImage) -> str:
    return f"data:{one.mime_type};base64,{b64encode(content(one)).decode()}"


def order(model: str, *, seconds=60, **more) -> ProviderRequest:
    row = catalog.find(model)
    is_edit = row.operation == "edit"
    values = {
        "job_id": "job_1",
        "model": row,
        "operation": "image.edit" if is_edit else "image.generate",
        "deadline": clock.now() + timedelta(seconds=seconds),
        "prompt": "" if row.prompt.use == "forbidden" else "a tea kettle on the moon",
        "aspect_ratio": "auto" if is_edit else "1:1",
        "inputs": (image(),) if is_edit else (),
        "token_rates_usd": row.price.rates_usd,
    }
    return ProviderRequest(**(values | more))


def opened(output) -> Image.Image:
    return Image.open(io.BytesIO(output.file.read()))
