"""Bodies without a length, and bodies that are too long, on every surface."""

import io
import json
import re
import socket
import tempfile
from http.client import HTTPResponse
from itertools import repeat
from threading import Thread

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from billing.models import StripeEvent
from imageskill.dev.standins import github
from imageskill.dev.standins.stripe import deliveries
from imageskill.web import request_bodies
from imageskill.wsgi import application
from tests.imageskill.web.mcp.test_http import INITIALIZE
from tests.jobs.sample_images import noise, upload_of

JSON = {"Content-Type": "application/json"}
MCP = JSON | {"Accept": "application/json, text/event-stream"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGNUP = {"agent_name": "n", "runtime": "r"}
STRIPE_SECRET = "whsec_for_tests"
GITHUB_SECRET = "github-webhook-secret"
STRIPE_EVENT = {
    "id": "evt_chunked",
    "object": "event",
    "type": "price.updated",
    "created": 1_700_000_000,
    "livemode": False,
    "data": {"object": {"id": "price_1", "object": "price"}},
}


class Source:
    """A server's `wsgi.input`: gives at most what is asked for, and counts what it gave."""

    def __init__(self, pieces):
        self.pieces = iter(pieces)
        self.rest = b""
        self.given = 0

    def read(self, size):
        while len(self.rest) < size and (piece := next(self.pieces, None)):
            self.rest += piece
        data, self.rest = self.rest[:size], self.rest[size:]
        self.given += len(data)
        return data


class Seen:
    """An application that notes what it was given."""

    def __call__(self, environ, start_response):
        self.environ = environ
        self.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return []


def serve(path="/v1/create", *, pieces=(b"{", b"}"), source=None, **changes):
    """Serve a chunked request as granian would pass it on."""
    seen = Seen()
    environ = {
        "PATH_INFO": path,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": source or Source(pieces),
        "wsgi.input_terminated": True,
        **changes,
    }
    request_bodies.ReadBodies(seen)(environ, lambda *_: None)
    return seen, environ["wsgi.input"]


class Nested:
    """An application in whose requests further ones arrive, each before the last is read."""

    def __init__(self, addresses):
        self.addresses = iter(addresses)
        self.reasons = []
        self.bodies = request_bodies.ReadBodies(self._note)

    def _note(self, environ, _):
        self.reasons.append(environ.get(request_bodies.NOT_READ, ""))
        return []

    def read(self, size):
        """Arrive as the next request while this one is being read."""
        self.arrive()
        return b""

    def arrive(self):
        address = next(self.addresses, None)
        if address:
            environ = {
                "PATH_INFO": "/v1/create",
                "CONTENT_LENGTH": "2",
                "REMOTE_ADDR": address,
                "wsgi.input": self,
            }
            self.bodies(environ, lambda *_: None)


class TestPlaces:
    @pytest.fixture(autouse=True)
    def _few(self, settings):
        settings.BODIES_AT_ONCE = 4
        settings.BODIES_AT_ONCE_PER_NETWORK = 2

    def test_are_bounded_for_a_network(self):
        nested = Nested(["192.0.2.1"] * 3)
        nested.arrive()
        assert sorted(nested.reasons) == ["", "", "busy"]

    def test_of_one_network_leave_some_for_others(self):
        nested = Nested(["192.0.2.1", "192.0.2.1", "192.0.2.2"])
        nested.arrive()
        assert nested.reasons == ["", "", ""]

    def test_of_a_proxy_on_this_machine_are_bounded_in_all_only(self):
        nested = Nested(["127.0.0.1"] * 5)
        nested.arrive()
        assert nested.reasons.count("busy") == 1

    def test_are_bounded_in_all(self):
        nested = Nested([f"192.0.2.{n}" for n in range(6)])
        nested.arrive()
        assert nested.reasons.count("busy") == 1  # the fifth; nothing reads after it

    def test_are_free_again_after_the_body(self):
        nested = Nested([])
        for _ in range(10):
            nested.addresses = iter(["192.0.2.1"])
            nested.arrive()
        assert nested.reasons == [""] * 10


@pytest.mark.parametrize(("reason", "status"), [("busy", 503), ("slow", 408)])
def test_who_was_not_read_is_told_so(reason, status):
    environ = {request_bodies.NOT_READ: reason}
    answer = Client().post("/v1/create", b"", content_type="application/json", **environ)
    assert answer.status_code == status
    assert answer.json()["error"]["retryable"]
    assert "nothing was done" in answer.json()["error"]["message"]


class TestReadBodies:
    def test_a_chunked_body_comes_with_its_length(self):
        seen, _ = serve(pieces=[b'{"a":', b"1}"])
        assert seen.body == b'{"a":1}'
        assert seen.environ["CONTENT_LENGTH"] == "7"
        assert "HTTP_TRANSFER_ENCODING" not in seen.environ

    def test_an_empty_one_has_none(self):
        seen, _ = serve(pieces=[])
        assert (seen.body, seen.environ["CONTENT_LENGTH"]) == (b"", "0")

    @pytest.mark.parametrize("said", ["1", "99999999999"])
    def test_a_length_beside_it_counts_for_nothing(self, said):
        seen, _ = serve(CONTENT_LENGTH=said)
        assert (seen.body, seen.environ["CONTENT_LENGTH"]) == (b"{}", "2")

    def test_a_body_with_a_length_is_read_before_the_application_runs(self):
        seen, source = serve(HTTP_TRANSFER_ENCODING="", CONTENT_LENGTH="2")
        assert seen.body == b"{}"
        assert source.given == 2

    @pytest.mark.parametrize(
        ("length", "expects", "is_read"),
        [
            (settings.BODY_BYTES + 1, "", True),
            (request_bodies._DROPPED_BYTES, "", True),
            (request_bodies._DROPPED_BYTES + 1, "", False),
            (settings.BODY_BYTES + 1, "100-Continue", False),  # sent after an answer only
        ],
    )
    def test_one_whose_length_is_past_the_limit_is_dropped(self, length, expects, is_read):
        seen, source = serve(
            pieces=repeat(bytes(50_000)),
            HTTP_TRANSFER_ENCODING="",
            CONTENT_LENGTH=str(length),
            HTTP_EXPECT=expects,
        )
        assert source.given - len(seen.body) == (length if is_read else 0)
        assert seen.environ["CONTENT_LENGTH"] == str(length)
        assert request_bodies.NOT_READ not in seen.environ

    @pytest.mark.parametrize("is_chunked", [True, False])
    def test_one_that_is_too_long_and_slow_is_refused_as_too_long(self, monkeypatch, is_chunked):
        source = Source(repeat(bytes(50_000)))
        monkeypatch.setattr(request_bodies.time, "monotonic", lambda: source.given / 50_000)
        length = {} if is_chunked else {"HTTP_TRANSFER_ENCODING": "", "CONTENT_LENGTH": "60000000"}
        seen, _ = serve(source=source, **length)
        assert int(seen.environ["CONTENT_LENGTH"]) > settings.BODY_BYTES
        assert request_bodies.NOT_READ not in seen.environ
        assert source.given - len(seen.body) < 3_000_000

    @pytest.mark.parametrize(("bytes_per_s", "arrives"), [(0.1, False), (30_000, True)])
    def test_one_that_comes_too_slowly_is_given_up(self, monkeypatch, bytes_per_s, arrives):
        source = Source([bytes(100)] * 9000)
        monkeypatch.setattr(request_bodies.time, "monotonic", lambda: source.given / bytes_per_s)
        seen, _ = serve(source=source, HTTP_TRANSFER_ENCODING="", CONTENT_LENGTH="900000")
        assert seen.environ.get(request_bodies.NOT_READ) == (None if arrives else "slow")
        assert len(seen.body) == (900_000 if arrives else 0)
        assert arrives or source.given < 10

    def test_an_input_that_never_ends_is_not_read(self):
        _, source = serve(**{"wsgi.input_terminated": False})
        assert source.given == 0

    @pytest.mark.parametrize(
        ("path", "limit"),
        [
            ("/v1/create", settings.BODY_BYTES),
            ("/account/login/", settings.BODY_BYTES),
            ("/v1/upload", settings.UPLOAD_BODY_BYTES),
            ("/mcp", settings.MCP_BODY_BYTES),
        ],
    )
    def test_keeps_one_byte_past_the_limit_and_drops_a_bounded_rest(self, path, limit):
        seen, source = serve(path, pieces=repeat(bytes(50_000)))
        assert seen.environ["CONTENT_LENGTH"] == str(limit + 1)
        assert source.given == limit + 1 + request_bodies._DROPPED_BYTES

    @pytest.mark.parametrize(
        "length", [request_bodies.MEMORY_BYTES, request_bodies.MEMORY_BYTES + 1]
    )
    def test_long_ones_wait_on_disk_and_go_with_the_request(self, monkeypatch, length):
        made = []

        class Spool(tempfile.SpooledTemporaryFile):
            def __exit__(self, *error):
                made.append(self._rolled)
                return super().__exit__(*error)

        monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Spool)
        seen, _ = serve(pieces=[bytes(length)])
        assert seen.body == bytes(length)
        assert made == [length > request_bodies.MEMORY_BYTES]
        assert seen.environ["wsgi.input"].closed


