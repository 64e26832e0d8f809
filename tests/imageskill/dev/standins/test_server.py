import json
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from imageskill.dev.standins import server
from imageskill.dev.standins.faults import Fault
from imageskill.dev.standins.github import GitHubStandIn
from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.server import StandIn, serve
from imageskill.dev.standins.stripe import StripeStandIn


@pytest.fixture
def shop():
    stand_in = StandIn("shop")

    @stand_in.route("GET", r"/things/(?P<name>[^/]+)")
    def thing(request: StandInRequest) -> StandInResponse:
        return StandInResponse({"name": request.params["name"], "query": request.query})

    @stand_in.route("POST", r"/things")
    def make(request: StandInRequest) -> StandInResponse:
        return StandInResponse({"made": request.json}, 201, {"x-request-id": "req_1"})

    @stand_in.route("POST", r"/forms")
    def form(request: StandInRequest) -> StandInResponse:
        return StandInResponse(request.form)

    @stand_in.route("POST", r"/parts")
    def parts(request: StandInRequest) -> StandInResponse:
        return StandInResponse(
            [[p.name, p.filename, p.content_type, p.data.hex()] for p in request.multipart]
        )

    with serve(stand_in) as base_url:
        stand_in.base_url = base_url
        yield stand_in


def get(shop, path):
    return httpx.get(shop.base_url + path, timeout=5)


def post(shop, path, **body):
    return httpx.post(shop.base_url + path, timeout=5, **body)


class TestRouting:
    def test_groups_of_the_path_and_the_query_reach_the_route(self, shop):
        assert get(shop, "/things/tea?size=2").json() == {"name": "tea", "query": {"size": "2"}}

    def test_status_and_headers_are_the_route_s(self, shop):
        answer = post(shop, "/things", json={"a": 1})

        assert answer.status_code == 201
        assert answer.headers["x-request-id"] == "req_1"
        assert answer.json() == {"made": {"a": 1}}

    def test_unknown_path_and_wrong_method_differ(self, shop):
        assert get(shop, "/nowhere").status_code == 404
        assert get(shop, "/things").status_code == 405

    def test_forms_stay_flat(self, shop):
        answer = post(shop, "/forms", data={"items[0][price]": "5", "empty": ""})

        assert answer.json() == {"items[0][price]": "5", "empty": ""}

    def test_multipart_keeps_order_names_and_bytes(self, shop):
        image = b"\r\n--\x00\xff\r\n"
        answer = post(
            shop,
            "/parts",
            data={"model": "m"},
            files=[("image[]", ("a.png", image, "image/png")), ("image[]", ("b.png", b"b"))],
        )

        assert answer.json() == [
            ["model", None, "text/plain", b"m".hex()],
            ["image[]", "a.png", "image/png", image.hex()],
            ["image[]", "b.png", "image/png", b"b".hex()],
        ]

    def test_chunked_bodies_are_read(self, shop):
        answer = post(shop, "/things", content=iter([b'{"a":', b"1}"]))

        assert answer.json() == {"made": {"a": 1}}

    def test_a_request_that_breaks_off_is_none(self, shop):
        host, port = shop.base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as caller:
            caller.sendall(b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}")
        get(shop, "/things/tea")

        assert [request.path for request in shop.requests] == ["/things/tea"]


class TestFaults:
    def test_a_fault_answers_in_the_routes_place_as_often_as_it_says(self, shop):
        shop.faults.add(Fault(path="^/things", times=2, status=503, body={"detail": "busy"}))

        assert [get(shop, "/things/tea").status_code for _ in range(3)] == [503, 503, 200]

    def test_cut_before_the_answer_leaves_the_caller_without_one(self, shop):
        shop.faults.add(Fault(cut="after"))

        with pytest.raises(httpx.RemoteProtocolError):
            get(shop, "/things/tea")
        assert len(shop.requests) == 1

    def test_cut_within_the_answer_leaves_half_of_it(self, shop):
        shop.faults.add(Fault(cut="within"))

        with pytest.raises(httpx.RemoteProtocolError):
            get(shop, "/things/tea")

    def test_delay_is_waited_out(self, shop):
        shop.faults.add(Fault(delay_s=0.2))

        started = time.monotonic()
        get(shop, "/things/tea")

        assert time.monotonic() - started >= 0.2

    def test_faults_can_be_set_and_requests_read_over_http(self, shop):
        post(shop, "/_control/faults", json={"path": "/things", "status": 418, "times": None})

        assert get(shop, "/things/tea").status_code == 418
        assert [r["path"] for r in get(shop, "/_control/requests").json()["requests"]] == [
            "/things/tea"
        ]
        httpx.delete(shop.base_url + "/_control/faults")
        assert get(shop, "/things/tea").status_code == 200


class TestProcess:
    def test_writes_its_settings_once_it_answers_and_stops_on_terminate(self, tmp_path):
        urls = tmp_path / "urls.json"
        program = (
            "from imageskill.dev.standins.server import StandIn, main;"
            "main(StandIn('shop'), lambda url: {'SHOP_URL': url})"
        )
        process = subprocess.Popen([sys.executable, "-c", program, "--url-file", str(urls)])
        try:
            for _ in range(200):
                if urls.exists():
                    break
                time.sleep(0.05)
            base_url = json.loads(urls.read_text())["SHOP_URL"]
            assert httpx.get(f"{base_url}/_control/requests", timeout=5).status_code == 200
        finally:
            process.terminate()
        assert process.wait(timeout=5) == 0


class Counter(StandIn):
    """Counts, beyond the end of its process."""

    def __init__(self) -> None:
        super().__init__("counter")
        self.count = 0

    def state(self):
        return {"count": self.count}

    def restore(self, state):
        self.count += state["count"]


class TestState:
    def test_is_read_and_given_by_http(self):
        counter = Counter()
        with serve(counter) as base_url:
            httpx.post(f"{base_url}/_control/state", json={"count": 3})
            assert httpx.get(f"{base_url}/_control/state").json() == {"count": 3}

    def test_outlives_its_process(self, tmp_path):
        file = tmp_path / "state.json"
        for expected in (1, 2, 3):
            counter, stop = Counter(), threading.Event()
            counter.restore(json.loads(file.read_text()) if file.exists() else {"count": 0})
            counter.count += 1
            stop.set()
            server._keep_until(stop, counter, file)
            assert json.loads(file.read_text()) == {"count": expected}

    def test_of_stripe_is_its_objects_and_events(self):
        first, second = StripeStandIn(), StripeStandIn()
        charge_id = self.paid(first)
        second.restore(json.loads(json.dumps(first.state())))
        assert second.account.refund(charge_id, 200)["status"] == "succeeded"
        assert [event["type"] for event in second.account.events[:3]] == [
            event["type"] for event in first.account.events[:3]
        ]

    def paid(self, stand_in):
        price = {"currency": "usd", "unit_amount": "500", "product_data": {"name": "credits"}}
        session = stand_in.account.open_session(
            {"mode": "payment", "line_items": [{"price_data": price}]}, base_url=""
        )
        intent_id = stand_in.account.pay(session["id"])["payment_intent"]
        return stand_in.account.get(intent_id)["latest_charge"]

    def test_of_github_is_its_issues_whose_numbers_go_on(self):
        first, second = GitHubStandIn(first_number=7), GitHubStandIn()
        first.make("owner/name", "title", "body")
        second.restore(json.loads(json.dumps(first.state())))
        assert second.make("owner/name", "another", "body")["number"] == 8
