"""The page of settings in effect: names and values; of secrets only whether they are set."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from jobs.providers.vendors import VENDORS

# Settings that change what users see; `.env.example` describes each.
GROUPS: dict[str, tuple[str, ...]] = {
    "This installation": (
        "INSTALLATION_NAME",
        "DEVELOPMENT",
        "PUBLIC_API_URL",
        "PUBLIC_SITE_URL",
        "PUBLIC_MEDIA_URL",
        "ADMIN_HOST",
        "ADMIN_NETWORKS",
        "TRUSTED_PROXIES",
        "S3_BUCKET",
        "DEFAULT_FROM_EMAIL",
        "TELEMETRY",
    ),
    "Rate limits": (
        "REQUESTS_PER_MINUTE_PER_CALLER",
        "REQUESTS_PER_MINUTE_PER_NETWORK",
        "FEEDBACK_PER_HOUR",
        "QUOTES_PER_HOUR",
        "CHECKOUTS_PER_HOUR",
        "OPEN_CHECKOUTS_PER_ORGANIZATION",
        "REFUSED_CREATES_PER_HOUR",
        "ANONYMOUS_DRY_RUNS_PER_HOUR",
        "BODIES_AT_ONCE",
        "BODIES_AT_ONCE_PER_NETWORK",
    ),
    "Agents": (
        "PREVIEW_CREDITS",
        "DAILY_JOBS_PREVIEW",
        "DAILY_JOBS_PAYMENT_BACKED",
        "DAILY_JOBS_CLAIMED",
        "NEW_AGENT_OUTPUTS_PER_REQUEST",
        "NEW_AGENT_CREDITS_PER_OPERATION",
        "PAYMENT_BACKED_CREDITS_PER_OPERATION",
        "PAYMENT_BACKED_CREDITS_PER_DAY",
        "SIGNUPS_PER_HOUR_PER_NETWORK",
        "SIGNUPS_PER_DAY_PER_CONTACT",
        "STARTER_GRANTS_PER_CONTACT",
        "STARTER_GRANTS_PER_DAY_PER_NETWORK",
        "STARTER_GRANTS_PER_DAY",
        "UPLOADS_PER_HOUR",
        "MAILS_PER_MINUTE_PER_INBOX",
        "MAILS_PER_DAY_PER_INBOX",
        "MAILS_PER_MINUTE_PER_NETWORK",
        "MAILS_PER_DAY_PER_NETWORK",
        "MAILS_PER_DAY",
        "ALERTS_PER_DAY_PER_INBOX",
        "CLAIM_MAILS_PER_DAY",
        "CLAIM_MAILS_PER_DAY_PER_CONTACT",
        "CLAIM_MAILS_PER_MONTH_PER_CONTACT",
    ),
    "Money": (
        "TARGET_GROSS_MARGIN",
        "QUOTE_MINUTES",
        "CHECKOUT_SESSION_MINUTES",
        "REFUND_WINDOW_DAYS",
        "REFUND_REQUEST_DAYS",
        "REFUND_SECOND_PERSON_CENTS",
        "REFUND_SECOND_PERSON_CENTS_BY_ROLE",
        "REFUND_SECOND_PERSON_CENTS_PER_DAY",
        "REFUND_SECOND_PERSON_CENTS_PER_DAY_BY_ROLE",
        "REFUND_LIMITED_APPROVAL_CENTS",
        "REFUND_LIMITED_APPROVAL_CENTS_BY_ROLE",
        "GOODWILL_SECOND_PERSON_CREDITS",
        "GOODWILL_SECOND_PERSON_CREDITS_BY_ROLE",
        "GOODWILL_SECOND_PERSON_CREDITS_PER_PERSON",
        "GOODWILL_SECOND_PERSON_CREDITS_PER_PERSON_BY_ROLE",
        "RECONCILE_DAYS",
        "FAKE_PAYMENTS",
        "FAKE_CREDITS_PER_ORGANIZATION",
    ),
    "Jobs": (
        "CREATE_WAIT_S",
        "CREATE_WAITERS",
        "JOB_DEADLINE_S",
        "JOB_LEASE_S",
        "JOB_RESEND_AFTER_S",
        "OUTCOME_UNKNOWN_DEADLINE_S",
        "STORAGE_REPAIR_DEADLINE_S",
        "PROMPT_POLICY",
        "CANARY_MAX_AGE_S",
    ),
    "Providers": (
        "PROVIDERS_ARE_STANDINS",
        *(name for vendor in VENDORS.values() for name in vendor.shown_settings),
        "PROVIDER_RETRY_S",
        "BREAKER_FAILURES",
        "BREAKER_WINDOW_S",
        "BREAKER_PAUSE_S",
    ),
    "Feedback and GitHub": (
        "GITHUB_REPOSITORY",
        "GITHUB_QUEUE_MODE",
        "GITHUB_ISSUES_PER_DAY",
        "GITHUB_AUTO_QUEUE",
        "GITHUB_LABELS",
    ),
    "Retention": (
        "KEEP_PROMPTS_DAYS",
        "KEEP_UPLOADS_DAYS",
        "KEEP_MAILS_DAYS",
        "KEEP_TELEMETRY_DAYS",
    ),
}
SECRETS = (
    *(vendor.key_setting for vendor in VENDORS.values() if vendor.key_setting),
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRETS",
    "GITHUB_TOKEN",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_WEBHOOK_SECRETS",
)


def view(request: HttpRequest) -> HttpResponse:
    """List the settings in effect."""
    if not request.user.has_perm("accounts.see_catalog"):
        raise PermissionDenied
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Settings",
        "groups": list(_groups()),
    }
    return TemplateResponse(request, "admin/console/settings.html", context)


def _groups() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for title, names in GROUPS.items():
        yield title, [(name, _display_value(getattr(settings, name))) for name in names]
    yield "Secrets", [(name, "set" if getattr(settings, name) else "not set") for name in SECRETS]


def _display_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in value.items()) or "none"
    return "none" if value in {None, ""} else str(value)
