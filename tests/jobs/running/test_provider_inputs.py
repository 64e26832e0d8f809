"""The images of a request on their way out: a mask always has the size of its image."""

import io
from contextlib import contextmanager
from datetime import timedelta

import pytest
from PIL import Image

from imageskill.lib import clock
from jobs import registry
from jobs.images import decoding
from jobs.providers import refusals
from jobs.providers.failures import NOT_SENT, PERMANENT, ProviderError
from jobs.providers.interface import INPUT, MASK, InputImage, ProviderRequest
from jobs.running import provider_inputs
from tests.jobs.image_kinds import saved
from tests.jobs.sample_images import exif

MODEL = "openai.gpt-image-2-edit"


def given(role: str, data: bytes, mime_type: str) -> InputImage:
    @contextmanager
    def stored():
        yield io.BytesIO(data)

    return InputImage(role=role, open=stored, mime_type=mime_type, content_length=len(data))


def sent(photo: tuple[bytes, str], mask: bytes, /, **limits) -> list[Image.Image]:
    """Return input and mask as they leave; the limits are of `input_image` and `mask`."""
    model = registry.find(MODEL)
    rules = {
        name: getattr(model, name).model_copy(update=limits.get(name, {}))
        for name in ("input_image", "mask")
    }
    request = ProviderRequest(
        job_id="job_1",
        model=model.model_copy(update=rules),
        operation="image.edit",
        deadline=clock.now() + timedelta(minutes=1),
        inputs=(given(INPUT, *photo),),
        mask=given(MASK, mask, "image/png"),
    )
    with provider_inputs.prepared(request) as ready:
        found = []
        for image in (*ready.inputs, ready.mask):
            with image.open() as file:
                data = file.read()
            assert len(data) == image.content_length
            found.append(Image.open(io.BytesIO(data)))
            assert found[-1].size == (image.width, image.height)
            assert Image.MIME[found[-1].format] == image.mime_type
        return found


def noisy(size, mode="RGB"):
    return Image.effect_noise(size, 90).convert(mode)


def marked(size):
    mask = Image.new("RGBA", size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, size[0] // 2, size[1]))
    return saved("PNG", mask)


class TestTime:
    def test_what_takes_too_long_now_can_be_repeated(self, monkeypatch):
        monkeypatch.setattr(decoding._decoder, "ask", lambda request, fds, timeout_s: b"")

        with pytest.raises(ProviderError) as error:
            sent((saved("GIF"), "image/gif"), marked((64, 48)))

        failure = error.value.failure
        assert (failure, failure.error.retryable, failure.trips_breaker) == (NOT_SENT, True, False)


class TestMasks:
    def test_what_fits_leaves_as_it_is(self):
        photo, mask = saved("PNG", noisy((300, 200))), marked((300, 200))

        assert [one.size for one in sent((photo, "image/png"), mask)] == [(300, 200)] * 2

    @pytest.mark.parametrize(
        ("limits", "size"),
        [
            ({"max_pixels": 20_000}, (173, 115)),
            ({"max_edge": 100}, (100, 66)),
            ({"max_bytes": 4_000}, None),
        ],
    )
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_one_of_an_image_that_was_scaled_is_scaled_as_much(self, kind, limits, size):
        photo = saved(kind, noisy((300, 200)))

        image, mask = sent((photo, f"image/{kind.lower()}"), marked((300, 200)), input_image=limits)

        assert image.size == mask.size
        assert image.size == size or (size is None and image.width < 300)
        assert {color for _, color in mask.getcolors()} == {(0, 0, 0, 0), (0, 0, 0, 255)}
        assert mask.getchannel("A").histogram()[0] == pytest.approx(
            mask.width * mask.height / 2, 0.02
        )

    def test_of_a_turned_photo_too(self):
        photo = saved("JPEG", noisy((300, 200)), exif=exif(orientation=6))

        image, mask = sent((photo, "image/jpeg"), marked((200, 300)), input_image={"max_edge": 150})

        assert (image.size, mask.size) == ((100, 150), (100, 150))

    def test_one_that_is_too_large_itself_makes_both_smaller(self):
        alpha = Image.new("RGBA", (300, 200))
        alpha.putalpha(Image.effect_noise((300, 200), 90))
        photo = saved("PNG", noisy((300, 200)))

        image, mask = sent((photo, "image/png"), saved("PNG", alpha), mask={"max_bytes": 20_000})

        assert image.size == mask.size
        assert 100 <= image.width < 300

    def test_one_that_can_t_be_small_enough_is_refused_by_its_name(self):
        alpha = Image.new("RGBA", (300, 200))
        alpha.putalpha(Image.effect_noise((300, 200), 90))
        photo = saved("PNG", noisy((300, 200)))

        with pytest.raises(ProviderError) as error:
            sent((photo, "image/png"), saved("PNG", alpha), mask={"max_bytes": 100})

        assert (error.value.failure, error.value.refusal) == (PERMANENT, refusals.MASK)
