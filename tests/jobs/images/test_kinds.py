"""The kinds of images that arrive: what is kept of each, and as what it leaves."""

import io
import tempfile

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat, PngImagePlugin

from jobs.images import colors, conversions, decoding, formats
from jobs.images.cleaning import clean
from jobs.images.formats import AVIF, GIF, JPEG, PNG, WEBP
from jobs.images.manifest_states import KEPT, NONE, REMOVED
from tests.jobs import image_kinds
from tests.jobs.image_kinds import BAD, GOOD, png_chunk, ramp, saved
from tests.jobs.sample_images import SECRET, exif

PROVIDER_TYPES = ("image/png", "image/jpeg", "image/webp")


def in_file(data: bytes):
    made = tempfile.TemporaryFile()  # noqa: SIM115 - the test goes on with it
    made.write(data)
    made.seek(0)
    return made


def sanitized(data: bytes, **options) -> tuple[decoding.SanitizedImage, bytes]:
    cleaned = in_file(b"")
    found = decoding.sanitize(in_file(data), cleaned, **options)
    return found, cleaned.read()


def converted(data: bytes, **wanted):
    limits = {"max_pixels": 1_000_000, "max_edge": 4_000}
    target = in_file(b"")
    options = {"accepts": PROVIDER_TYPES, **limits, **wanted}
    found = decoding.convert(in_file(data), target, **options)
    return _sent(found, target, data)


def converted_mask(data: bytes, **wanted):
    target = in_file(b"")
    found = decoding.convert_mask(
        in_file(data), target, **{"accepts": ("image/png",), "marks": "transparency"} | wanted
    )
    return _sent(found, target, data)


def _sent(found, target, data):
    if not found.fits:
        return found, None
    image = Image.open(io.BytesIO(target.read() if found.is_converted else data))
    assert (image.size, Image.MIME[image.format]) == ((found.width, found.height), found.mime_type)
    return found, image


class TestArrival:
    @pytest.mark.parametrize("name", GOOD)
    def test_is_taken_cleaned_and_leaves_upright(self, name, monkeypatch):
        monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", formats.MAX_PROFILE_BYTES)
        mime_type, make, size = GOOD[name]

        found, kept = sanitized(make())

        assert (found.mime_type, found.width, found.height) == (mime_type, *size)
        assert SECRET not in kept
        with Image.open(io.BytesIO(kept)) as served:
            assert served.format == mime_type.partition("/")[2].upper()  # never an MPO
        sent, image = converted(kept)
        assert (image.size, image.getexif().get(0x0112, 1)) == (size, 1)
        assert image.mode in {"RGB", "RGBA"}
        assert getattr(image, "n_frames", 1) == 1
        assert Image.MIME[image.format] == sent.mime_type
        assert sent.mime_type in PROVIDER_TYPES

    @pytest.mark.parametrize("name", BAD)
    def test_is_refused(self, name):
        with pytest.raises(decoding.UndecodableImage):
            sanitized(BAD[name][1]())

    def test_scans_are_counted_before_they_cost(self, settings):
        settings.DECODE_SECONDS = 1
        data = image_kinds.scans(2000)

        with pytest.raises(decoding.UndecodableImage, match="more than 100 scans"):
            sanitized(data)

    def test_a_profile_stays(self):
        _, kept = sanitized(image_kinds.png_big_profile())

        assert b"iCCP" in kept

    def test_sixteen_bits_of_gray_are_shown_as_they_are(self):
        thumbnail = in_file(b"")

        seen = decoding.make_thumbnail(in_file(image_kinds.sixteen_bit()), thumbnail)

        assert not seen.is_blank
        [(darkest, lightest), *_] = ImageStat.Stat(Image.open(thumbnail)).extrema
        assert darkest < 20
        assert 200 < lightest < 255

    @pytest.mark.parametrize(
        ("name", "needed"),
        [
            ("jpeg", []),
            ("jpeg mpo", []),  # by now it is its first image alone
            ("jpeg orientation 1", []),
            *((f"jpeg orientation {n}", [conversions.TURNED]) for n in range(2, 9)),
            ("png orientation 6", [conversions.TURNED]),
            ("webp orientation 8", [conversions.TURNED]),
            ("jpeg cmyk", [conversions.COLORS]),
            ("jpeg cmyk with profile", [conversions.COLORS]),
            ("png 16 bit gray", [conversions.COLORS]),
            ("png 16 bit rgb", [conversions.COLORS]),
            ("png 16 bit gray and alpha", [conversions.COLORS]),
            ("png palette", []),
            ("png animation", [conversions.FIRST_FRAME]),
            ("webp animation", [conversions.FIRST_FRAME]),
            ("gif", []),
            ("gif animation", [conversions.FIRST_FRAME]),
            ("gif of two frames", [conversions.FIRST_FRAME]),
            ("avif animation", [conversions.FIRST_FRAME]),
            ("png with a large profile", [conversions.PROFILE]),
        ],
    )
    def test_notes_what_a_provider_needs_done_to_it(self, name, needed):
        found, kept = sanitized(GOOD[name][1]())

        assert found.conversions == needed
        sent, _ = converted(kept, accepts=formats.MIME_TYPES)
        assert sent.is_converted or not needed

    @pytest.mark.parametrize(
        ("data", "luma", "alpha"),
        [
            (lambda: saved("PNG", Image.new("RGB", (8, 8), "white")), 255, 255),
            (lambda: saved("PNG", Image.new("RGBA", (8, 8), (9, 9, 9, 0))), 9, 0),
            (lambda: saved("GIF", Image.new("L", (8, 8), 0)), 0, 255),
            (lambda: saved("PNG", Image.new("I;16", (8, 8), 1_000)), 3, 255),
        ],
    )
    def test_notes_what_a_mask_could_mark(self, data, luma, alpha):
        found, _ = sanitized(data())

        assert (found.min_luma, found.min_alpha) == (luma, alpha)


