"""A sponsor's belongings, and browsers to look at them with."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.test import Client
from PIL import Image

from accounts.models import Claim, User
from billing import ledger
from billing.models import Receipt
from billing.purchases import buyers, fake_rail, idempotency_keys, quotes
from jobs.models import Asset, Job, Usage
from tests.cast import Signed

LOOKS = Callable[[User | None], Client]


@pytest.fixture
def looking_as() -> LOOKS:
    """A browser of somebody (or of nobody), signed in."""

    def look(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return look


@pytest.fixture
def other_sponsor(stranger: Signed) -> User:
    """Somebody who has an agent of their own, and none of the first sponsor's."""
    user = person("other-sponsor@example.com")
    stranger.organization.owner = user
    stranger.organization.save()
    return user


def person(address: str) -> User:
    """Somebody who has signed in by code before: their address is confirmed."""
    user = User.objects.create_user(address)
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user


def bought(signed: Signed, *, credits: int = 500) -> Receipt:
    """A purchase on the fake rail."""
    buyer = buyers.agent_buyer(signed.agent)
    quote = quotes.create(
        buyer=buyer,
        payment_method="fake",
        idempotency_key=idempotency_keys.generate("quote"),
        credits=credits,
    )
    return fake_rail.purchase(
        buyer=buyer, quote_id=quote.public_id, idempotency_key=idempotency_keys.generate("buy")
    )


@transaction.atomic
def made(signed: Signed, *, credits: int = 9, color: str = "teal") -> Job:
    """A completed job with one stored image and its thumbnail."""
    job = _job(signed, credits)
    ledger.hold(
        organization_id=signed.organization.pk, job_id=job.public_id, credits=credits, actor="test"
    )
    capture = ledger.capture(
        organization_id=signed.organization.pk, job_id=job.public_id, credits=credits
    )
    Job.objects.filter(pk=job.pk).update(
        status="completed", completed_at=job.created_at, credits_captured=credits
    )
    Usage.objects.create(
        job=job,
        organization=signed.organization,
        agent=signed.agent,
        credits=credits,
        preview_credits=capture.preview,
        paid_credits=capture.paid,
    )
    _picture(signed, job, color)
    job.refresh_from_db()
    return job


def failed(signed: Signed, *, code: str = "PROVIDER_FAILURE") -> Job:
    """A job that ended without an image."""
    job = _job(signed, 9)
    Job.objects.filter(pk=job.pk).update(
        status="failed", completed_at=job.created_at, error_code=code
    )
    return job


def open_claim(signed: Signed) -> Claim:
    """The open request of an agent that signed up with a contact."""
    return signed.agent.claims.get(state=Claim.State.REQUESTED)


@dataclass
class Home:
    """What a sponsor has: an agent that has worked, bought and reported."""

    job: Job
    receipt: Receipt


@pytest.fixture
def home(agent: Signed, sponsor: User) -> Home:
    """The first agent with an image, a failed job and a receipt."""
    EmailAddress.objects.create(user=sponsor, email=sponsor.email, verified=True, primary=True)
    receipt = bought(agent)
    failed(agent)
    return Home(job=made(agent), receipt=receipt)


def _job(signed: Signed, credits: int) -> Job:
    return Job.objects.create(
        organization=signed.organization,
        agent=signed.agent,
        operation="create",
        trace_id="trace_" + "0" * 32,
        model_id="local.sketch",
        credits_held=credits,
        plan={},
    )


def _picture(signed: Signed, job: Job, color: str) -> Asset:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(file, "PNG")
    asset = Asset(
        organization=signed.organization,
        agent=signed.agent,
        job=job,
        kind="generated",
        mime_type="image/png",
        content_length=len(file.getvalue()),
        width=64,
        height=64,
        sha256="0" * 64,
    )
    asset.storage_key = storages["default"].save(
        f"assets/{asset.public_id}.png", ContentFile(file.getvalue())
    )
    file = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(file, "WEBP")
    asset.thumbnail_key = storages["default"].save(
        f"thumbnails/{asset.public_id}.webp", ContentFile(file.getvalue())
    )
    asset.save()
    return asset
