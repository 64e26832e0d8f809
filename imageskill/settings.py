"""Settings, read once from the environment.

Every setting is described in `.env.example` and can also be read from a file, as `NAME_FILE`. The
defaults suit a first start on one machine; `docs/operations.md` lists what production needs.
"""

from pathlib import Path

import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from accounts.staff.roles import ROLES
from imageskill.lib import env, logs, urls
from jobs.providers.fal.settings import *  # noqa: F403 - a vendor's folder holds its settings
from jobs.providers.local.settings import *  # noqa: F403
from jobs.providers.openai import settings as openai_settings
from jobs.providers.openai.settings import *  # noqa: F403
from jobs.providers.xai.settings import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent

# -- This installation ------------------------------------------------------------------------

DEVELOPMENT = env.flag("DEVELOPMENT", default=False)
DEBUG = False
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data")))
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000)
DRAIN_S = env.integer("DRAIN_S", 0)  # not ready, but serving, before a web server stops
DRAIN_FILE = env.text("DRAIN_FILE")  # while it exists, /readyz answers 503
PUBLIC_API_URL = env.text("PUBLIC_API_URL", f"http://localhost:{PORT}").rstrip("/")
PUBLIC_SITE_URL = env.text("PUBLIC_SITE_URL", PUBLIC_API_URL).rstrip("/")
PUBLIC_MEDIA_URL = env.text("PUBLIC_MEDIA_URL", PUBLIC_API_URL).rstrip("/")

SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is missing; `make run` creates one in DATA_DIR.")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")  # that once signed and still verify

TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    ",".join(
        sorted(
            {"localhost", "127.0.0.1", "[::1]"}
            | {urls.host_of(url) for url in (PUBLIC_API_URL, PUBLIC_SITE_URL, PUBLIC_MEDIA_URL)}
        )
    ),
)

if not {"*", urls.host_of(PUBLIC_API_URL)} & set(ALLOWED_HOSTS):
    ALLOWED_HOSTS.append(urls.host_of(PUBLIC_API_URL))  # probes by any Host are answered as this

# -- Applications ------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "imageskill.console.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "ninja",  # static files of the interactive API reference
    "imageskill",
    "accounts",
    "billing",
    "jobs",
    "feedback",
    "imageskill.console.apps.ConsoleConfig",
    *(["imageskill.dev"] if DEVELOPMENT else []),  # the command `demo_data`
]

MIDDLEWARE = [
    "imageskill.monitoring.requests.MetricsMiddleware",
    "imageskill.web.middleware.MediaOriginMiddleware",
    "imageskill.web.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "imageskill.console.access.ConsoleAccessMiddleware",
    "imageskill.web.middleware.BodyLimitMiddleware",  # before CSRF protection, which reads the body
    "csp.middleware.CSPMiddleware",
    "imageskill.web.middleware.PersonalPagesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "imageskill.urls"
WSGI_APPLICATION = "imageskill.wsgi.application"
APPEND_SLASH = False  # a redirect would lose the body of a POST request

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.mail.outbox.link",
            ],
        },
    }
]

# -- Database, Redis, Celery -------------------------------------------------------------------

DATABASE_URL = env.text("DATABASE_URL")
if not DATABASE_URL:
    raise ImproperlyConfigured("DATABASE_URL is missing; `make run` starts a PostgreSQL.")