class TestLeaving:
    def test_pixels_are_turned(self):
        image = Image.new("RGB", (64, 48), "blue")
        image.paste("red", (0, 0, 64, 8))  # on top as stored, at the right as shown

        _, sent = converted(saved("JPEG", image, exif=exif(orientation=6)))

        red, _, blue = sent.getpixel((sent.width - 3, 30))
        assert (sent.size, red > 200, blue < 60) == ((48, 64), True, True)

    @pytest.mark.parametrize("number", range(2, 9))
    def test_pixels_stand_as_other_readers_show_them(self, number):
        data = saved("PNG", exif=exif(orientation=number))

        _, sent = converted(data)

        shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        assert (sent.size, sent.tobytes()) == (shown.size, shown.tobytes())

    def test_a_profile_larger_than_readers_take_by_default_stays_behind(self, monkeypatch):
        data = image_kinds.png_big_profile()
        monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", formats.MAX_PROFILE_BYTES)
        stored = Image.open(io.BytesIO(data)).convert("RGB")
        monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1 << 20)

        found, sent = converted(data)

        assert (found.is_converted, "icc_profile" in sent.info) == (True, False)
        changes = ImageChops.difference(sent, stored).getextrema()
        assert max(high for _, high in changes) <= 2  # the profile is sRGB's

    def test_colors_are_as_such_a_profile_shows_them(self):
        _, sent = converted(image_kinds.png_of_swapped_colors())

        red, green, _ = sent.getpixel((9, 9))
        assert (red < 60, green > 200) == (True, True)

    def test_a_transparent_value_of_sixteen_bits_takes_no_pixels_of_eight_away(self):
        gray = Image.new("I;16", (64, 48), 52 * 256)

        _, sent = converted(saved("PNG", gray, transparency=4660))  # 52 in its lower 8 bits

        assert (sent.mode, sent.getpixel((9, 9))) == ("RGB", (52, 52, 52))

    def test_cmyk_is_converted_by_its_own_profile(self, monkeypatch):
        data = image_kinds.cmyk_with_profile()

        def convert(image, profile, into, outputMode):  # noqa: N803 - as Pillow names it
            assert (image.mode, profile.read()) == ("CMYK", image_kinds.srgb_profile())
            return Image.new(outputMode, image.size, (1, 2, 3))

        monkeypatch.setattr(colors.ImageCms, "profileToProfile", convert)

        assert colors.to_rgb(Image.open(io.BytesIO(data))).getpixel((9, 9)) == (1, 2, 3)

    def test_what_is_plain_is_not_encoded_again(self):
        found, _ = converted(saved("WEBP"))

        assert not found.is_converted

    def test_what_the_model_does_not_take_goes_as_png(self):
        found, image = converted(saved("WEBP", ramp("RGBA")), accepts=("image/png",))

        assert (found.mime_type, image.mode) == ("image/png", "RGBA")

    def test_what_would_be_too_large_as_png_goes_as_jpeg(self):
        noise = Image.effect_noise((200, 200), 90).convert("RGB")

        found, _ = converted(saved("GIF", noise), max_bytes=20_000)

        assert found.mime_type == "image/jpeg"


