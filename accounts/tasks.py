"""Celery tasks of accounts: emails, expired claim requests, unconfirmed users."""

from celery import shared_task

from accounts import sponsors
from accounts.claims import requests
from accounts.mail import alerts
from imageskill.lib.queue import enqueue


@shared_task(name="accounts.mail_claim")
def mail_claim(*, claim_id: int, **_: object) -> None:
    """Send the email of one claim request."""
    requests.send(claim_id=claim_id)


@shared_task(name="accounts.mail_alert")
def mail_alert(*, alert_id: int, **_: object) -> None:
    """Send one alert to a sponsor."""
    alerts.send(alert_id=alert_id)


@shared_task(name="accounts.mail_again")
def retry_mail(**_: object) -> None:
    """Enqueue again every email that was not sent."""
    for claim_id in requests.ids_awaiting_mail():
        enqueue("accounts.mail_claim", claim_id=claim_id)
    for alert_id in alerts.ids_awaiting_mail():
        enqueue("accounts.mail_alert", alert_id=alert_id)


@shared_task(name="accounts.expire_claims")
def expire_claims(**_: object) -> None:
    """Expire claim requests without a decision."""
    requests.expire_overdue()


@shared_task(name="accounts.forget_strangers")
def delete_unconfirmed_users(**_: object) -> None:
    """Delete users who never entered their sign-in code."""
    sponsors.delete_unconfirmed_users()