def is_envelope(response):
    error = response.json()["error"]
    assert (error["code"], error["retryable"]) == ("INVALID_ARGUMENTS", False)
    assert re.search(r"at most \d+ bytes", error["message"])
    assert response.headers["x-image-skill-exit-code"] == "2"


def is_json_rpc(response):
    answer = response.json()
    assert (answer["jsonrpc"], answer["id"], answer["error"]["code"]) == ("2.0", None, -32600)


def is_json(response):
    assert response.json() == {"error": "The request body may have at most 1000000 bytes."}


def is_page(response):
    assert response.headers["Content-Type"].startswith("text/html")
    assert b"Request too large" in response.content


SURFACES = [
    ("/v1/agent-signups", JSON, settings.BODY_BYTES, is_envelope),
    ("/v1/create", JSON, settings.BODY_BYTES, is_envelope),
    ("/v1/credit-quotes", JSON, settings.BODY_BYTES, is_envelope),
    ("/v1/cli", JSON, settings.BODY_BYTES, is_envelope),
    ("/v1/upload", JSON, settings.UPLOAD_BODY_BYTES, is_envelope),
    ("/mcp", MCP, settings.MCP_BODY_BYTES, is_json_rpc),
    ("/webhooks/stripe", JSON, settings.BODY_BYTES, is_json),
    ("/webhooks/github", JSON, settings.BODY_BYTES, is_json),
    ("/account/login/", FORM, settings.BODY_BYTES, is_page),
    ("/admin/login/", FORM, settings.BODY_BYTES, is_page),
]