class TestSmaller:
    """What is larger than its model takes is made smaller, and no smaller than it must be."""

    @pytest.mark.parametrize(
        ("limits", "size"),
        [
            ({"max_pixels": 200 * 100}, (200, 100)),
            ({"max_pixels": 200 * 100 - 1}, (199, 99)),
            ({"max_edge": 100}, (100, 50)),
            ({"max_edge": 1}, (1, 1)),
            ({"max_pixels": 400 * 200, "max_edge": 400}, (400, 200)),
        ],
    )
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
    def test_it_has_the_largest_size_of_its_ratio(self, limits, size, kind):
        found, sent = converted(saved(kind, ramp(size=(400, 200))), **limits)

        assert sent.size == size
        assert found.is_converted or (size == (400, 200) and kind != "GIF")

    def test_a_turned_one_has_it_as_shown(self):
        data = saved("JPEG", ramp(size=(400, 200)), exif=exif(orientation=6))

        _, sent = converted(data, max_edge=100)

        assert (sent.size, sent.getexif().get(0x0112, 1)) == ((50, 100), 1)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
    def test_of_too_many_bytes_it_is_compressed_before_it_is_scaled(self, kind):
        noisy = Image.effect_noise((400, 400), 90).convert("RGB")
        lossy = kind in {"JPEG", "WEBP", "AVIF"}
        data = saved(kind, noisy, **({"quality": 100} if lossy else {}))
        limit = len(saved("JPEG", noisy, quality=85, subsampling=0)) + 2_000

        found, sent = converted(data, max_bytes=limit)

        assert (found.mime_type, sent.size) == ("image/jpeg", (400, 400))
        assert sent.fp.getbuffer().nbytes < limit

    @pytest.mark.parametrize("max_bytes", [20_000, 2_000])
    @pytest.mark.parametrize(
        ("mode", "accepts"), [("RGB", PROVIDER_TYPES), ("RGB", ("image/png",)), ("RGBA", None)]
    )
    def test_what_compressing_can_t_do_scaling_does(self, mode, accepts, max_bytes):
        noisy = Image.effect_noise((400, 300), 90).convert(mode)
        if mode == "RGBA":
            noisy.putalpha(noisy.getchannel("R"))

        found, sent = converted(
            saved("PNG", noisy), accepts=accepts or PROVIDER_TYPES, max_bytes=max_bytes
        )

        assert (sent.mode, found.is_converted) == (mode, True)
        assert sent.width / sent.height == pytest.approx(4 / 3, rel=0.1)
        assert max_bytes / 8 < sent.fp.getbuffer().nbytes <= max_bytes

    def test_an_empty_limit_is_none(self):
        noisy = Image.effect_noise((400, 400), 90).convert("RGB")

        found, _ = converted(saved("PNG", noisy), max_bytes=0)

        assert not found.is_converted

    def test_what_can_t_be_small_enough_is_refused(self):
        with pytest.raises(decoding.UndecodableImage, match="small enough"):
            converted(saved("PNG", ramp("RGBA", (300, 300))), max_bytes=60)


class TestMasks:
    """A mask has the size of what is sent as its image, and the marks that it had."""

    def marked(self, mode="RGBA", kind="PNG", **options):
        image = Image.new("RGBA", (300, 200), (10, 200, 30, 255))
        image.paste((250, 0, 90, 0), (101, 51, 200, 150))
        return saved(kind, image.convert(mode), **options)

    def test_one_that_fits_is_sent_as_it_is(self):
        found, _ = converted_mask(self.marked(), size=(300, 200))

        assert not found.is_converted

    @pytest.mark.parametrize("size", [(150, 100), (149, 99), (299, 199)])
    def test_a_smaller_one_has_the_nearest_pixels(self, size):
        _, sent = converted_mask(self.marked(), size=size)

        assert sent.size == size
        assert {color for _, color in sent.getcolors()} == {(10, 200, 30, 255), (250, 0, 90, 0)}
        share = sent.getchannel("A").histogram()[0] / (size[0] * size[1])
        assert share == pytest.approx(99 * 99 / 60_000, abs=0.01)

    def test_a_turned_one_has_the_size_as_shown(self):
        data = self.marked(exif=exif(orientation=6))

        _, sent = converted_mask(data, size=(100, 150))

        assert sent.size == (100, 150)

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
    def test_it_goes_as_png(self, kind):
        options = {} if kind == "GIF" else {"quality": 100}
        found, sent = converted_mask(self.marked(kind=kind, **options), size=(300, 200))

        assert found.mime_type == "image/png"
        assert sent.convert("RGBA").getchannel("A").getextrema() == (0, 255)

    def test_of_too_many_bytes_what_marks_is_kept_alone(self):
        noisy = Image.effect_noise((300, 200), 90).convert("RGBA")
        noisy.putalpha(Image.open(io.BytesIO(self.marked())).getchannel("A"))

        found, sent = converted_mask(saved("PNG", noisy), size=(300, 200), max_bytes=3_000)

        assert (found.fits, sent.mode) == (True, "RGBA")
        assert sent.getchannel("A").tobytes() == noisy.getchannel("A").tobytes()

    def test_black_is_kept_alone_too(self):
        noises = [Image.effect_noise((300, 200), 90) for _ in range(3)]
        colored = Image.merge("RGB", noises)
        colored.paste("black", (0, 0, 300, 190))

        _, sent = converted_mask(
            saved("PNG", colored), size=(300, 200), max_bytes=5_500, marks="black"
        )

        assert sent.mode == "L"
        assert sent.tobytes() == colored.convert("L").tobytes()

    def test_one_of_marks_alone_may_not_fit(self):
        noisy = Image.new("RGBA", (300, 200))
        noisy.putalpha(Image.effect_noise((300, 200), 90))

        found, _ = converted_mask(saved("PNG", noisy), size=(300, 200), max_bytes=3_000)

        assert (found.fits, found.is_converted) == (False, True)


