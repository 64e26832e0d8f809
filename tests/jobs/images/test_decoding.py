"""Strangers' bytes are opened in a process of their own, within limits."""

import gc
import io
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from jobs.images import decoding
from tests.jobs.sample_images import exif, noise


@pytest.fixture
def file():
    """Put bytes into a real file."""

    def make(data: bytes):
        made = tempfile.TemporaryFile()  # noqa: SIM115 - the test goes on with it
        made.write(data)
        made.seek(0)
        return made

    return make


def bomb(side: int) -> bytes:
    """Make a PNG of a few kilobytes that says it has `side` x `side` pixels, and has them."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


def inspect(file):
    """Look at an image as an upload is looked at, and forget what was written."""
    with tempfile.TemporaryFile() as cleaned:
        return decoding.sanitize(file, cleaned)


class TestSanitize:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
    def test_knows_a_picture_by_its_bytes(self, file, kind):
        found = inspect(file(noise(kind)))

        assert (found.mime_type, found.width, found.height, found.frames) == (
            f"image/{kind.lower()}",
            640,
            480,
            1,
        )

    def test_gives_the_size_as_displayed(self, file):
        found = inspect(file(noise("JPEG", exif=exif(orientation=6))))

        assert (found.width, found.height) == (480, 640)

    def test_leaves_the_file_at_its_start(self, file):
        source = file(noise())

        inspect(source)

        assert source.tell() == 0

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "nothing"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "markup"),
            (b"%PDF-1.7", "PDF"),
            (b"BM" + bytes(60), "BMP"),
            (b"II*\x00" + bytes(60), "TIFF"),
            (b"\x00\x00\x00\x18ftypheic" + bytes(16), "HEIC"),
            (b"hello", "no image format"),
        ],
    )
    def test_says_what_else_the_bytes_are(self, file, data, words):
        with pytest.raises(decoding.UndecodableImage, match=words):
            inspect(file(data))

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
    def test_refuses_a_truncated_picture(self, file, kind):
        data = noise(kind)

        with pytest.raises(decoding.UndecodableImage, match="can't be"):
            inspect(file(data[: len(data) * 2 // 3]))

    def test_refuses_too_many_pixels_from_the_header(self, file):
        source = file(bomb(20_000))
        before = time.process_time()

        with pytest.raises(decoding.UndecodableImage, match="20000 x 20000"):
            inspect(source)

        assert time.process_time() - before < 0.5

    def test_refuses_too_many_frames(self, file, settings):
        settings.PICTURE_FRAMES = 2
        frames = [Image.new("L", (8, 8), n * 60) for n in range(3)]
        data = io.BytesIO()
        frames[0].save(data, "GIF", save_all=True, append_images=frames[1:])

        with pytest.raises(decoding.UndecodableImage, match="3 frames"):
            inspect(file(data.getvalue()))

    def test_memory_is_limited(self, file, settings):
        settings.DECODE_MEMORY_BYTES = 250_000_000
        settings.PICTURE_PIXELS = 10**9

        with pytest.raises(decoding.UndecodableImage, match=r"memory|decoded"):
            inspect(file(bomb(16_000)))

    def test_time_is_limited(self, file, settings):
        settings.DECODE_SECONDS = 1
        settings.PICTURE_PIXELS_OF_ALL_FRAMES = 10**11
        still = io.BytesIO()
        Image.new("L", (4000, 4000)).save(still, "GIF")
        start = still.getvalue().index(b"\x2c\0\0\0\0")
        frame = still.getvalue()[start:-1]
        film = still.getvalue()[:start] + frame * 250 + b"\x3b"

        with pytest.raises(decoding.UndecodableImage, match="too long"):
            inspect(file(film))

    def test_works_again_after_its_process_was_killed(self, file):
        inspect(file(noise()))
        os.kill(decoding._decoder._process.pid, signal.SIGKILL)
        time.sleep(0.1)

        assert inspect(file(noise())).width == 640

    def test_serves_many_at_once(self, file):
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(inspect(file(noise())))) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [one.width for one in found] == [640] * 12

    @given(data=st.binary(max_size=300), kind=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]))
    def test_random_bytes_are_refused_and_nothing_else(self, data, kind):
        start = noise(kind, size=(8, 8))
        with tempfile.TemporaryFile() as made, tempfile.TemporaryFile() as target:
            made.write(start[: len(start) // 2] + data)
            try:
                decoding.sanitize(made, target)
            except decoding.UndecodableImage as refusal:
                assert str(refusal)  # noqa: PT017 - most are refused, not all


class TestGlance:
    def test_makes_a_thumbnail_turned_upright(self, file):
        thumbnail = file(b"")

        decoding.make_thumbnail(
            file(noise("JPEG", size=(2000, 1000), exif=exif(orientation=6))), thumbnail
        )

        with Image.open(thumbnail) as image:
            assert image.format == "WEBP"
            assert image.size == (256, 512)

    def test_tells_a_flat_colour(self, file):
        flat = io.BytesIO()
        Image.new("RGB", (300, 200), "black").save(flat, "PNG")

        assert decoding.make_thumbnail(file(flat.getvalue()), file(b"")).is_blank
        assert not decoding.make_thumbnail(file(noise()), file(b"")).is_blank

    def test_alike_pictures_have_near_hashes(self, file):
        source = Image.linear_gradient("L").rotate(30).resize((500, 400))
        hashes = []
        for kind, size in (("PNG", (500, 400)), ("JPEG", (480, 384))):
            data = io.BytesIO()
            source.resize(size).convert("RGB").save(data, kind)
            hashes.append(decoding.make_thumbnail(file(data.getvalue()), file(b"")).difference_hash)
        other = decoding.make_thumbnail(file(noise()), file(b"")).difference_hash

        assert (hashes[0] ^ hashes[1]).bit_count() <= 3
        assert (hashes[0] ^ other).bit_count() > 10


def test_nothing_is_left_open(file):
    inspect(file(noise()))
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        inspect(file(noise("PNG", size=(8, 8))))
    gc.collect()

    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
