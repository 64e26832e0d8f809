"""Alerts: emails to sponsors, one for each cause however often it recurs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.mail import limits, sending
from accounts.models import Agent, Alert, User
from imageskill.lib import clock
from imageskill.lib.errors import RateLimited
from imageskill.lib.queue import enqueue

log = structlog.get_logger(__name__)

_RETRY_AFTER = timedelta(minutes=5)
_UNTRUSTED_FACTS = {"agent", "by", "reason"}  # words of others, never shown as links


def notify(
    user: User | None, kind: str, subject: str, *, cause: str, facts: Mapping[str, Any]
) -> bool:
    """Queue an alert to a sponsor, in the caller's transaction; return False if it was sent before.

    `subject` is the public id that it is about, `cause` the key that makes it unique (a receipt,
    or a day and a threshold), `facts` the names and amounts in the email. Without a sponsor
    nothing is sent.
    """
    if user is None:
        return False
    alert, is_new = Alert.objects.get_or_create(
        key=f"{kind}:{cause}:{user.pk}",
        defaults={"kind": kind, "user": user, "subject": subject, "facts": dict(facts)},
    )
    if is_new:
        enqueue("accounts.mail_alert", alert_id=alert.pk)
    return is_new


def notify_superusers(kind: str, subject: str, *, cause: str, facts: Mapping[str, Any]) -> None:
    """Alert every superuser, as `notify` does; where there is none, every operator."""
    active = User.objects.filter(is_active=True)
    operators = active.filter(is_staff=True, groups__name="operator")
    for person in active.filter(is_superuser=True) or operators:
        notify(person, kind, subject, cause=cause, facts=facts)


def notify_owner(
    organization_id: int, kind: str, subject: str, *, cause: str, facts: Mapping[str, Any]
) -> bool:
    """Alert the owner of an organization, as `notify` does; adds its agents' names to the facts."""
    owner = User.objects.filter(organizations=organization_id).first()
    if owner is None:
        return False
    names = Agent.objects.filter(organization_id=organization_id).values_list("name", flat=True)
    return notify(owner, kind, subject, cause=cause, facts={"agent": ", ".join(names[:3]), **facts})


def send(*, alert_id: int) -> bool:
    """Send one alert; return False if there is nothing to send now, or its user has had too many.

    A failure raises. What was not sent is tried again.
    """
    address = _unmailed().filter(pk=alert_id).values_list("user__email", flat=True).first()
    if address is None:
        return False
    try:
        limits.consume_for_alert(address)
    except RateLimited:
        log.warning("mail_over_limit", template="alert")
        return False
    if _unmailed().filter(pk=alert_id).update(mail_tried_at=clock.now()) != 1:
        return False
    alert = Alert.objects.select_related("user").get(pk=alert_id)
    sending.send(_render_mail(alert), to=alert.user.email)
    Alert.objects.filter(pk=alert_id).update(mailed_at=clock.now())
    return True


def ids_awaiting_mail() -> list[int]:
    """Return the alerts that were not sent within a minute, oldest first."""
    late = _unmailed().filter(created_at__lt=clock.now() - timedelta(minutes=1))
    return list(late.order_by("created_at").values_list("pk", flat=True)[:100])


def purge_facts(*, before: datetime) -> int:
    """Erase the facts of alerts sent before that time; the rows stay. Return how many."""
    sent = Alert.objects.filter(created_at__lt=before, mailed_at__isnull=False).exclude(facts={})
    return sent.update(facts={})


def _unmailed() -> QuerySet[Alert]:
    now = clock.now()
    return Alert.objects.filter(
        Q(mail_tried_at__isnull=True) | Q(mail_tried_at__lt=now - _RETRY_AFTER),
        mailed_at__isnull=True,
    )


def _render_mail(alert: Alert) -> sending.MailMessage:
    facts = {
        name: sending.neutralize_links(value) if name in _UNTRUSTED_FACTS else value
        for name, value in alert.facts.items()
    }
    return sending.render(
        f"alerts/{alert.kind}",
        {"subject_id": alert.subject, **facts},
        rows=[(str(row[0]), str(row[1])) for row in facts.get("rows", [])],
        link=settings.PUBLIC_SITE_URL + _page_url(alert.subject),
        link_label=_link_label(alert.subject),
        small_print=[f"You receive this email because you {_reason_for_mail(alert)}."],
    )


def _reason_for_mail(alert: Alert) -> str:
    if alert.kind == Alert.Kind.MONEY_ROLE:
        return "oversee who may approve money"
    if alert.kind == Alert.Kind.STARTER_CEILING:
        return "oversee this installation"
    return "are the sponsor of this agent"


def _link_label(subject: str) -> str:
    if subject.startswith("receipt_"):
        return "View receipt"
    if subject.startswith("user:"):
        return "View user"
    if subject.startswith("day:"):
        return "View new agents"
    return "View job" if subject.startswith("job_") else "View agent"


def _page_url(subject: str) -> str:
    if subject.startswith("receipt_"):
        return reverse("receipt", args=[subject])
    if subject.startswith("job_"):
        return reverse("sponsor_job", args=[subject])
    if subject.startswith("user:"):
        return reverse("admin:accounts_user_change", args=[subject.removeprefix("user:")])
    if subject.startswith("day:"):
        return reverse("admin:accounts_agent_changelist")
    return reverse("agent", args=[subject])
