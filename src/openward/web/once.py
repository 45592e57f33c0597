"""A form sent twice acts once: its hidden token is remembered with the answer, and the second copy gets the same answer.

The button is disabled while a form is on its way (forms.js); this is for what that cannot catch: a lost answer, a reload, the back button.
"""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

FIELD = "_once"
_KEY = "openward.once"
_KEPT = 40
_HEADERS = ("Location", "HX-Redirect", "HX-Trigger")


def new_token() -> str:
    return secrets.token_urlsafe(12)


def remembered(request: HttpRequest) -> HttpResponse | None:
    """The answer this token had before, or None when it is new."""
    token = _token(request)
    answer = request.session.get(_KEY, {}).get(token) if token else None
    if answer is None:
        return None
    response = HttpResponse("", status=answer["status"])
    for name, value in answer["headers"].items():
        response[name] = value
    return response


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Keep what a successful POST answered; a refused form may be corrected and sent again with the same token."""
    token = _token(request)
    if not token or response.status_code >= 400:
        return
    headers = {name: response[name] for name in _HEADERS if name in response}
    if not headers:
        return
    kept = request.session.get(_KEY, {})
    kept[token] = {"status": response.status_code, "headers": headers}
    request.session[_KEY] = dict(list(kept.items())[-_KEPT:])


def _token(request: HttpRequest) -> str:
    return request.POST.get(FIELD, "") if request.method == "POST" and hasattr(request, "session") else ""
