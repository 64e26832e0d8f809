import hashlib
import io
from decimal import Decimal

import pytest
from PIL import Image, ImageStat

from jobs.providers.failures import PERMANENT, ProviderError
from jobs.providers.interface import InputImage
from jobs.providers.local.adapter import LocalSketch
from jobs.providers.local.sketching import palettes, remix, sketch
from jobs.registry import catalog
from tests.jobs.providers.orders import image, order


def drawn(model="local.sketch", **more) -> list[bytes]:
    outcome = LocalSketch().submit(order(model, **more))
    return [output.file.read() for output in outcome.outputs]


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


class TestSketch:
    def test_the_same_words_and_seed_give_the_same_bytes(self):
        assert drawn(parameters={"seed": 7}) == drawn(parameters={"seed": 7}, job_id="job_2")

    def test_another_seed_another_picture(self):
        assert drawn(parameters={"seed": 7}) != drawn(parameters={"seed": 8})

    def test_pictures_of_one_order_differ(self):
        images = drawn(output_count=4)

        assert len({hashlib.sha256(content).digest() for content in images}) == 4

    @pytest.mark.parametrize(
        ("aspect_ratio", "size"),
        [("1:1", (1024, 1024)), ("16:9", (1280, 720)), ("9:16", (720, 1280))],
    )
    def test_the_aspect_ratio_decides_the_size(self, aspect_ratio, size):
        assert opened(drawn(aspect_ratio=aspect_ratio)[0]).size == size

    def test_a_size_of_the_caller_s_wins(self):
        assert opened(drawn(parameters={"size": "640x320"})[0]).size == (640, 320)

    @pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
    def test_every_format_decodes_as_what_it_says(self, kind):
        outcome = LocalSketch().submit(order("local.sketch", output_format=kind))

        output = outcome.outputs[0]
        content = output.file.read()
        assert output.mime_type == f"image/{kind}"
        assert output.content_length == len(content)
        assert opened(content).format == kind.upper()

    @pytest.mark.parametrize("style", sorted(sketch.STYLES))
    @pytest.mark.parametrize("palette", sorted(palettes.PALETTES))
    def test_every_style_and_palette_is_a_lively_picture(self, style, palette):
        image = opened(drawn(parameters={"style": style, "palette": palette})[0])

        assert max(ImageStat.Stat(image.convert("L")).stddev) > 15

    def test_the_row_offers_what_can_be_drawn(self):
        parameters = catalog.find("local.sketch").parameters
        effects = catalog.find("local.sketch-remix").parameters["effect"]["enum"]

        assert set(parameters["style"]["enum"]) == {"auto", *sketch.STYLES}
        assert set(parameters["palette"]["enum"]) == {"auto", *palettes.PALETTES}
        assert set(effects) == {"auto", *remix.EFFECTS}

    def test_words_show_in_the_caption_and_none_without_it(self):
        with_words = sketch.Sketch(prompt="tea", seed=1, number=0, size=(512, 512))
        others = sketch.Sketch(prompt="漢字", seed=1, number=0, size=(512, 512))

        foot = (20, 470, 400, 500)
        assert len(sketch.draw(with_words).crop(foot).getcolors(99_999)) > 1
        assert len(sketch.draw(others).crop(foot).getcolors(99_999)) == 1

    def test_a_very_long_prompt_in_any_script_is_drawn(self):
        assert drawn(prompt="日本語 " * 4000 + "x" * 9000)


class TestRemix:
    def submit(self, **more):
        source = Image.linear_gradient("L").resize((640, 480))
        values = {"operation": "image.edit", "inputs": (image(source),), "aspect_ratio": "auto"}
        return LocalSketch().submit(order("local.sketch-remix", **(values | more)))

    @pytest.mark.parametrize("effect", sorted(remix.EFFECTS))
    def test_every_effect_keeps_the_shape_and_changes_the_picture(self, effect):
        outcome = self.submit(parameters={"effect": effect})

        image = opened(outcome.outputs[0].file.read())
        assert image.size == (640, 480)
        assert ImageStat.Stat(image).stddev != [0, 0, 0]

    def test_the_price_comes_afterwards_by_pixels(self):
        outcome = self.submit()

        assert outcome.usage == {"megapixel": "0.29296875"}
        assert outcome.cost_usd == Decimal("0.29296875") * Decimal("0.005")

    def test_transparency_becomes_paper(self):
        clear = image(Image.new("RGBA", (600, 600), (0, 0, 0, 0)))

        outcome = self.submit(inputs=(clear,), parameters={"effect": "recolor"})

        assert opened(outcome.outputs[0].file.read()).mode == "RGB"

    def test_an_input_that_does_not_open_is_a_permanent_failure(self):
        broken = InputImage(
            role="input", open=lambda: io.BytesIO(b"no"), mime_type="image/png", content_length=2
        )

        with pytest.raises(ProviderError) as caught:
            self.submit(inputs=(broken,))
        assert caught.value.failure is PERMANENT
