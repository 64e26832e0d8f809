"""Webhooks: signed as Stripe signs, in order or not, once or several times, as asked."""

import hashlib
import hmac
import json
import queue
import random
import threading
import time
import urllib.error
import urllib.request
from typing import Any

MAX_ATTEMPTS = 5
PAUSE_S = 1.0


class WebhookDeliveries:
    """Sends events to the one endpoint, by a thread of its own, unless they are held back.

    Without an endpoint events stay undelivered, which is what `GET /v1/events` with
    `delivery_success=false` lists.
    """

    def __init__(self) -> None:
        self.url = ""
        self.secret = ""
        self.is_held = False
        self.repeats = 1
        self.is_shuffled = False
        self._held: list[dict[str, Any]] = []
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self, *, url: str, secret: str) -> None:
        """Begin to send to this endpoint; with no address, only remember the secret."""
        self.url, self.secret = url, secret
        if not url:
            return
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, event: dict[str, Any]) -> None:
        """Take an event; it leaves at once unless events are held or shuffled."""
        with self._lock:
            if self.is_held or self.is_shuffled:
                self._held.append(event)
            if self.is_held:
                return
            if self.is_shuffled:
                # A moment, so that the events of one happening can overtake each other.
                threading.Timer(0.5, self.release).start()
                return
        self._put(event)

    def release(self, *, order: str = "") -> int:
        """Send what was held: as made, `reversed` or `shuffled`; give the number of events."""
        with self._lock:
            events, self._held = self._held, []
        if order == "reversed":
            events.reverse()
        if order == "shuffled" or self.is_shuffled:
            random.shuffle(events)
        for event in events:
            self._put(event)
        return len(events)

    def again(self, event: dict[str, Any]) -> None:
        """Send an event once more, as a click on Resend does."""
        self._waiting.put(event)

    def _put(self, event: dict[str, Any]) -> None:
        for _ in range(self.repeats):
            self._waiting.put(event)

    def _run(self) -> None:
        while True:
            event = self._waiting.get()
            for number in range(MAX_ATTEMPTS):
                if self._send(event):
                    event["pending_webhooks"] = 0
                    break
                time.sleep(PAUSE_S * (number + 1))

    def _send(self, event: dict[str, Any]) -> bool:
        body, headers = sign_event(event, secret=self.secret)
        request = urllib.request.Request(self.url, data=body, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return 200 <= int(answer.status) < 300
        except (urllib.error.URLError, OSError):
            return False


def sign_event(
    event: dict[str, Any], *, secret: str, at: float | None = None
) -> tuple[bytes, dict[str, str]]:
    """Return an event's body and headers as Stripe would send them at a moment."""
    body = json.dumps(event).encode()
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={stamp},v1={digest},v0=unused",
        "User-Agent": "Stripe/1.0 (stand-in)",
    }
