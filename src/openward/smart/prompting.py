"""What an app may say of how the person is asked: not at all (`prompt=none`), after proving anew who they are (`login`, `max_age`), or as usual.

https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest (mandatory for every provider: section 15.1)
"""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest
from oauthlib.oauth2 import InvalidRequestError
from oauthlib.oauth2.rfc6749.errors import OAuth2Error
from oauthlib.openid.connect.core.exceptions import ConsentRequired, LoginRequired, RequestNotSupported, RequestURINotSupported

from openward.accounts.sessions import BY_PIN, SITTING
from openward.web.gate import PROVED_AT

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
ANEW = frozenset({"login", "select_account"})
SECONDS = 9  # digits of `max_age`


def check(request: Any) -> None:
    """Raises an OAuth2Error for what does not go together or is not known: an app that is not understood is not asked for less than it wanted."""
    for name in ("request", "request_uri"):
        if getattr(request, name, None) is not None:
            raise (RequestNotSupported if name == "request" else RequestURINotSupported)(request=request)
    prompts = _prompts(request)
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise InvalidRequestError(description="prompt is none, or some of login, consent, select_account", request=request)
    age = request.max_age
    if age is not None and not (age.isascii() and age.isdecimal() and len(age) <= SECONDS):
        raise InvalidRequestError(description="max_age is a number of seconds", request=request)


def _prompts(request: Any) -> frozenset[str]:
    return frozenset((request.prompt or "").split())


def unasked(request: Any, *, is_signed_in: bool) -> OAuth2Error | None:
    """What an app that wants no page shown is told instead of one."""
    if "none" not in _prompts(request):
        return None
    return ConsentRequired(request=request) if is_signed_in else LoginRequired(request=request)


def wants_proof(request: Any) -> bool:
    """Whether a sign-in of before may not be enough."""
    return bool(_prompts(request) & ANEW) or request.max_age is not None


def must_prove(request: Any, browser: HttpRequest, since: float | None) -> bool:
    """Whether the person has to prove anew who they are. `since`: when the app asked, for a request that was kept meanwhile."""
    proved = browser.session.get(PROVED_AT)
    if since is not None and (proved or 0.0) >= since:
        return False
    if proved == BY_PIN and "offline_access" in request.asked.contexts:
        return True  # what lasts for months is not given by a PIN, which is worth something for a shift and at one workstation
    too_old = request.max_age is not None and time.time() - (proved or 0.0) > int(request.max_age)
    return too_old or bool(_prompts(request) & ANEW)


def proved_at(browser: HttpRequest) -> float | None:
    """When who is signed in here last proved it, in seconds; a PIN counts where there was no more."""
    found: float | None = browser.session.get(PROVED_AT) or browser.session.get(SITTING, {}).get("began_at")
    return found