@pytest.mark.django_db
class TestTooLong:
    @pytest.mark.parametrize(("path", "headers", "limit", "is_right"), SURFACES)
    def test_is_413_in_the_form_of_the_surface(self, path, headers, limit, is_right):
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        kind = headers["Content-Type"]
        response = client.post(path, bytes(limit + 1), content_type=kind, headers=headers)
        assert response.status_code == 413
        is_right(response)

    def test_does_not_tell_of_a_console_that_is_hidden(self, settings):
        settings.ADMIN_HOST = "console.example.com"
        form = {"data": bytes(settings.BODY_BYTES + 1), "content_type": FORM["Content-Type"]}
        assert Client().post("/admin/login/", **form).status_code == 404

    def test_names_the_command(self, api):
        answer = api.post("/v1/upload", raw=bytes(settings.UPLOAD_BODY_BYTES + 1))
        assert answer.envelope["command"] == "image-skill upload"


@pytest.mark.django_db
class TestCutShort:
    def test_a_message_with_fewer_bytes_than_it_says_is_answered(self):
        """a2wsgi asks for the missing ones for ever."""
        request = RequestFactory().post("/mcp", b"{", content_type="application/json", headers=MCP)
        environ = request.META | {"CONTENT_LENGTH": "1000", "wsgi.input": io.BytesIO(b"{")}
        statuses = []

        def serve_it():
            b"".join(application(environ, lambda status, _: statuses.append(status)))

        thread = Thread(target=serve_it, daemon=True)
        thread.start()
        thread.join(20)
        assert statuses == ["400 Bad Request"]


def post(live, path, body, headers=JSON, **options):
    """Post a body without a length, in pieces."""
    pieces = (body[start : start + 40_000] for start in range(0, len(body), 40_000))
    return live.client.post(path, content=pieces, headers=headers, **options)


def dumps(document):
    return json.dumps(document).encode()