DATABASE_PGBOUNCER = env.flag("DATABASE_PGBOUNCER", default=False)  # in transaction mode
_DATABASE_POOL_TIMEOUT_S = env.integer("DATABASE_POOL_TIMEOUT_S", 10)
DATABASES = {
    "default": urls.database(DATABASE_URL)
    | {
        "ENGINE": "imageskill.lib.postgresql",
        "CONN_MAX_AGE": 0,
        "ATOMIC_REQUESTS": False,  # django-ninja handles errors in the view, so they would commit
        "OPTIONS": {
            "pool": {
                "min_size": env.integer("DATABASE_POOL_MIN", 2),
                "max_size": env.integer("DATABASE_POOL_MAX", 20),
                "timeout": _DATABASE_POOL_TIMEOUT_S,
                # The pool doubles its pause with each attempt to reconnect, by default for up to 5
                # minutes. After it has given up, the next caller makes it try again immediately.
                "reconnect_timeout": _DATABASE_POOL_TIMEOUT_S,
            },
            # Planning the frequent joins costs more than running them: prepare them after 3 runs.
            "server_side_binding": True,
            # Behind PgBouncer the next statement may reach a connection that has not prepared it.
            "prepare_threshold": None if DATABASE_PGBOUNCER else 3,
        },
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_PGBOUNCER,  # which outlive their transaction
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
if not REDIS_URL:
    raise ImproperlyConfigured("REDIS_URL is missing; `make run` starts a Valkey.")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        # A Redis that accepts and never answers must not hold up a request.
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
CELERY_BROKER_URL = urls.broker(REDIS_URL)
VISIBILITY_TIMEOUT_S = env.integer("VISIBILITY_TIMEOUT_S", 1200)  # longer than the longest task
CANARY_MAX_AGE_S = env.integer("CANARY_MAX_AGE_S", 90)
METRICS_TOKEN = env.text("METRICS_TOKEN")  # with it, anybody may read /metrics
METRICS_NETWORKS = env.words(  # from which it may be read without
    "METRICS_NETWORKS", "127.0.0.1,::1" if DEVELOPMENT else ""
)
METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1")  # the address of METRICS_PORT
METRICS_PORT = env.integer("METRICS_PORT", 0)  # where a worker shows its own; 0: nowhere
HEARTBEAT_FILE = env.text("HEARTBEAT_FILE")  # that a worker or the scheduler touches while it runs

# -- Users: sign-in, sessions, cookies ---------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
_HTTPS = PUBLIC_SITE_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_TRUSTED_ORIGINS = sorted({PUBLIC_SITE_URL, PUBLIC_API_URL})
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my_agents"
ACCOUNT_ADAPTER = "accounts.sign_in.adapter.Adapter"
ACCOUNT_FORMS = {"login": "accounts.sign_in.adapter.SignInForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]  # no password: an emailed code or a passkey
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # its email offers a sign-up form, and there is none
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _HTTPS else "http"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60  # enforced by accounts.sign_in.reauthentication
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "accounts.sign_in.adapter.AddPasskeyForm",
    "login_webauthn": "accounts.sign_in.adapter.PasskeySignInForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Image Skill"
MFA_TOTP_TOLERANCE = 1  # a code of 30 s may end while it is typed (RFC 6238, 5.2)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _HTTPS

SECURITY_CONTACT = env.text("SECURITY_CONTACT")  # a URI for /.well-known/security.txt
STAFF_SESSION_HOURS = env.integer("STAFF_SESSION_HOURS", 12)  # then the second factor again
ADMIN_EMAIL = env.text("ADMIN_EMAIL", "admin@localhost")  # the user that `bootstrap` invites

# -- The operator console ----------------------------------------------------------------------

ADMIN_PATH = env.text("ADMIN_PATH", "admin/").strip("/") + "/"
ADMIN_HOST = env.text("ADMIN_HOST").lower()  # empty: every host
if ADMIN_PATH == "/":
    raise ImproperlyConfigured("ADMIN_PATH must not be empty: the site is at /.")
if ADMIN_HOST and not {"*", ADMIN_HOST.partition(":")[0]} & set(ALLOWED_HOSTS):
    ALLOWED_HOSTS.append(ADMIN_HOST.partition(":")[0])
ADMIN_NETWORKS = env.words("ADMIN_NETWORKS")  # empty: any network
UNFOLD = {
    "SITE_TITLE": "Image Skill console",
    "SITE_HEADER": "Image Skill",
    "SITE_SUBHEADER": "Operator console",
    "SITE_URL": "/",
    "SITE_ICON": "/static/imageskill/mark.svg",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "/static/imageskill/mark.svg"}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["/static/imageskill/console.css"],
    "SCRIPTS": ["/static/imageskill/console.js"],
    "DASHBOARD_CALLBACK": "imageskill.console.home.page.add_context",
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "imageskill.console.navigation.groups",
    },
}

# -- Headers -----------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=_HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|livez|readyz|metrics)$"]  # asked of a process directly
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 31_536_000 if _HTTPS else 0)
# Both bind every other host of the domain: an operator's decision, not a default.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # which want them on
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, PUBLIC_MEDIA_URL, "data:"],  # data: the QR code for authenticator apps
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# -- Language, time, static files, storage -----------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
MEDIA_ROOT = DATA_DIR / "media"
STAGING_DIR = env.text("STAGING_DIR")  # empty: the bucket where there is one, else in DATA_DIR
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"allow_overwrite": True},  # only a repair writes a key again
    },
    # Provider outputs until they are stored; all workers share this storage, nobody else reads it.
    "kept": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": STAGING_DIR or DATA_DIR / "kept",
            "allow_overwrite": True,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"  # served without collectstatic
            if DEVELOPMENT
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = DEVELOPMENT
S3_BUCKET = env.text("S3_BUCKET")
if S3_BUCKET:
    _S3_OPTIONS = {
        "bucket_name": S3_BUCKET,
        "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
        "region_name": env.text("S3_REGION") or None,
        "access_key": env.text("S3_ACCESS_KEY") or None,
        "secret_key": env.text("S3_SECRET_KEY") or None,
        "file_overwrite": True,
        "default_acl": None,
        "querystring_auth": True,
    }
    _S3_BACKEND = "imageskill.lib.s3.S3Storage"
    STORAGES["default"] = {"BACKEND": _S3_BACKEND, "OPTIONS": _S3_OPTIONS}
    if not STAGING_DIR:
        _STAGING_OPTIONS = {**_S3_OPTIONS, "location": "kept"}
        STORAGES["kept"] = {"BACKEND": _S3_BACKEND, "OPTIONS": _STAGING_OPTIONS}
