"""Metadata goes, the image stays, and nothing is encoded anew."""

import io
import zlib

import pytest
from PIL import Image, ImageCms, ImageSequence
from PIL.PngImagePlugin import PngInfo

from jobs.images.cleaning import MalformedImage, clean
from jobs.images.formats import AVIF, GIF, JPEG, PNG, WEBP, sniff
from tests.jobs.sample_images import SECRET, exif, noise

KINDS = [PNG, JPEG, WEBP, GIF, AVIF]
XMP = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"


def pixels(data: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(image)]


def cleaned(data: bytes) -> bytes:
    kind = sniff(data[:64])
    assert kind is not None
    return clean(data, kind=kind)


def animation(kind: str, **options: object) -> bytes:
    frames = [Image.effect_noise((64, 48), 60 + 20 * n).convert("RGB") for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=90, **options)
    return file.getvalue()


class TestClean:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.extension)
    def test_picture_without_metadata_stays_byte_for_byte(self, kind):
        data = noise(kind.pillow_name)

        assert cleaned(data) == data

    @pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
    def test_animation_without_metadata_stays_byte_for_byte(self, kind):
        data = animation(kind)

        assert cleaned(data) == data

    @pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
    def test_animation_keeps_every_frame(self, kind):
        data = animation(kind, exif=exif())

        assert SECRET not in cleaned(data)
        assert pixels(cleaned(data)) == pixels(data)

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.extension)
    def test_trailing_data_goes(self, kind):
        data = noise(kind.pillow_name)

        assert cleaned(data + SECRET) == data

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
    def test_exif_goes_and_the_pixels_stay(self, kind):
        data = noise(kind, exif=exif())
        assert SECRET in data

        assert SECRET not in cleaned(data)
        assert pixels(cleaned(data)) == pixels(data)

    @pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
    def test_xmp_goes(self, kind):
        data = noise(kind, xmp=XMP)
        assert SECRET in data

        assert SECRET not in cleaned(data)
        assert pixels(cleaned(data)) == pixels(data)

    def test_comments_go(self):
        for kind in ("GIF", "JPEG"):
            data = noise(kind, comment=SECRET)
            assert SECRET in data
            assert SECRET not in cleaned(data)

    def test_texts_of_a_png_go(self):
        info = PngInfo()
        info.add_text("Comment", SECRET.decode())
        info.add_text("Prompt", SECRET.decode(), zip=True)
        info.add_itxt("Where", SECRET.decode())
        info.add(b"prVt", SECRET, after_idat=True)
        data = noise("PNG", size=(64, 48), pnginfo=info)

        assert all(name in data for name in (b"tEXt", b"zTXt", b"iTXt", b"prVt"))

        after = cleaned(data)

        assert not any(name in after for name in (b"tEXt", b"zTXt", b"iTXt", b"prVt"))
        assert pixels(after) == pixels(data)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
    @pytest.mark.parametrize("orientation", [3, 6])
    def test_orientation_keeps_its_effect(self, kind, orientation):
        with Image.open(
            io.BytesIO(cleaned(noise(kind, exif=exif(orientation=orientation))))
        ) as one:
            assert one.getexif().get(0x0112) == orientation

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
    def test_color_profile_stays(self, kind):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

        data = cleaned(noise(kind, icc_profile=profile, exif=exif()))

        with Image.open(io.BytesIO(data)) as image:
            assert image.info["icc_profile"] == profile

    def test_progressive_jpeg_keeps_all_its_scans(self):
        data = noise("JPEG", progressive=True, exif=exif())

        assert pixels(cleaned(data)) == pixels(data)

    def test_preview_in_a_jfif_header_goes(self):
        data = noise("JPEG")
        header = b"\xff\xe0\x00\x13JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01abc"

        assert b"abc" not in cleaned(data[:2] + header + data[20:])[:64]

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.extension)
    def test_torn_file_is_unsound(self, kind):
        data = noise(kind.pillow_name)

        with pytest.raises(MalformedImage):
            cleaned(data[: len(data) // 2])

    def test_critical_chunk_that_nobody_knows_is_unsound(self):
        data = noise("PNG")
        chunk = b"\x00\x00\x00\x00EVIL" + zlib.crc32(b"EVIL").to_bytes(4, "big")

        with pytest.raises(MalformedImage):
            cleaned(data[:33] + chunk + data[33:])
