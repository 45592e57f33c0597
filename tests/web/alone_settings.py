"""Settings for looking at the design system alone, without the database and the rooms."""

from __future__ import annotations

SECRET_KEY = "only for tests"
DEBUG = True
ALLOWED_HOSTS = ["*"]
OPENWARD_DEMO = True
OPENWARD_LIVE_URL = ""
USE_TZ = True
ROOT_URLCONF = "tests.web.alone_urls"
INSTALLED_APPS = ["openward.web", "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles", "django_htmx", "csp"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"default-src": ["'self'"], "base-uri": ["'none'"], "object-src": ["'none'"]}}
CSRF_FAILURE_VIEW = "openward.web.views.form_expired"
STATIC_URL = "/static/"
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
            "builtins": ["openward.web.templatetags.openward", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
MIDDLEWARE.append("tests.web.alone_urls.SignedIn")
LOGIN_URL = "/sign-in"