# For how long a worker tries to stage an output: in a bucket, an outage must not lose it at once.
STAGING_RETRY_S = env.integer("STAGING_RETRY_S", 60 if S3_BUCKET and not STAGING_DIR else 0)

# -- Mail --------------------------------------------------------------------------------------

EMAIL_URL = env.text("EMAIL_URL")
if EMAIL_URL:
    vars().update(urls.mail(EMAIL_URL))
elif DEVELOPMENT:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "outbox"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Image Skill <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
HAS_OUTBOX_PAGE = DEVELOPMENT and not EMAIL_URL
# Emails that requests cause, sign-in codes above all.
MAILS_PER_MINUTE_PER_INBOX = env.integer("MAILS_PER_MINUTE_PER_INBOX", 3)
MAILS_PER_DAY_PER_INBOX = env.integer("MAILS_PER_DAY_PER_INBOX", 20)
MAILS_PER_MINUTE_PER_NETWORK = env.integer("MAILS_PER_MINUTE_PER_NETWORK", 10)
MAILS_PER_DAY_PER_NETWORK = env.integer("MAILS_PER_DAY_PER_NETWORK", 100)
MAILS_PER_DAY = env.integer("MAILS_PER_DAY", 10_000)
ALERTS_PER_DAY_PER_INBOX = env.integer("ALERTS_PER_DAY_PER_INBOX", 200)
CLAIM_MAILS_PER_DAY = env.integer("CLAIM_MAILS_PER_DAY", 500)  # for all agents together
CLAIM_MAILS_PER_DAY_PER_CONTACT = env.integer("CLAIM_MAILS_PER_DAY_PER_CONTACT", 3)
CLAIM_MAILS_PER_MONTH_PER_CONTACT = env.integer("CLAIM_MAILS_PER_MONTH_PER_CONTACT", 10)
CLAIM_REQUESTS_PER_DAY_PER_AGENT = env.integer("CLAIM_REQUESTS_PER_DAY_PER_AGENT", 20)

# -- API ---------------------------------------------------------------------------------------