def manifest(*, signed: bool = True) -> bytes:
    """Make the shape of a C2PA manifest store."""
    name = b"c2pa.signature\x00" if signed else b"something.else\x00"
    description = b"jumdc2pa" + bytes(12) + b"\x03c2pa\x00"
    inner = (4 + len(description)).to_bytes(4, "big") + description + name
    return (8 + len(inner)).to_bytes(4, "big") + b"jumb" + inner


def signed_png(box: bytes, *, texts: bytes = b"") -> bytes:
    data = saved("PNG")
    return data[:33] + texts + png_chunk(b"caBX", box) + data[33:]


def signed_file(kind, box: bytes) -> bytes:
    data = saved(kind.pillow_name)
    if kind is PNG:
        return signed_png(box)
    if kind is JPEG:
        body = b"JP\x00\x01\x00\x00\x00\x01" + box
        return data[:20] + b"\xff\xeb" + (len(body) + 2).to_bytes(2, "big") + body + data[20:]
    if kind is WEBP:
        data = saved("WEBP", ramp("RGBA"))
        chunk = b"C2PA" + len(box).to_bytes(4, "little") + box + b"\x00" * (len(box) % 2)
        return data[:4] + (len(data) - 8 + len(chunk)).to_bytes(4, "little") + data[8:] + chunk
    if kind is GIF:
        blocks = bytes((len(box),)) + box + b"\x00"
        return data[:-1] + b"\x21\xff\x0bC2PA_GIF\x01\x00\x00" + blocks + b"\x3b"
    kind_id = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
    content = kind_id + bytes(4) + b"manifest\x00" + bytes(8) + box
    return data + (8 + len(content)).to_bytes(4, "big") + b"uuid" + content


class TestManifests:
    @pytest.mark.parametrize("kind", [PNG, JPEG, WEBP, GIF, AVIF], ids=lambda kind: kind.extension)
    def test_a_signed_image_with_nothing_else_stays_byte_for_byte(self, kind):
        data = signed_file(kind, manifest())

        found, kept = sanitized(data, keep_manifest=True)

        assert (kept == data, found.manifest) == (True, KEPT)

    @pytest.mark.parametrize("kind", [PNG, JPEG, WEBP, GIF, AVIF], ids=lambda kind: kind.extension)
    def test_without_a_signature_it_is_no_manifest(self, kind):
        data = signed_file(kind, manifest(signed=False))

        found, kept = sanitized(data, keep_manifest=True)

        assert (b"something.else" in kept, found.manifest) == (False, NONE)

    def test_text_beside_it_takes_it_along(self):
        text = png_chunk(b"tEXt", b"parameters\x00" + SECRET)

        found, kept = sanitized(signed_png(manifest(), texts=text), keep_manifest=True)

        assert found.manifest == REMOVED
        assert not any(word in kept for word in (SECRET, b"c2pa", b"caBX"))

    def test_trailing_data_takes_it_along(self):
        found, _ = sanitized(signed_png(manifest()) + SECRET, keep_manifest=True)

        assert found.manifest == REMOVED

    def test_of_an_upload_it_goes(self):
        found, kept = sanitized(signed_png(manifest()))

        assert (b"caBX" in kept, found.manifest) == (False, NONE)

    def test_more_than_a_manifest_in_its_box_goes(self):
        data = signed_png(manifest() + SECRET)

        assert clean(data, kind=PNG, keep_manifest=True) == clean(data, kind=PNG)
