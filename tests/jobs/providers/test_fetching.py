import gzip
import time

import httpx
import pytest

from imageskill.dev.standins.faults import Fault
from imageskill.dev.standins.messages import StandInResponse
from imageskill.dev.standins.providers.image import render
from imageskill.dev.standins.server import StandIn, serve
from jobs.providers import fetching
from jobs.providers.failures import BROKEN_RUN, TRANSIENT, ProviderError

IMAGE = render(words="x", size=(64, 64))


@pytest.fixture(scope="module")
def _host():
    host = StandIn("files")
    png = {"Content-Type": "image/png"}
    host.route("GET", "/ok.png")(lambda _: StandInResponse(IMAGE, 200, png))
    host.route("GET", "/bytes")(lambda _: StandInResponse(IMAGE))
    host.route("GET", "/page")(lambda _: StandInResponse("<html>"))
    host.route("GET", "/lie.png")(lambda _: StandInResponse(b"no image at all", 200, png))
    host.route("GET", "/empty.png")(lambda _: StandInResponse(b"", 200, png))
    host.route("GET", "/big.png")(lambda _: StandInResponse(IMAGE + bytes(200_000), 200, png))
    packed = png | {"Content-Encoding": "gzip"}
    host.route("GET", "/packed.png")(lambda _: StandInResponse(gzip.compress(IMAGE), 200, packed))
    host.route("GET", "/moved")(lambda _: StandInResponse(b"", 302, {"Location": "/ok.png"}))
    host.route("GET", "/round")(lambda _: StandInResponse(b"", 302, {"Location": "/round"}))
    away = {"Location": "http://169.254.169.254/latest/meta-data"}
    host.route("GET", "/away")(lambda _: StandInResponse(b"", 307, away))
    host.route("GET", "/gone.png")(lambda _: StandInResponse(b"", 404))
    with serve(host) as base_url:
        yield host, base_url


@pytest.fixture
def host(_host, settings):
    settings.OUTPUT_BYTES = 100_000
    settings.OUTPUT_FETCH_S = 2
    stand_in, base_url = _host
    stand_in.reset()
    stand_in.base_url = base_url
    return stand_in


def fetch(host, path: str):
    origins = fetching.Origins(host.base_url, ["*.files.example"])
    with httpx.Client() as client:
        return fetching.fetch(client, host.base_url + path, origins=origins)


def refusal(host, path: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        fetch(host, path)
    return caught.value


class TestFetch:
    @pytest.mark.parametrize("path", ["/ok.png", "/bytes", "/moved"])
    def test_a_picture_arrives_as_it_is(self, host, path):
        output = fetch(host, path)

        assert output.file.read() == IMAGE
        assert (output.mime_type, output.content_length) == ("image/png", len(IMAGE))

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/page", "output_type"),
            ("/lie.png", "output_not_an_image"),
            ("/empty.png", "output_not_an_image"),
            ("/big.png", "output_too_large"),
            ("/packed.png", "output_encoding"),
            ("/round", "output_redirects"),
            ("/away", "output_host_unknown"),
            ("/gone.png", "output_http_404"),
        ],
    )
    def test_what_is_no_picture_of_the_provider_s_is_refused(self, host, path, reason):
        error = refusal(host, path)

        assert (error.failure, error.reason) == (BROKEN_RUN, reason)

    def test_a_redirect_to_elsewhere_is_not_followed(self, host):
        refusal(host, "/away")

        assert [request.path for request in host.requests] == ["/away"]

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_host_in_trouble_can_be_asked_again(self, host, status):
        host.faults.add(Fault(status=status))

        assert refusal(host, "/ok.png").failure is TRANSIENT

    def test_a_cut_connection_can_be_asked_again(self, host):
        host.faults.add(Fault(cut="within"))

        assert refusal(host, "/ok.png").failure is TRANSIENT

    def test_a_trickle_ends_in_time(self, host):
        host.faults.add(Fault(pause_s=8))

        began = time.monotonic()
        error = refusal(host, "/ok.png")

        assert (error.failure, error.reason) == (TRANSIENT, "output_too_slow")
        assert time.monotonic() - began < 5


class TestOrigins:
    ORIGINS = fetching.Origins("https://queue.fal.example:8443/base", ["*.media.example"])

    @pytest.mark.parametrize(
        "url",
        [
            "https://v3.media.example/a.png",
            "https://queue.fal.example:8443/files/a.png",
        ],
    )
    def test_the_provider_s_own_are_allowed(self, url):
        assert self.ORIGINS.allow(httpx.URL(url))

    @pytest.mark.parametrize(
        "url",
        [
            "http://v3.media.example/a.png",
            "https://v3.media.example:444/a.png",
            "https://user@v3.media.example/a.png",
            "https://media.example.evil.example/a.png",
            "https://evilmedia.example/a.png",
            "https://queue.fal.example/files/a.png",
            "http://queue.fal.example:8443/files/a.png",
            "http://localhost/a.png",
            "file:///etc/passwd",
            "data:image/png;base64,AAAA",
            "",
        ],
    )
    def test_all_others_are_not(self, url):
        assert not self.ORIGINS.allow(httpx.URL(url))