BODY_BYTES = 1_000_000  # of a request to a path that is not in BODY_BYTES_AT
UPLOAD_BYTES = 20_000_000  # of the decoded image
UPLOAD_BODY_BYTES = 28_500_000  # as base64 in JSON, with room for other fields
MCP_BODY_BYTES = 4_000_000  # of one message, images included
OPENAI_EDIT_BODY_BYTES = 45_000_000  # two images and a mask, as files of a form
BODY_BYTES_AT = {
    "/v1/upload": UPLOAD_BODY_BYTES,
    "/mcp": MCP_BODY_BYTES,
    "/mcp/": MCP_BODY_BYTES,
    "/openai/v1/images/edits": OPENAI_EDIT_BODY_BYTES,
}
REQUESTS_PER_MINUTE_PER_CALLER = env.integer("REQUESTS_PER_MINUTE_PER_CALLER", 1_200)
REQUESTS_PER_MINUTE_PER_NETWORK = env.integer("REQUESTS_PER_MINUTE_PER_NETWORK", 3_000)
FEEDBACK_PER_HOUR = env.integer("FEEDBACK_PER_HOUR", 60)  # this and the next: per token
QUOTES_PER_HOUR = env.integer("QUOTES_PER_HOUR", 60)
CHECKOUTS_PER_HOUR = env.integer("CHECKOUTS_PER_HOUR", 30)
OPEN_CHECKOUTS_PER_ORGANIZATION = env.integer("OPEN_CHECKOUTS_PER_ORGANIZATION", 10)
REFUSED_CREATES_PER_HOUR = env.integer("REFUSED_CREATES_PER_HOUR", 120)
ANONYMOUS_DRY_RUNS_PER_HOUR = env.integer("ANONYMOUS_DRY_RUNS_PER_HOUR", 300)  # per network
BODIES_AT_ONCE = env.integer("BODIES_AT_ONCE", 100)  # being read, per process; half its threads
BODIES_AT_ONCE_PER_NETWORK = env.integer("BODIES_AT_ONCE_PER_NETWORK", 20)
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_BODY_BYTES  # files of forms are not counted

# -- Agents ------------------------------------------------------------------------------------

PREVIEW_CREDITS = env.integer("PREVIEW_CREDITS", 40)
DAILY_JOBS_PREVIEW = env.integer("DAILY_JOBS_PREVIEW", 2)
DAILY_JOBS_PAYMENT_BACKED = env.integer("DAILY_JOBS_PAYMENT_BACKED", 50)
DAILY_JOBS_CLAIMED = env.integer("DAILY_JOBS_CLAIMED", 200)
NEW_AGENT_OUTPUTS_PER_REQUEST = env.integer("NEW_AGENT_OUTPUTS_PER_REQUEST", 4)
NEW_AGENT_CREDITS_PER_OPERATION = env.integer("NEW_AGENT_CREDITS_PER_OPERATION", 100)
PAYMENT_BACKED_CREDITS_PER_OPERATION = env.integer("PAYMENT_BACKED_CREDITS_PER_OPERATION", 100)
PAYMENT_BACKED_CREDITS_PER_DAY = env.integer("PAYMENT_BACKED_CREDITS_PER_DAY", 2000)
SIGNUPS_PER_HOUR_PER_NETWORK = env.integer("SIGNUPS_PER_HOUR_PER_NETWORK", 10)
TOKENS_PER_HOUR_PER_AGENT = env.integer("TOKENS_PER_HOUR_PER_AGENT", 10)  # by its own rotation
SIGNUPS_PER_DAY_PER_CONTACT = env.integer("SIGNUPS_PER_DAY_PER_CONTACT", 10)
STARTER_GRANTS_PER_CONTACT = env.integer("STARTER_GRANTS_PER_CONTACT", 3)
STARTER_GRANTS_PER_DAY_PER_NETWORK = env.integer("STARTER_GRANTS_PER_DAY_PER_NETWORK", 10)
STARTER_GRANTS_PER_DAY = env.integer("STARTER_GRANTS_PER_DAY", 1_000)  # to all new agents together
LOOPBACK_IS_UNLIMITED = DEVELOPMENT  # no limits by network for loopback clients

# -- Money -------------------------------------------------------------------------------------

