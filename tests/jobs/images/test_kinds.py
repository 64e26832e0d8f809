"""The kinds of images that arrive: what is kept of each, and as what it leaves."""

import io
import tempfile

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat, PngImagePlugin

from jobs.images import conversions, decoding, formats
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


def converted(data: bytes, *, accepts=PROVIDER_TYPES, max_bytes=0):
    target = in_file(b"")
    found = decoding.convert(in_file(data), target, accepts=accepts, max_bytes=max_bytes)
    return found, Image.open(target if found.is_converted else io.BytesIO(data))


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
