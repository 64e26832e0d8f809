"""What workers do for accounts: mails, and requests whose time is up."""

from celery import shared_task

from accounts import sponsors
from accounts.claims import requests
from accounts.mail import alerts
from imageskill.lib.queue import enqueue


@shared_task(name="accounts.mail_claim")
def mail_claim(*, claim_id: int, **_: object) -> None:
    """Send the mail of one request to claim an agent."""
    requests.send(claim_id=claim_id)


@shared_task(name="accounts.mail_alert")
def mail_alert(*, alert_id: int, **_: object) -> None:
    """Send one alert to a sponsor."""
    alerts.send(alert_id=alert_id)


@shared_task(name="accounts.mail_again")
def retry_mail(**_: object) -> None:
    """Hand over again whatever mail got lost on its way."""
    for claim_id in requests.ids_awaiting_mail():
        enqueue("accounts.mail_claim", claim_id=claim_id)
    for alert_id in alerts.ids_awaiting_mail():
        enqueue("accounts.mail_alert", alert_id=alert_id)


@shared_task(name="accounts.expire_claims")
def expire_claims(**_: object) -> None:
    """Close requests that nobody decided in time."""
    requests.expire_overdue()


@shared_task(name="accounts.forget_strangers")
def delete_unconfirmed_users(**_: object) -> None:
    """Forget addresses that somebody typed to sign in and nobody confirmed."""
    sponsors.delete_unconfirmed_users()