TARGET_GROSS_MARGIN = env.decimal("TARGET_GROSS_MARGIN", "0.40")
REFUND_WINDOW_DAYS = env.integer("REFUND_WINDOW_DAYS", 14)  # for refund requests of sponsors
REFUND_REQUEST_DAYS = env.integer("REFUND_REQUEST_DAYS", 7)  # until a refund request expires
# Limits on what one person may do: for every role, then for roles that differ.
REFUND_SECOND_PERSON_CENTS = env.integer("REFUND_SECOND_PERSON_CENTS", 2_000)
REFUND_SECOND_PERSON_CENTS_BY_ROLE = env.integers_by_name(
    "REFUND_SECOND_PERSON_CENTS_BY_ROLE", known=ROLES
)
REFUND_SECOND_PERSON_CENTS_PER_DAY = env.integer(
    "REFUND_SECOND_PERSON_CENTS_PER_DAY", REFUND_SECOND_PERSON_CENTS
)
REFUND_SECOND_PERSON_CENTS_PER_DAY_BY_ROLE = env.integers_by_name(
    "REFUND_SECOND_PERSON_CENTS_PER_DAY_BY_ROLE", known=ROLES
)
REFUND_LIMITED_APPROVAL_CENTS = env.integer("REFUND_LIMITED_APPROVAL_CENTS", 10_000)
REFUND_LIMITED_APPROVAL_CENTS_BY_ROLE = env.integers_by_name(
    "REFUND_LIMITED_APPROVAL_CENTS_BY_ROLE", known=ROLES
)
GOODWILL_SECOND_PERSON_CREDITS = env.integer("GOODWILL_SECOND_PERSON_CREDITS", 500)
GOODWILL_SECOND_PERSON_CREDITS_BY_ROLE = env.integers_by_name(
    "GOODWILL_SECOND_PERSON_CREDITS_BY_ROLE", known=ROLES
)
GOODWILL_SECOND_PERSON_CREDITS_PER_PERSON = env.integer(
    "GOODWILL_SECOND_PERSON_CREDITS_PER_PERSON", GOODWILL_SECOND_PERSON_CREDITS
)
GOODWILL_SECOND_PERSON_CREDITS_PER_PERSON_BY_ROLE = env.integers_by_name(
    "GOODWILL_SECOND_PERSON_CREDITS_PER_PERSON_BY_ROLE", known=ROLES
)
RECONCILE_DAYS = env.integer("RECONCILE_DAYS", 7)  # that the nightly run looks back
# Functions that `check_books` runs: each app checks its own tables.
BOOK_CHECKS = [
    "billing.ledger.checks.ledger_problems",
    "billing.reconciliation.month_close.problems",
    "jobs.running.hold_checks.problems",
]

# -- Buying ------------------------------------------------------------------------------------

QUOTE_MINUTES = env.integer("QUOTE_MINUTES", 30)
FAKE_PAYMENTS = env.flag("FAKE_PAYMENTS", default=DEVELOPMENT)
FAKE_CREDITS_PER_ORGANIZATION = env.integer("FAKE_CREDITS_PER_ORGANIZATION", 10_000)
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRETS = env.words("STRIPE_WEBHOOK_SECRET")  # several during a rotation
STRIPE_API_BASE_URL = env.text("STRIPE_API_BASE_URL", "https://api.stripe.com").rstrip("/")
STRIPE_TIMEOUT_S = env.integer("STRIPE_TIMEOUT_S", 10)
CHECKOUT_SESSION_MINUTES = env.integer("CHECKOUT_SESSION_MINUTES", 120)  # Stripe allows 30 to 1440
# What Checkout asks the buyer for, and whether Stripe works out tax, on top of prices or in them.
CHECKOUT_BILLING_ADDRESS = env.flag("CHECKOUT_BILLING_ADDRESS", default=False)
CHECKOUT_TAX_ID = env.flag("CHECKOUT_TAX_ID", default=False)
CHECKOUT_AUTOMATIC_TAX = env.flag("CHECKOUT_AUTOMATIC_TAX", default=False)
CHECKOUT_TAX_BEHAVIOR = env.text("CHECKOUT_TAX_BEHAVIOR", "exclusive")
# The seller on receipts; each receipt keeps what they were on its day.
SELLER_LEGAL_NAME = env.text("SELLER_LEGAL_NAME", "Image Skill")
SELLER_ADDRESS = env.text("SELLER_ADDRESS").split("; ")
SELLER_TAX_ID = env.text("SELLER_TAX_ID")
SELLER_EMAIL = env.text("SELLER_EMAIL")
SELLER_NO_TAX_REASON = env.text("SELLER_NO_TAX_REASON", "No tax is charged on this sale.")
INSTALLATION_NAME = env.text("INSTALLATION_NAME", PUBLIC_API_URL.partition("://")[2])
if STRIPE_SECRET_KEY and not STRIPE_WEBHOOK_SECRETS:
    raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET is missing: payments can't be confirmed.")
if CHECKOUT_TAX_BEHAVIOR not in {"exclusive", "inclusive"}:
    raise ImproperlyConfigured("CHECKOUT_TAX_BEHAVIOR must be exclusive or inclusive.")
if not 31 <= CHECKOUT_SESSION_MINUTES <= 1439:
    raise ImproperlyConfigured("CHECKOUT_SESSION_MINUTES must be from 31 to 1439.")
