import json
from base64 import b64encode

import pytest

from jobs.providers import base64_answers
from jobs.providers.failures import BROKEN_RUN, ProviderError

IMAGES = [bytes(range(256)) * 40, b"\xff\xd8\xff" * 1001, b"x"]


def answer(**more) -> bytes:
    data = [{"b64_json": b64encode(one).decode(), "revised_prompt": "a"} for one in IMAGES]
    return json.dumps({"created": 1, "data": data, "usage": {"total_tokens": 3}} | more).encode()


def lift(document: bytes, step: int, image_bytes=1_000_000):
    chunks = [document[at : at + step] for at in range(0, len(document), step)]
    return base64_answers.extract_images(chunks, image_bytes=image_bytes)


class TestLift:
    @pytest.mark.parametrize("step", [1, 7, 64, 4096, 1_000_000])
    def test_pictures_come_out_whole_however_the_answer_is_cut(self, step):
        lifted = lift(answer(), step)

        entries = lifted.document["data"]
        assert [lifted.image(entry).read() for entry in entries] == IMAGES
        assert lifted.document["usage"] == {"total_tokens": 3}
        assert entries[0]["revised_prompt"] == "a"

    @pytest.mark.parametrize("step", [1, 5, 1000])
    def test_escaped_slashes_are_understood(self, step):
        lifted = lift(answer().replace(b"/", b"\\/"), step)

        assert lifted.image(lifted.document["data"][0]).read() == IMAGES[0]

    def test_text_that_looks_like_a_picture_stays_text(self):
        words = 'say "b64_json": "AAAA" loudly'

        lifted = lift(answer(note=words), 50)

        assert lifted.document["note"] == words
        assert len(lifted.images) == len(IMAGES)

    def test_spaces_around_the_colon_are_fine(self):
        lifted = lift(b'{"data": [{"b64_json" :   "QUJD"}]}', 3)

        assert lifted.images[0].read() == b"ABC"

    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            (answer()[:-2000], "answer_not_json"),
            (b'{"data": [{"b64_json": "QUJD', "answer_not_json"),
            (b"<html>", "answer_not_json"),
            (b"", "answer_not_json"),
            (b'{"data": [{"b64_json": "QU*D"}]}', "answer_not_base64"),
            (b'{"data": [{"b64_json": "QUJDR"}]}', "answer_not_base64"),
        ],
    )
    def test_a_broken_answer_is_a_broken_run(self, document, reason):
        with pytest.raises(ProviderError) as caught:
            lift(document, 100)

        assert (caught.value.failure, caught.value.reason) == (BROKEN_RUN, reason)

    def test_a_picture_past_the_limit_is_given_up_at_once(self):
        with pytest.raises(ProviderError) as caught:
            lift(answer(), 100, image_bytes=1000)

        assert caught.value.reason == "output_too_large"
