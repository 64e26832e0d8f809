"""Rate limits of the API: what counts, on which surface, and what happens without Redis."""

import time

import pytest
import redis

from imageskill.lib.errors import RateLimited
from imageskill.lib.redis import ratelimit
from imageskill.lib.redis.client import client
from imageskill.lib.redis.ratelimit import Bucket
from imageskill.web import rate_limits
from tests.jobs.sample_images import noise, upload_of

pytestmark = pytest.mark.django_db

QUOTE = {"credits": 100, "payment_method": "fake", "idempotency_key": "quote-1"}
SIGNUP = {"agent_name": "a", "runtime": "tests", "agent_contact": "new@example.com"}
REPORT = {"title": "The mask is ignored", "body": "An edit with a mask changed everything."}


@pytest.fixture(autouse=True)
def _one_window(monkeypatch):
    """Keep the time still, so that no window ends within a test, and each test has its own."""
    moment = time.time_ns() / 1000  # far apart from any other test's
    monkeypatch.setattr(ratelimit.time, "time", lambda: moment)


class TestLimits:
    def test_of_a_token_say_how_long_to_wait(self, api, agent, settings):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 2

        answers = [api.get("/v1/whoami", token=agent.token) for _ in range(3)]

        assert [answer.status for answer in answers] == [200, 200, 429]
        assert answers[-1].code == "RATE_LIMITED"
        assert answers[-1].envelope["command"] == "image-skill whoami"
        wait_s = answers[-1].error["recovery"]["retry_after_seconds"]
        assert 0 < wait_s <= 60
        assert answers[-1].headers["retry-after"] == str(wait_s)

    def test_of_a_token_hold_however_its_header_is_written(self, api, agent, settings):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 1
        forms = ("Bearer {}", "bearer {}", "BEARER  {}", "Bearer {} ", "Bearer \xa0{}")

        answers = [
            api.get("/v1/whoami", Authorization=form.format(agent.token)).status for form in forms
        ]

        assert answers == [200] + [429] * 4

    def test_of_one_token_leave_another_alone(self, api, agent, stranger, settings):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 1

        assert api.get("/v1/whoami", token=agent.token).status == 200
        assert api.get("/v1/whoami", token=agent.token).status == 429
        assert api.get("/v1/whoami", token=stranger.token).status == 200

    def test_of_a_network_hold_over_tokens_and_none(self, api, agent, stranger, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.REQUESTS_PER_MINUTE_PER_NETWORK = 3

        tokens = [agent.token, stranger.token, None, None, agent.token]
        assert [api.get("/v1/models", token=t).status for t in tokens] == [200] * 3 + [429] * 2

    def test_of_a_network_double_with_its_width(self, api, settings):
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        settings.REQUESTS_PER_MINUTE_PER_NETWORK = 2

        def statuses(subnets):
            addresses = [f"2001:db8:0:{subnet:x}::1" for subnet in subnets]
            return [api.get("/v1/models", **{"X-Forwarded-For": a}).status for a in addresses]

        assert statuses([0] * 3) == [200] * 2 + [429]  # a /64
        assert statuses([0x100] * 2 + [0x101] * 3) == [200] * 4 + [429]  # its /56
        assert statuses([0x200, 0x300]) == [429] * 2  # its /48: eight, those refused included

    def test_never_hold_back_the_health_check(self, api, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.REQUESTS_PER_MINUTE_PER_NETWORK = 0

        assert api.get("/healthz").code != "RATE_LIMITED"

    @pytest.mark.parametrize(
        ("path", "body", "setting"),
        [
            ("/v1/feedback", REPORT, "FEEDBACK_PER_HOUR"),
            ("/v1/credit-quotes", QUOTE, "QUOTES_PER_HOUR"),
            ("/v1/upload", {}, "UPLOADS_PER_HOUR"),
            ("/v1/credit-purchases/stripe-checkout-sessions", {}, "CHECKOUTS_PER_HOUR"),
        ],
    )
    def test_are_tighter_where_a_request_costs_us(self, api, agent, settings, path, body, setting):
        setattr(settings, setting, 1)

        codes = [api.post(path, json=body, token=agent.token).code for _ in range(2)]

        assert codes[0] != "RATE_LIMITED"
        assert codes[1] == "RATE_LIMITED"
        assert api.get("/v1/whoami", token=agent.token).status == 200

    def test_of_anonymous_dry_runs(self, api, settings):
        settings.ANONYMOUS_DRY_RUNS_PER_HOUR = 1
        body = {"prompt": "a lighthouse", "dry_run": True}

        assert [api.post("/v1/create", json=body).status for _ in range(2)] == [200, 429]

    def test_of_refused_creates_spare_those_that_run(self, api, agent, settings):
        settings.REFUSED_CREATES_PER_HOUR = 2
        dear = {"prompt": "a lighthouse", "model": "local.sketch", "max_usd": 0.000001}
        plan = {"prompt": "a lighthouse", "model": "local.sketch", "dry_run": True}

        def create(body):
            return api.post("/v1/create", json=body, token=agent.token).code

        assert [create(plan) for _ in range(3)] == [None] * 3
        codes = [create(dear) for _ in range(3)]
        assert codes[:2] == ["BUDGET_EXCEEDED"] * 2
        assert codes[2] == create(plan) == "RATE_LIMITED"

    def test_of_mails_hold_for_claim_requests_from_one_network(self, api, agent, settings):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.MAILS_PER_DAY_PER_NETWORK = 2

        def ask(n):
            contact = {"contact": f"person{n}@example.org"}
            return api.post("/v1/agent-claims", json=contact, token=agent.token).code

        assert [ask(n) for n in range(3)] == [None, None, "RATE_LIMITED"]
        assert api.post("/v1/agent-signups", json=SIGNUP).code == "RATE_LIMITED"
        silent = {name: SIGNUP[name] for name in ("agent_name", "runtime")}
        assert api.post("/v1/agent-signups", json=silent).code is None


class TestWindows:
    """A window of a minute and one of an hour, ten seconds before both end."""

    MOMENT = 3600 * 500_000 - 10

    @pytest.fixture
    def use(self, monkeypatch):
        """Use it once, so many seconds after the moment; return the wait, None where let in."""

        def once(key, after_s=0):
            monkeypatch.setattr(ratelimit.time, "time", lambda: self.MOMENT + after_s)
            limits = [Bucket("a", key, limit=1, per_s=60), Bucket("b", key, limit=2, per_s=3600)]
            try:
                ratelimit.consume_all(limits)
            except RateLimited as refusal:
                return refusal.recovery["retry_after_seconds"]
            return None

        return once

    def test_a_use_too_many_waits_for_the_end(self, use):
        assert [use("x"), use("x")] == [None, 10]

    def test_it_begins_anew_then(self, use):
        assert [use("x"), use("x"), use("x", after_s=10)] == [None, 10, None]

    def test_the_longest_wait_counts(self, use):
        assert [use("x", after_s=at) for at in (20, 80, 81)] == [None, None, 3529]

    def test_counts_are_kept_no_longer(self, use):
        use("x")
        names = list(client().scan_iter("limit:*:x:*"))
        lives = sorted(client().ttl(name) for name in names)
        assert 0 < lives[0] <= 61 < lives[1] <= 3601


class TestRefusedCreates:
    @pytest.fixture
    def refuse(self, rf):
        """Count as many refusals of a caller; return what its next request adds."""

        def count(token, times):
            request = rf.post("/v1/create", headers={"Authorization": f"Bearer {token}"})
            for _ in range(times):
                rate_limits.count_refusal(request, "QUOTA_EXCEEDED")
            rate_limits.count_refusal(request, "INVALID_ARGUMENTS")
            return request

        return count

    def _next(self, request):
        [refused] = [one for one in rate_limits._specific(request) if one.scope == "refused"]
        return refused.amount

    def test_at_once_all_count_with_the_next_and_once(self, refuse):
        request = refuse("one", 3)
        assert [self._next(request), self._next(request)] == [3, 0]

    def test_are_forgotten_oldest_first_where_callers_are_too_many(self, refuse, monkeypatch):
        monkeypatch.setattr(rate_limits, "_MAX_CALLERS", 2)
        rate_limits._refused.clear()
        requests = [refuse(token, 1) for token in ("one", "two", "three")]
        assert [self._next(request) for request in requests] == [0, 1, 1]


class TestRecoveryOfCreates:
    CREATE = {"prompt": "a lighthouse", "model": "local.sketch", "max_usd": 2.5}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def _none_left(self, settings):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 0

    @pytest.mark.parametrize("key", ["run-7", None])
    def test_holds_the_key_and_the_command(self, api, agent, key):
        body = self.CREATE | ({"idempotency_key": key} if key else {})

        recovery = api.post("/v1/create", json=body, token=agent.token).error["recovery"]

        assert recovery["idempotency_key"] == key or recovery["idempotency_key"].startswith("auto-")
        assert recovery["suggested_command"] == (
            "image-skill create --prompt PROMPT --model local.sketch --max-usd 2.5 "
            f"--idempotency-key {recovery['idempotency_key']} --json"
        )
        assert recovery["retry_after_seconds"] > 0

    def test_reads_the_key_of_the_header(self, api, agent):
        header = {"Idempotency-Key": "run-8"}
        answer = api.post("/v1/create", json=self.CREATE, token=agent.token, **header)
        assert answer.error["recovery"]["idempotency_key"] == "run-8"

    def test_is_the_same_for_edits_and_commands(self, api, agent):
        asset = "image_0123456789abcdefABCDEF"
        edit = {"input_asset_id": asset, "prompt": "bluer", "idempotency_key": "run-9"}
        argv = ["create", "--prompt", "a lighthouse", "--idempotency-key", "run-9", "--json"]

        edited = api.post("/v1/edit", json=edit, token=agent.token).error["recovery"]
        created = api.post("/v1/cli", json={"argv": argv}, token=agent.token).error["recovery"]

        assert f"image-skill edit --input {asset} " in edited["suggested_command"]
        assert edited["idempotency_key"] == created["idempotency_key"] == "run-9"

    @pytest.mark.parametrize("body", [{"prompt": 1}, {}, {"prompt": "x", "dry_run": True}])
    def test_has_no_key_where_nothing_could_have_run(self, api, agent, body):
        answer = api.post("/v1/create", json=body, token=agent.token)
        assert answer.code == "RATE_LIMITED"
        assert set(answer.error["recovery"]) == {"retry_after_seconds"}


class TestSurfaces:
    def test_a_command_counts_once_and_as_the_request_that_it_becomes(self, api, agent, settings):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 2
        argv = {"argv": ["whoami", "--json"]}

        answers = [api.post("/v1/cli", json=argv, token=agent.token) for _ in range(3)]

        assert [answer.status for answer in answers] == [200, 200, 429]

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/v1/cli", {"argv": ["help"]}),
            ("/v1/cli", {"argv": ["no", "such", "command"]}),
            ("/v1/cli", {}),
            ("/v1/nowhere", {}),
        ],
    )
    def test_what_becomes_no_request_counts_too(self, api, agent, settings, path, body):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 2

        codes = [api.post(path, json=body, token=agent.token).code for _ in range(3)]

        assert codes[0] == codes[1] != codes[2] == "RATE_LIMITED"

    def test_a_command_shares_the_limits_of_its_endpoint(self, api, agent, settings):
        settings.QUOTES_PER_HOUR = 1
        argv = {"argv": ["credits", "quote", "--credits", "100", "--json"]}

        assert api.post("/v1/credit-quotes", json=QUOTE, token=agent.token).status == 200
        assert api.post("/v1/cli", json=argv, token=agent.token).code == "RATE_LIMITED"

    def test_a_command_of_two_requests_counts_once(self, api, agent, settings):
        settings.CREATE_WAIT_S = 0
        body = {"prompt": "a lighthouse", "model": "local.sketch"}
        job_id = api.post("/v1/create", json=body, token=agent.token).data["job_id"]
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 2
        argv = ["jobs", "wait", job_id, "--timeout-ms", "1000", "--json"]

        assert api.post("/v1/cli", json={"argv": argv}, token=agent.token).code == "TIMEOUT"

    @pytest.mark.django_db(transaction=True)  # a tool runs in a thread of its own
    def test_mcp_counts_a_message_once(self, client, agent, settings):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 2
        call = {"name": "whoami", "arguments": {}}

        def send(method, params):
            message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            headers = {
                "Authorization": f"Bearer {agent.token}",
                "Accept": "application/json, text/event-stream",
            }
            return client.post("/mcp", message, content_type="application/json", headers=headers)

        assert send("ping", {}).status_code == 200
        assert not send("tools/call", call).json()["result"].get("isError")
        assert send("tools/call", call).json()["result"]["isError"]
        assert send("ping", {}).status_code == 429

    @pytest.mark.parametrize(
        ("name", "is_known"), [("no_such_tool", True), ("models_show", True), ("whoami", False)]
    )
    def test_mcp_counts_what_it_refuses_by_itself(self, client, agent, settings, name, is_known):
        settings.LOOPBACK_IS_UNLIMITED = False
        settings.REQUESTS_PER_MINUTE_PER_NETWORK = 2
        token = agent.token if is_known else agent.token[:-1] + "#"
        call = {"name": name, "arguments": {"nonsense": 1}}

        def send():
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            return client.post("/mcp", message, content_type="application/json", headers=headers)

        assert [send().status_code == 429 for _ in range(3)] == [False, False, True]

    @pytest.mark.django_db(transaction=True)
    def test_mcp_counts_calls_that_stream_whatever_their_arguments(self, client, agent, settings):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 2
        call = {"name": "models_show", "arguments": {"nonsense": 1}, "_meta": {"progressToken": 1}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        headers = {
            "Authorization": f"Bearer {agent.token}",
            "Accept": "application/json, text/event-stream",
        }

        def send():
            answer = client.post("/mcp", message, content_type="application/json", headers=headers)
            b"".join(answer)  # the stream to its end
            return answer.status_code

        assert [send() == 429 for _ in range(3)] == [False, False, True]


class TestRedis:
    @pytest.mark.parametrize(
        ("path", "body", "is_anonymous"),
        [
            ("/v1/credit-quotes", QUOTE, False),
            ("/v1/agent-signups", SIGNUP, True),
            ("/v1/agent-claims", {"contact": "else@example.com"}, False),
            ("/v1/upload", upload_of(noise()), False),
        ],
    )
    def test_is_asked_once_a_request(
        self, api, agent, settings, monkeypatch, path, body, is_anonymous
    ):
        settings.LOOPBACK_IS_UNLIMITED = False
        calls = []
        execute = redis.client.Pipeline.execute
        monkeypatch.setattr(
            redis.client.Pipeline,
            "execute",
            lambda self, *args, **kw: calls.append(1) or execute(self, *args, **kw),
        )

        answer = api.post(path, json=body, token=None if is_anonymous else agent.token)

        assert answer.status == 200
        assert len(calls) == 1

    def test_that_is_gone_lets_callers_in(self, api, agent, settings, monkeypatch):
        settings.REQUESTS_PER_MINUTE_PER_CALLER = 0
        tries = []

        def gone():
            tries.append(1)
            raise redis.ConnectionError

        monkeypatch.setattr(ratelimit, "client", gone)
        monkeypatch.setattr(ratelimit, "_skip_until", 0.0)

        assert [api.get("/v1/whoami", token=agent.token).status for _ in range(3)] == [200] * 3
        assert len(tries) == 1  # the others don't wait for it