if "_live_" in STRIPE_SECRET_KEY and STRIPE_API_BASE_URL != "https://api.stripe.com":
    raise ImproperlyConfigured("STRIPE_API_BASE_URL must be Stripe's for a live key.")

# -- Jobs --------------------------------------------------------------------------------------

CREATE_WAIT_S = env.integer("CREATE_WAIT_S", 50)
CREATE_WAITERS = env.integer("CREATE_WAITERS", 150)  # per process; fewer than its threads
JOB_DEADLINE_S = env.integer("JOB_DEADLINE_S", 900)  # from creation to the provider's output
JOB_LEASE_S = env.integer("JOB_LEASE_S", 30)  # without a renewal, the job is stalled
JOB_RESEND_AFTER_S = env.integer("JOB_RESEND_AFTER_S", 20)  # a queued job is enqueued again
OUTCOME_UNKNOWN_DEADLINE_S = env.integer("OUTCOME_UNKNOWN_DEADLINE_S", 86_400)
STORAGE_REPAIR_DEADLINE_S = env.integer("STORAGE_REPAIR_DEADLINE_S", 86_400)

# -- Providers: what all have in common; each vendor's own are in its folder ------------------

PROVIDER_CONNECT_TIMEOUT_S = env.integer("PROVIDER_CONNECT_TIMEOUT_S", 10)
PROVIDER_RETRY_S = env.integer("PROVIDER_RETRY_S", 30)  # only for calls that were not accepted
OUTPUT_BYTES = env.integer("OUTPUT_BYTES", 50_000_000)  # of one output
OUTPUT_FETCH_S = env.integer("OUTPUT_FETCH_S", 120)
BREAKER_FAILURES = env.integer("BREAKER_FAILURES", 5)  # in a row, within the window
BREAKER_WINDOW_S = env.integer("BREAKER_WINDOW_S", 120)
BREAKER_PAUSE_S = env.integer("BREAKER_PAUSE_S", 30)  # doubled each time, up to 10 minutes
PROMPT_POLICY = env.text("PROMPT_POLICY", "local")  # local or openai (its moderation endpoint)
PROMPT_POLICY_TIMEOUT_S = env.integer("PROMPT_POLICY_TIMEOUT_S", 10)
PROVIDERS_ARE_STANDINS = "providers" in env.names("STANDINS")
STANDING_WARNINGS = (
    ["Providers are stand-ins on this installation: images are drawn by a test server."]
    if PROVIDERS_ARE_STANDINS
    else []
)  # in every response
if PROVIDERS_ARE_STANDINS and not DEVELOPMENT:
    raise ImproperlyConfigured("STANDINS can include providers in development only.")
if PROMPT_POLICY not in {"local", "openai"}:
    raise ImproperlyConfigured("PROMPT_POLICY must be local or openai.")
if PROMPT_POLICY == "openai" and not (openai_settings.OPENAI_API_KEY or PROVIDERS_ARE_STANDINS):
    raise ImproperlyConfigured("PROMPT_POLICY=openai needs OPENAI_API_KEY.")

# -- Images ----------------------------------------------------------------------------------

PICTURE_SIDE_PX = env.integer("PICTURE_SIDE_PX", 16_384)
PICTURE_PIXELS = env.integer("PICTURE_PIXELS", 64_000_000)
PICTURE_FRAMES = env.integer("PICTURE_FRAMES", 300)
PICTURE_PIXELS_OF_ALL_FRAMES = env.integer("PICTURE_PIXELS_OF_ALL_FRAMES", 300_000_000)
KEEP_CONTENT_CREDENTIALS = env.flag("KEEP_CONTENT_CREDENTIALS", default=True)  # C2PA, ADR 14
DECODE_MEMORY_BYTES = env.integer("DECODE_MEMORY_BYTES", 1_000_000_000)
DECODE_SECONDS = env.integer("DECODE_SECONDS", 10)  # of processor time; elapsed, 2 to 6 times that
UPLOADS_AT_ONCE = env.integer("UPLOADS_AT_ONCE", 4)  # per process; each can take 100 MB
UPLOADS_PER_HOUR = env.integer("UPLOADS_PER_HOUR", 120)  # per token
# Of one organization; above it neither uploads nor new jobs, while jobs under way deliver.
STORAGE_BYTES_PREVIEW = env.integer("STORAGE_BYTES_PREVIEW", 1_000_000_000)
STORAGE_BYTES_PAYMENT_BACKED = env.integer("STORAGE_BYTES_PAYMENT_BACKED", 10_000_000_000)
STORAGE_BYTES_CLAIMED = env.integer("STORAGE_BYTES_CLAIMED", 100_000_000_000)

