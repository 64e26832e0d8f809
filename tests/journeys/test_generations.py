"""The public client's three generations, as they speak HTTP: paths, headers and bodies.

Each follows its own first run; `make contract-check NODE_CLIENT=folder` has the real ones do so.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.jobs.sample_images import noise
from tests.live import Live

pytestmark = pytest.mark.live

PROMPT = "A compact field camera on a stainless workbench"


class Generation:
    """What all generations do with an answer: no envelope, or no exit code, is a broken server."""

    def __init__(self, base_url: str, name: str) -> None:
        self.client = httpx.Client(
            base_url=base_url,
            headers={"accept": "application/json", "user-agent": "node"},
            follow_redirects=True,  # which would lose a body: `_send` refuses them
            timeout=90,
        )
        self.name = name
        self.token: str | None = None

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self._ok("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._ok("POST", path, json=body)

    def refused(self, code: str, exit_code: int, path: str, **options: Any) -> dict[str, Any]:
        envelope, exited = self._send("POST" if "json" in options else "GET", path, **options)
        assert envelope["data"] is None
        assert (envelope["error"]["code"], exited) == (code, exit_code), envelope
        return envelope["error"]

    def _ok(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        envelope, exit_code = self._send(method, path, **options)
        assert (envelope["ok"], envelope["error"], exit_code) == (True, None, 0), (path, envelope)
        return envelope["data"]

    def _send(self, method: str, path: str, **options: Any) -> tuple[dict[str, Any], int]:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        response = self.client.request(method, path, headers=headers, **options)
        assert not response.history, path
        envelope = response.json()
        assert isinstance(envelope["warnings"], list)
        assert envelope["trace_id"].startswith("trace_")
        return envelope, int(response.headers["x-image-skill-exit-code"])

    def signs_up(self, **contact: str) -> None:
        body = {"agent_name": self.name, "runtime": "node", "return_token": True}
        self.token = self.post("/v1/agent-signups", contact | body)["token"]
        assert self.get("/v1/whoami")["authenticated"] is True

    def looks_around(self) -> None:
        assert self.get("/healthz")["status"] in {"ok", "degraded"}
        limits = self.get("/v1/quota")["limits"]
        assert (limits["remaining_credits"], limits["payment_backed_remaining_credits"]) == (40, 0)
        assert self.get("/v1/credit-packs")["default_pack_id"]
        rows = self.get("/v1/models")["models"]
        assert self.get(f"/v1/models/{quote(rows[0]['id'], safe='')}")["model"]["id"]
        capability = self.get("/v1/capabilities")["capabilities"][0]["id"]
        assert self.get(f"/v1/capabilities/{quote(capability, safe='')}")["capability"]

    def creates(self, **more: Any) -> dict[str, Any]:
        body = {
            "prompt": PROMPT,
            "intent": "explore",
            "aspect_ratio": "1:1",
            "max_estimated_usd_per_image": 0.05,
            "dry_run": False,
            "accept_unknown_cost": False,
        }
        made = self.post("/v1/create", body | more)
        job = self.get(f"/v1/jobs/{made['job_id']}")
        assert job["job"]["status"] == job["status"] == "completed"
        asset = self.get(f"/v1/assets/{made['asset_ids'][0]}")["asset"]
        # As `assets get` does: the bytes without a token, checked against the type that was told.
        served = httpx.get(asset["url"])
        assert served.headers["content-type"] == asset["mime_type"]
        assert int(served.headers["content-length"]) == len(served.content)
        return made

    def uploads(self) -> str:
        data = noise("PNG")
        body = {
            "source_kind": "local_path",
            "filename": "source.png",
            "remote_origin": None,
            "mime_type": "image/png",
            "content_length": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes_base64": base64.b64encode(data).decode(),
        }
        return self.post("/v1/upload", body)["asset"]["asset_id"]

    def edits(self, asset_id: str, **more: Any) -> None:
        body = {
            "input_asset_id": asset_id,
            "prompt": "Remove the background",
            "aspect_ratio": "auto",
            "accept_unknown_cost": True,
        }
        assert self.post("/v1/edit", body | more)["assets"][0]["url"]

    def quotes(self, method: str, **amount: Any) -> str:
        key = f"quote-{self.name}-{method}"
        body = {**amount, "payment_method": method, "idempotency_key": key}
        return self.post("/v1/credit-quotes", body)["quote_id"]

    def opens_a_checkout(self) -> None:
        quote_id = self.quotes("stripe_checkout", pack_id="starter-500")
        body = {"quote_id": quote_id, "idempotency_key": f"buy-{self.name}"}
        attempt = self.post("/v1/credit-purchases/stripe-checkout-sessions", body)
        assert attempt["checkout_handoff_url"]
        status = self.get(
            "/v1/credit-purchases/status", payment_attempt_id=attempt["payment_attempt_id"]
        )
        assert (status["state"], status["payment_attempt"]["attempt_status"]) == (
            "action_required",
            "requires_action",
        )

    def buys_for_play(self) -> None:
        body = {"quote_id": self.quotes("fake", credits=10), "idempotency_key": f"p-{self.name}"}
        assert self.post("/v1/credit-purchases", body)["credits_granted"] == 10

    def reports(self, job_id: str) -> None:
        body = {
            "type": "user_feedback",
            "title": "Short concrete title",
            "severity": "medium",
            "confidence": "medium",
            "next_state": "watch",
            "surface": ["cli"],
            "evidence": [f"job:{job_id}"],
        }
        report = self.post("/v1/feedback", body)["feedback_id"]
        assert self.get(f"/v1/activity/{report}")["events"]
        assert self.get("/v1/activity", limit="20", subject=job_id)["events"]


def _first(agent: Generation) -> None:
    """0.1.0: a contact is needed, no keys for what spends, play money."""
    agent.refused("AUTH_REQUIRED", 3, "/v1/whoami")
    agent.signs_up(human_email="agent-ops@example.com")
    agent.looks_around()
    agent.opens_a_checkout()
    made = agent.creates()
    agent.buys_for_play()
    agent.edits(agent.uploads())
    agent.reports(made["job_id"])


def _ninth(agent: Generation) -> None:
    """0.1.9: ways to pay, several outputs, references."""
    agent.signs_up(human_email="agent-ops@example.com")
    agent.looks_around()
    methods = agent.get("/v1/payment-methods")["methods"]
    assert {"fake", "stripe_checkout"} <= {one["method_id"] for one in methods}
    agent.opens_a_checkout()
    made = agent.creates(output_count=2)
    assert len(made["assets"]) == 2
    agent.edits(made["asset_ids"][1])
    body = {"prompt": PROMPT, "aspect_ratio": "1:1", "dry_run": False, "accept_unknown_cost": False}
    agent.refused("DAILY_JOB_LIMIT", 5, "/v1/create", json=body)
    agent.reports(made["job_id"])


def _seventieth(agent: Generation) -> None:
    """0.1.70: the guide's own look, an anonymous signup, keys on all that spends, claims."""
    for path in ("/healthz", "/v1/models", "/v1/payment-methods"):  # of `create --guide`
        agent.get(path)
    plan = {"prompt": PROMPT, "aspect_ratio": "1:1", "dry_run": True, "accept_unknown_cost": False}
    assert agent.post("/v1/create", plan)["quota"]["consumed_credits"] == 0
    agent.signs_up(discovery_source="search")
    agent.looks_around()
    assert (
        agent.post("/v1/agent-claims", {"contact": "agent-ops@example.com"})["state"] == "attached"
    )
    listed = agent.get("/v1/models", available="true", operation="image.generate")
    assert listed["summary"]["first_actionable_model_ids"]
    assert agent.get("/v1/quota")["top_up"]["quote_command"]
    agent.refused("INVALID_ARGUMENTS", 2, "/v1/credit-purchases/status?")
    agent.opens_a_checkout()
    deposit = {"quote_id": "quote_none", "idempotency_key": "deposit"}
    agent.refused(
        "PAYMENT_METHOD_UNAVAILABLE",
        2,
        "/v1/credit-purchases/stripe-x402-deposits",
        json=deposit,
    )
    made = agent.creates(idempotency_key="create-once")
    assert made["next_actions"]["iterate_edit"].startswith("image-skill edit ")
    again = agent.creates(idempotency_key="create-once")
    assert again["job_id"] == made["job_id"]
    agent.edits(made["asset_ids"][0], dry_run=False, idempotency_key="edit-once")
    agent.reports(made["job_id"])
    for path in ("/skill.md", "/llms.txt", "/cli.md"):  # of `trust`
        assert agent.client.get(path).status_code == 200


SCENARIOS: dict[str, Callable[[Generation], None]] = {
    "0.1.0": _first,
    "0.1.9": _ninth,
    "0.1.70": _seventieth,
}


def test_each_generation_follows_its_first_run(service: Live):
    for name, follow in SCENARIOS.items():
        follow(Generation(service.url, name))
