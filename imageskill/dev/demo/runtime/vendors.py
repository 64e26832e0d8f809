"""Stripe and GitHub of a history: stand-ins in this process, whose clock is the history's.

They begin with what the stand-ins of `make run` know, and give back what came of it: payments of
the history can be refunded there, and its issues closed.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.request import Request, urlopen

from django.conf import settings

from billing.stripe import gateway
from billing.webhooks import endpoint
from feedback.github_queue import github_events
from imageskill.dev.demo.runtime.settings import changed_settings
from imageskill.dev.demo.runtime.timeline import Timeline
from imageskill.dev.standins import github as github_stand_in
from imageskill.dev.standins.github import GitHubStandIn
from imageskill.dev.standins.server import StandIn, serve
from imageskill.dev.standins.stripe import StripeStandIn
from imageskill.dev.standins.stripe.deliveries import sign_event

_GITHUB = "https://api.github.com"
_REPOSITORY = "image-skill/demo"
_ISSUES_PER_DAY = 5  # few, so that the queue has something waiting


@dataclass(slots=True)
class Vendors:
    """Both stand-ins, and how many of Stripe's events were delivered."""

    stripe: StripeStandIn
    github: GitHubStandIn
    delivered: int

    def deliver(self) -> bool:
        """Post what Stripe has to tell; False when there was nothing."""
        events = self.stripe.account.events[self.delivered :]
        for event in events:
            body, headers = sign_event(event, secret=settings.STRIPE_WEBHOOK_SECRETS[0])
            endpoint.receive(body=body, signature=headers["Stripe-Signature"])
            event["pending_webhooks"] = 0
        self.delivered += len(events)
        return bool(events)

    def tell_of_issue(self, action: str, number: int) -> None:
        """Post what GitHub tells of an issue."""
        issue = next(one for one in self.github.issues if one["number"] == number)
        self.tell("issues", action, issue)

    def tell(self, event: str, action: str, issue: dict[str, object] | None = None) -> None:
        """Post any event of GitHub's."""
        repository = {"full_name": settings.GITHUB_REPOSITORY}
        body, headers = github_stand_in.sign_event(
            {"action": action, "repository": repository, "issue": issue},
            secret=settings.GITHUB_WEBHOOK_SECRETS[0],
        )
        github_events.receive(
            body=body,
            signature=headers["X-Hub-Signature-256"],
            event=event,
            delivery_id=headers["X-GitHub-Delivery"],
        )


def are_real() -> bool:
    """Whether settings name the real Stripe or GitHub, where a history has no place."""
    is_stripe = gateway.is_configured() and gateway.environment() != "stand_in"
    is_github = settings.GITHUB_API_BASE_URL == _GITHUB and bool(
        settings.GITHUB_TOKEN or settings.GITHUB_APP_ID
    )
    return is_stripe or is_github


@contextmanager
def standing_in(timeline: Timeline, *, seed: int) -> Iterator[Vendors]:
    """Stand in for both while the block lasts; then those of `make run` learn what came of it."""
    stripe, github = StripeStandIn(), GitHubStandIn()
    stripe.public_url, github.public_url = "https://stripe.example", "https://github.example"
    running = _running(stripe, github)
    for url, stand_in in running:
        stand_in.restore(_get(url))
        stand_in.public_url = url
    stripe.account.clock = github.clock = timeline.seconds
    vendors = Vendors(stripe, github, delivered=len(stripe.account.events))
    timeline.webhooks.append(vendors.deliver)
    with ExitStack() as stack:
        urls = [stack.enter_context(serve(one)) for one in (stripe, github)]
        stack.enter_context(changed_settings(**_settings(*urls, seed=seed)))
        yield vendors
    for url, stand_in in running:
        _post(url, stand_in.state())


def _running(stripe: StripeStandIn, github: GitHubStandIn) -> list[tuple[str, StandIn]]:
    """Return the stand-ins that settings name, each with ours."""
    running: list[tuple[str, StandIn]] = []
    if gateway.is_configured():
        running.append((settings.STRIPE_API_BASE_URL, stripe))
    if settings.GITHUB_API_BASE_URL != _GITHUB:
        running.append((settings.GITHUB_API_BASE_URL, github))
    return running


def _settings(stripe_url: str, github_url: str, *, seed: int) -> dict[str, object]:
    return {
        "STRIPE_API_BASE_URL": stripe_url,
        "STRIPE_SECRET_KEY": "sk_test_standin",
        "STRIPE_WEBHOOK_SECRETS": [f"whsec_{secrets.token_hex(16)}"],
        "GITHUB_API_BASE_URL": github_url,
        "GITHUB_TOKEN": "github_pat_standin",
        "GITHUB_REPOSITORY": f"{_REPOSITORY}-{seed}",  # paused at the end, until tomorrow
        "GITHUB_WEBHOOK_SECRETS": [secrets.token_hex(16)],
        "GITHUB_QUEUE_MODE": "live",
        "GITHUB_ISSUES_PER_DAY": _ISSUES_PER_DAY,
    }


def _get(url: str) -> dict[str, object]:
    with urlopen(f"{url}/_control/state", timeout=10) as answer:  # noqa: S310 - http, of settings
        state: dict[str, object] = json.load(answer)
    return state


def _post(url: str, state: dict[str, object]) -> None:
    body = json.dumps(state).encode()
    with urlopen(Request(f"{url}/_control/state", data=body), timeout=30):  # noqa: S310
        return