# -- Feedback and GitHub -----------------------------------------------------------------------

GITHUB_API_BASE_URL = env.text("GITHUB_API_BASE_URL", "https://api.github.com").rstrip("/")
GITHUB_REPOSITORY = env.text("GITHUB_REPOSITORY")  # owner/name; empty: nothing is sent
GITHUB_TOKEN = env.text("GITHUB_TOKEN")  # or the credentials of a GitHub app:
GITHUB_APP_ID = env.text("GITHUB_APP_ID")
GITHUB_APP_INSTALLATION_ID = env.text("GITHUB_APP_INSTALLATION_ID")
GITHUB_APP_PRIVATE_KEY = env.text("GITHUB_APP_PRIVATE_KEY")
GITHUB_WEBHOOK_SECRETS = env.words("GITHUB_WEBHOOK_SECRET")  # several during a rotation
GITHUB_TIMEOUT_S = env.integer("GITHUB_TIMEOUT_S", 20)
GITHUB_QUEUE_MODE = env.text("GITHUB_QUEUE_MODE", "dry_run")  # dry_run or live
GITHUB_ISSUES_PER_DAY = env.integer("GITHUB_ISSUES_PER_DAY", 50)
GITHUB_RETRY_S = env.integer("GITHUB_RETRY_S", 30)  # first retry after a failure; then doubled
GITHUB_LABELS = env.words("GITHUB_LABELS", "agent-feedback")  # of every issue
GITHUB_LABELS_BY_TYPE = env.words("GITHUB_LABELS_BY_TYPE")  # such as bug=bug
GITHUB_LABELS_BY_SEVERITY = env.words(
    "GITHUB_LABELS_BY_SEVERITY", "high=severity: high,critical=severity: critical"
)
_SEVERITIES = ("low", "medium", "high", "critical")
GITHUB_AUTO_QUEUE = env.words("GITHUB_AUTO_QUEUE")  # such as bug:high, or *:critical for any type
if GITHUB_QUEUE_MODE not in {"dry_run", "live"}:
    raise ImproperlyConfigured("GITHUB_QUEUE_MODE must be dry_run or live.")
if GITHUB_REPOSITORY and GITHUB_REPOSITORY.count("/") != 1:
    raise ImproperlyConfigured("GITHUB_REPOSITORY must be owner/name.")
for _rule in (*GITHUB_LABELS_BY_TYPE, *GITHUB_LABELS_BY_SEVERITY):
    if "=" not in _rule:
        raise ImproperlyConfigured("GITHUB_LABELS_BY_TYPE and _SEVERITY are lists of name=label.")
if any(rule.partition(":")[2] not in _SEVERITIES for rule in GITHUB_AUTO_QUEUE):
    raise ImproperlyConfigured(f"GITHUB_AUTO_QUEUE is a list of type:{'|'.join(_SEVERITIES)}.")

# -- Retention ---------------------------------------------------------------------------------

KEEP_PROMPTS_DAYS = env.integer("KEEP_PROMPTS_DAYS", 30)
KEEP_UPLOADS_DAYS = env.integer("KEEP_UPLOADS_DAYS", 90)
KEEP_UNUSED_UPLOADS_DAYS = env.integer("KEEP_UNUSED_UPLOADS_DAYS", 30)  # that no job has named
KEEP_MAILS_DAYS = env.integer("KEEP_MAILS_DAYS", 90)
KEEP_TELEMETRY_DAYS = env.integer("KEEP_TELEMETRY_DAYS", 30)

# -- Telemetry, logs ---------------------------------------------------------------------------

TELEMETRY = env.flag("TELEMETRY", default=True)
TELEMETRY_WRITER = env.flag("TELEMETRY_WRITER", default=True)
LOGGING = logs.logging_settings(level=env.text("LOG_LEVEL", "INFO"), as_json=not DEVELOPMENT)
structlog.configure(**logs.structlog_settings())
