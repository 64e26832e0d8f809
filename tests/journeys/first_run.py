"""The first run as the published contract tells it, command by command, by whichever way."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PROMPT = "A compact field camera on a stainless workbench"


@dataclass
class Outcome:
    """What a command came to."""

    exit_code: int
    envelope: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        return self.envelope["data"]


Run = Callable[[list[str]], Outcome]


@dataclass
class FirstRun:
    """An agent that follows the steps; `run` takes the words after `image-skill`."""

    run: Run
    contact: str = "agent-ops@example.com"
    contact_flag: str = "--agent-contact"
    save_flags: str = "--save"
    steps: list[str] = field(default_factory=list)

    def ok(self, line: str) -> dict[str, Any]:
        """Run a command that must succeed, and give its data."""
        self.steps.append(line)
        outcome = self.run(shlex.split(line))
        envelope = outcome.envelope
        assert outcome.exit_code == 0, (line, envelope)
        assert envelope["ok"] is True, (line, envelope)
        assert envelope["error"] is None
        assert isinstance(envelope["warnings"], list)
        assert envelope["trace_id"].startswith("trace_")
        return outcome.data

    def refused(self, line: str, code: str, exit_code: int) -> dict[str, Any]:
        """Run a command that must be refused, and give its error."""
        outcome = self.run(shlex.split(line))
        error = outcome.envelope["error"]
        assert (error["code"], outcome.exit_code) == (code, exit_code), (line, error)
        return error

    def signs_up(self) -> None:
        self.ok(
            f"signup --agent {self.contact_flag} {self.contact} --agent-name creative-agent "
            f"--runtime codex {self.save_flags} --json"
        )

    def looks_around(self) -> None:
        assert self.ok("whoami --json")["claim_state"] == "unclaimed"
        for line in ("usage quota --json", "quota --json"):
            quota = self.ok(line)
            assert quota["limits"]["remaining_credits"] == 40
            assert quota["daily_jobs"]["remaining"] == 2
        assert self.ok("credits packs list --json")["default_pack_id"] == "starter-500"
        for line in ("models --json", "models list --json"):
            assert self.ok(line)["models"]
        for line in ("capabilities --json", "capabilities list --json"):
            assert self.ok(line)["capabilities"]
        model = self.ok("models show openai.gpt-image-2 --json")["model"]
        assert model["id"] == "openai.gpt-image-2"
        self.ok("capabilities show is.image.generate.preview.v1 --json")

    def sees_the_ways_to_pay(self) -> None:
        methods = {one["method_id"]: one for one in self.ok("credits methods --json")["methods"]}
        assert methods["stripe_checkout"]["live_money"] is True

    def buys_by_stripe(self) -> None:
        quote = self.ok(
            "credits quote --pack starter-500 --payment-method stripe_checkout "
            "--idempotency-key stripe-pack-quote-run-001 --json"
        )
        assert quote["price_amount_cents"] == 500
        attempt = self.ok(
            f"credits buy --provider stripe --quote-id {quote['quote_id']} "
            "--idempotency-key stripe-buy-run-001 --json"
        )
        assert attempt["state"] == "action_required"
        assert "/pay/payatt_" in attempt["checkout_handoff_url"]
        status = self.ok(
            f"credits status --payment-attempt-id {attempt['payment_attempt_id']} --json"
        )
        assert status["state"] == "action_required"

    def buys_for_play(self) -> None:
        quote = self.ok("credits quote --credits 10 --json")
        bought = self.ok(
            f"credits fake-purchase --quote-id {quote['quote_id']} "
            "--idempotency-key purchase-run-001 --json"
        )
        assert (bought["credits_granted"], bought["live_money"]) == (10, False)

    def plans(self) -> None:
        plan = self.ok(f"create --dry-run --prompt '{PROMPT}' --json")
        assert plan["cost"]["credit_pricing"]["credits_required"] >= 1
        assert plan["quota"]["consumed_credits"] == 0

    def creates(self) -> dict[str, Any]:
        made = self.ok(
            f"create --prompt '{PROMPT}' --intent explore --aspect-ratio 1:1 "
            "--max-estimated-usd-per-image 0.05 --json"
        )
        assert made["safety"]["status"] == "allowed"
        job = self.ok(f"jobs show {made['job_id']} --json")["job"]
        assert job["status"] == "completed"
        waited = self.ok(
            f"jobs wait {made['job_id']} --timeout-ms 30000 --poll-interval-ms 1000 --json"
        )
        assert waited["job"]["status"] == "completed"
        asset = made["assets"][0]
        shown = self.ok(f"assets show {asset['asset_id']} --json")["asset"]
        assert shown["url"] == asset["url"]
        return made

    def cites(self, made: dict[str, Any]) -> None:
        self.ok("activity list --limit 20 --json")
        events = self.ok(f"activity list --subject {made['job_id']} --json")["events"]
        assert {"job.completed", "asset.created"} <= {one["type"] for one in events}
        for reference in (made["job_id"], made["asset_ids"][0], made["usage_event_id"]):
            assert self.ok(f"activity show {reference} --json")["events"]

    def edits(self, image: str) -> dict[str, Any]:
        edited = self.ok(
            f"edit --input {image} --prompt 'Remove the background and keep natural object "
            "shadows' --accept-unknown-cost --json"
        )
        assert edited["assets"][0]["asset_id"] != image
        return edited

    def reports(self) -> None:
        report = self.ok(
            "feedback create --type user_feedback --title 'Short concrete title' --body 'What "
            "happened, what was expected, and why it matters' --command 'Command or workflow "
            "observed' --expected 'Expected result' --actual 'Actual result' --proof-needed 'What "
            "would prove this is handled' --surface cli,docs --evidence trace:TRACE_ID "
            "--severity medium --confidence high --next-state watch --json"
        )
        events = self.ok(f"activity show {report['feedback_id']} --json")["events"]
        assert events[0]["type"] == "feedback.created"
