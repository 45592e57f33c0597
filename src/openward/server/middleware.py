"""What every request passes: an id, no caching of what may be private, the end of idle sessions, and who acts."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User

Handler = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger("openward.request")

# Requests a page makes by itself do not keep a session alive; otherwise an open flow board would never lock.
BACKGROUND_HEADER = "HTTP_X_OPENWARD_BACKGROUND"
TOUCH_AFTER_SECONDS = 30


class RequestId:
    """Give each request an id that its log lines, its audit events and its error page carry."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        got_request_exception.connect(self.log_crash, dispatch_uid="openward-crash")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = secrets.token_hex(6)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    @staticmethod
    def log_crash(sender: object, request: HttpRequest | None = None, **_: object) -> None:
        route = getattr(getattr(request, "resolver_match", None), "view_name", None)
        log.error("crash %s in %s %s", getattr(request, "request_id", "-"), getattr(request, "method", "-"), route, exc_info=True)


class NoStore:
    """Pages may show patients' data: no cache keeps them, so that "back" after signing out shows nothing."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(), payment=()")
        return response


class WhoIsSignedIn(AuthenticationMiddleware):
    """Django's own, the person looked up at once: every page asks who they are some hundred times, and asking through a lazy object is no shorter
    for being the hundredth."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = get_user(request)


class IdleSessionsEnd:
    """Sign out who has done nothing for `OPENWARD_SESSION_MINUTES`, and who signed in twelve hours ago. The server's clock decides. ONC 170.315(d)(5)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = time.time()
            seen = request.session.get("seen_at", now)
            began = request.session.get("sitting", {}).get("began_at", now)
            if now - seen > settings.OPENWARD_IDLE_SECONDS or now - began > settings.SESSION_COOKIE_AGE:
                logout(request)
            elif BACKGROUND_HEADER not in request.META and (now - seen > TOUCH_AFTER_SECONDS or "seen_at" not in request.session):
                request.session["seen_at"] = now
        return self.get_response(request)


class PracticeTime:
    """Pages tell the time of the practice's zone. They would without this, too: but Django finds a zone that was set in a fifth of the time it takes
    to find that none was, and a chart asks for it a hundred times."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        timezone.activate(timezone.get_default_timezone())
        return self.get_response(request)


class WhoActs:
    """Put the actor on the request: the signed-in person, or nobody."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = self._actor(request)  # type: ignore[attr-defined]
        return self.get_response(request)

    @staticmethod
    def _actor(request: HttpRequest) -> Actor | None:
        user = request.user
        if not isinstance(user, User):
            return None
        return user.actor().during(request_id=request.request_id, address=request.META.get("REMOTE_ADDR"))  # type: ignore[attr-defined]
