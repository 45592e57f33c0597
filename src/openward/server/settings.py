"""Django's settings, all from the environment and the data folder."""

from __future__ import annotations

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from openward.accounts.elsewhere import providers
from openward.cluster import EmbeddedCluster
from openward.database import from_url
from openward.server import environment as env
from openward.server.keys import secret_key

OPENWARD_DATA = env.data_folder()
OPENWARD_RESERVE_BYTES = env.RESERVE_MB.number * 2**20
OPENWARD_DEMO = env.DEMO.is_on
OPENWARD_KEK_FILES = env.kek_files()
OPENWARD_KMS = env.KMS.value
OPENWARD_BACKUPS = env.BACKUPS.value
OPENWARD_BACKUP_STORE = env.BACKUP_STORE.value
OPENWARD_LIVE_URL = env.LIVE_URL.value
OPENWARD_PUBLIC_URL = env.PUBLIC_URL.value.rstrip("/")
OPENWARD_CHANNELS = env.channels()
OPENWARD_CARD_PROCESSOR = env.CARD_PROCESSOR.value
OPENWARD_AUDIT_ANCHORS = env.AUDIT_ANCHORS.value
OPENWARD_EXPORT_HOURS = env.EXPORT_HOURS.number
OPENWARD_EXPORTS_AT_ONCE = env.EXPORTS_AT_ONCE.number
OPENWARD_VALIDATE_PROFILES = env.VALIDATE_PROFILES.value
OPENWARD_PROFILES = env.PROFILES.items
OPENWARD_GUIDES = env.GUIDES.items
OPENWARD_IMPORT_HOSTS = env.IMPORT_HOSTS.items
OPENWARD_PRIVATE_TARGETS = env.PRIVATE_TARGETS.items
OPENWARD_SMART_TOKEN_MINUTES = env.SMART_TOKEN_MINUTES.number
OPENWARD_SMART_REFRESH_DAYS = env.SMART_REFRESH_DAYS.number
OPENWARD_SMART_LONGEST_DAYS = env.SMART_LONGEST_DAYS.number
OPENWARD_OAUTH_PER_MINUTE = env.OAUTH_PER_MINUTE.number
OPENWARD_SMART_REGISTRATION = env.SMART_REGISTRATION.is_on
OPENWARD_SIGN_IN_ELSEWHERE = providers(env.SIGN_IN_ELSEWHERE.value)

DEBUG = env.DEBUG.is_on
SECRET_KEY = env.SECRET_KEY.value or secret_key(OPENWARD_DATA)
ALLOWED_HOSTS = env.HOSTS.items
CSRF_TRUSTED_ORIGINS = env.ORIGINS.items

ROOMS = ["entrance", "registration", "chart", "scheduling", "billing", "portal", "servicedesk", "privacy", "administration", "smart"]

INSTALLED_APPS = [
    "openward.access",
    "openward.record",
    "openward.keys",
    "openward.accounts",
    "openward.audit",
    "openward.outbox",
    "openward.backup",
    "openward.web",
    *(f"openward.{room}" for room in ROOMS),
    "openward.demo",
    "openward.server",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    *(["allauth.socialaccount.providers.openid_connect"] if OPENWARD_SIGN_IN_ELSEWHERE else []),  # brings an HTTP client of eighty modules
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "openward.server.addresses.WhereFrom",
    "openward.server.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "openward.web.content_policy.ContentPolicy",
    "openward.server.middleware.NoStore",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "openward.server.middleware.WhoIsSignedIn",
    "allauth.account.middleware.AccountMiddleware",
    "openward.accounts.middleware.ScreenLocks",
    "openward.server.middleware.IdleSessionsEnd",
    "openward.server.middleware.PracticeTime",
    "openward.server.middleware.WhoActs",
    "openward.portal.family.ActsForAnother",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "openward.server.urls"
WSGI_APPLICATION = "openward.server.wsgi.application"
CSRF_FAILURE_VIEW = "openward.web.views.form_expired"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "openward.web.context.page_context",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "openward.web.templatetags.openward"],
        },
    }
]


def _database() -> dict[str, object]:
    url = env.DATABASE_URL.value
    parameters = dict(from_url(url).parameters if url else EmbeddedCluster(OPENWARD_DATA).parameters())
    if not url and env.DATABASE_ROLE.value:
        parameters["user"] = env.DATABASE_ROLE.value
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    known = {names[name]: parameters.pop(name) for name in list(parameters) if name in names}
    # A search is never prepared, so that it is planned for its own values; what the engine prepares by name may keep its plan (openward.record.connection).
    options = {**parameters, "options": "-c plan_cache_mode=auto -c jit=off -c lock_timeout=15s"}
    return {"ENGINE": "openward.server.postgresql", **known, "OPTIONS": options, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "openward.accounts.passwords.NotBreached"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ("sign_in", "name")}},
]
LOGIN_URL = "accounts:sign-in"
OPENWARD_MFA_ROLES = frozenset(env.MFA_ROLES.items or ([] if OPENWARD_DEMO else ["staff"]))
OPENWARD_BREACHED_PASSWORDS = env.BREACHED_PASSWORDS.value
# HTTPS ends at a proxy: where none is named, it is believed to be on this machine.
OPENWARD_PROXIES = tuple(env.PROXIES.items or (["127.0.0.0/8", "::1"] if env.HTTPS.is_on else []))
OPENWARD_STATION_HOURS = env.STATION_HOURS.number
OPENWARD_LOCK_SECONDS = env.LOCK_MINUTES.number * 60

# django-allauth has second factors, passkeys and OpenID Connect; the pages and the session are ours (openward.entrance).
ACCOUNT_ADAPTER = "openward.accounts.adapters.NoSignUp"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "sign_in"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "openward.accounts.adapters.Factors"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_USER_VERIFICATION = "required"
SOCIALACCOUNT_ADAPTER = "openward.entrance.elsewhere.SignInElsewhere"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [one.app() for one in OPENWARD_SIGN_IN_ELSEWHERE]}}

AUTHENTICATION_BACKENDS = ["openward.accounts.backend.AccountBackend"]
SESSION_ENGINE = "openward.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# A name that begins with __Host- is taken by browsers only over HTTPS, for this host alone, so that no other host can set it.
COOKIES = "__Host-" if env.HTTPS.is_on else ""
SESSION_COOKIE_NAME = f"{COOKIES}openward_session"
SESSION_COOKIE_AGE = 12 * 60 * 60
try:
    OPENWARD_IDLE_SECONDS = int(env.SESSION_MINUTES.value) * 60
except ValueError:
    raise ImproperlyConfigured(f"{env.SESSION_MINUTES.name} is not a whole number of minutes") from None
CSRF_COOKIE_NAME = f"{COOKIES}openward_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.HTTPS.is_on
SECURE_HSTS_SECONDS = 31_536_000 if env.HTTPS.is_on else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.HTTPS.is_on
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The live updates come from the next port (or from another host behind a proxy), so that one origin is allowed by name.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, *([OPENWARD_LIVE_URL] if OPENWARD_LIVE_URL else [])],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = OPENWARD_DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "openward.server.static.HashedFiles"},
}

LANGUAGE_CODE = "en-us"
# Those our own words are written in. Of the hundred that Django knows, a page would be told in a mixture, and be read aloud, or run, the wrong way.
LANGUAGES = [("en-us", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.TIME_ZONE.value

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "openward.server.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "openward": {"level": "INFO"},
        "procrastinate": {"level": "WARNING"},
        # Django's own request log prints addresses of pages and, for errors, the request: our middleware writes the line instead.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        "django.server": {"level": "CRITICAL"},
    },
}