@pytest.mark.live
class TestChunked:
    """Over granian, whose `wsgi.input` this is about."""

    @pytest.fixture
    def token(self, live):
        response = post(live, "/v1/agent-signups", dumps(SIGNUP))
        assert response.request.headers["transfer-encoding"] == "chunked"
        return response.json()["data"]["token"]

    def test_the_api_reads_it(self, live, token):
        headers = JSON | {"Authorization": f"Bearer {token}"}
        body = {"prompt": "blue", "model": "local.sketch", "dry_run": True}
        assert post(live, "/v1/create", dumps(body), headers).json()["ok"]
        upload = dumps(upload_of(noise("PNG", size=(1200, 900))))
        assert len(upload) > request_bodies.MEMORY_BYTES
        assert post(live, "/v1/upload", upload, headers).json()["ok"]
        command = {"argv": ["models", "show", "local.sketch"]}
        answer = post(live, "/v1/cli", dumps(command), headers).json()
        assert answer["data"]["model"]["id"] == "local.sketch"

    def test_mcp_reads_it(self, live):
        answer = post(live, "/mcp", dumps(INITIALIZE), MCP).json()
        assert answer["result"]["serverInfo"]["name"]

    @pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
    def test_forms_read_it(self, live, kind):
        page = live.client.get("/account/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        fields = {"csrfmiddlewaretoken": token, "login": "sponsor@example.com"}
        parts = {name: (None, value) for name, value in fields.items()}
        form = {"data": fields} if kind == "urlencoded" else {"files": parts}
        request = live.client.build_request("POST", "/account/login/", **form)
        sent = {"Content-Type": request.headers["Content-Type"]}
        response = post(live, "/account/login/", request.read(), sent)
        assert (response.status_code, response.headers["Location"]) == (
            302,
            "/account/login/code/confirm/",
        )

    def test_webhooks_read_it(self, launch):
        live = launch(STRIPE_WEBHOOK_SECRET=STRIPE_SECRET, GITHUB_WEBHOOK_SECRET=GITHUB_SECRET)
        body, headers = deliveries.sign_event(STRIPE_EVENT, secret=STRIPE_SECRET)
        assert post(live, "/webhooks/stripe", body, headers).json()["received"]
        assert StripeEvent.objects.filter(event_id="evt_chunked").exists()
        body, headers = github.sign_event({"action": "opened"}, secret=GITHUB_SECRET)
        assert post(live, "/webhooks/github", body, headers).json()["received"]

    @pytest.mark.parametrize(("path", "headers", "limit", "is_right"), SURFACES)
    def test_one_that_is_too_long_is_413_in_the_form_of_the_surface(
        self, live, path, headers, limit, is_right
    ):
        response = post(live, path, bytes(limit + 5_000_000), headers)
        assert response.status_code == 413
        is_right(response)

    @pytest.mark.parametrize(("path", "headers", "limit", "is_right"), SURFACES)
    def test_so_is_one_with_a_length_for_who_sends_all_before_reading(
        self, live, path, headers, limit, is_right
    ):
        response = live.client.post(path, content=bytes(limit + 5_000_000), headers=headers)
        assert response.status_code == 413
        is_right(response)

    def test_an_empty_one_is_an_empty_body(self, live):
        assert post(live, "/v1/agent-signups", b"").status_code == 422
        assert post(live, "/v1/cli", b"").status_code == 422
        assert post(live, "/mcp", b"", MCP).status_code == 400
        assert post(live, "/account/login/", b"", FORM).status_code == 403


class Wire:
    """A connection on which a test says every byte."""

    def __init__(self, live):
        self.socket = socket.create_connection(("127.0.0.1", live.port), timeout=30)

    def ask(self, *lines, body):
        head = ("POST /v1/agent-signups HTTP/1.1", "Host: localhost", *lines, "", "")
        self.socket.sendall("\r\n".join(head).encode() + body)
        response = HTTPResponse(self.socket, method="POST")
        response.begin()
        return response, response.read()


@pytest.fixture
def wire(live):
    wire = Wire(live)
    yield wire
    wire.socket.close()


@pytest.mark.live
class TestOnTheWire:
    CHUNKED = "Transfer-Encoding: chunked"
    BODY = (
        b'13;name=value\r\n{"agent_name": "n",\r\n'
        b'10\r\n "runtime": "r"}\r\n'
        b"0\r\nX-Trailer: t\r\n\r\n"
    )

    def test_extensions_and_trailers_are_no_part_of_the_body(self, wire):
        response, content = wire.ask(self.CHUNKED, body=self.BODY)
        assert (response.status, json.loads(content)["ok"]) == (200, True)

    def test_the_connection_serves_on(self, wire):
        wire.ask(self.CHUNKED, body=self.BODY)
        response, content = wire.ask(self.CHUNKED, body=self.BODY)
        assert (response.status, json.loads(content)["ok"]) == (200, True)

    @pytest.mark.parametrize("is_first", [True, False])
    def test_a_length_beside_it_smuggles_nothing(self, wire, is_first):
        both = ["Content-Length: 5", self.CHUNKED]
        response, content = wire.ask(*(both if is_first else both[::-1]), body=self.BODY)
        assert (response.status, json.loads(content)["ok"]) == (200, True)
