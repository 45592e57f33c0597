"""Where a person lets an app in: what it asks for, for which patient, and what they leave out.

https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, FatalClientError, InvalidRequestError, OAuth2Error

from openward.accounts.models import User
from openward.accounts.throttle import TooFast
from openward.accounts.tokens import digest
from openward.fhir.errors import FhirError
from openward.fhir.ids import is_id
from openward.smart import launching, lifetimes, pacing, prompting, words
from openward.smart.context import Asking, launched, needs_patient
from openward.smart.grants import Grants
from openward.smart.models import App, Asked, Launch
from openward.smart.patients import chosen, found, own
from openward.smart.views.launches import opening
from openward.web.pages import PageRequest, page, render

SALT = "openward.smart.asked"
LARGEST = 16 * 1024
KEPT_AT_MOST = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request to authorise that OAuth has nothing against. `query` is how it came."""

    query: str
    grants: Grants
    oauth: Any

    @property
    def app(self) -> App:
        app: App = self.oauth.client
        return app

    def refusal(self, error: OAuth2Error) -> HttpResponse:
        """Tell the client, at the address it has registered."""
        error.state = self.oauth.state
        return leave(error.in_uri(self.oauth.redirect_uri), self.grants.asking)


def leave(url: str, asking: Asking) -> HttpResponse:
    """To an address of the client's that has been checked; it may be one of an app on a phone, which Django's own redirect refuses.

    `iss` says who answers, to a client that knows several servers. https://www.rfc-editor.org/rfc/rfc9207
    """
    url = add_params_to_uri(url, [("iss", asking.issuer)])
    return HttpResponse(status=302, headers={"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


@csrf_exempt
@page("smart:authorize", public=True, methods=("GET", "POST"))
def authorize(request: PageRequest) -> HttpResponseBase:
    """By GET, or by POST from the client's page, which comes without the person's cookies: kept then, and gone on with by GET."""
    if request.method == "GET":
        return _ask(request, request.META.get("QUERY_STRING", ""), request.get_full_path())
    query = request.POST.urlencode() if request.content_type == "application/x-www-form-urlencoded" else ""
    kept = _kept(request, query)
    return kept if isinstance(kept, HttpResponse) else redirect("smart:asked", id=kept.id)


def _kept(request: PageRequest, query: str) -> Asked | HttpResponse:
    """The request, kept until the person is here, or has proved who they are; or the answer that refuses it."""
    try:
        pacing.address_may_ask(request, "app-authorize", pacing.ASKING)
    except TooFast as trouble:
        pacing.too_fast(request, "app-authorize", trouble)
        slower = _refused(request, _("Apps ask too often from here. Try again in a minute."), 429)
        slower["Retry-After"] = str(trouble.seconds)
        return slower
    wanted = _wanted(request, query)
    if isinstance(wanted, HttpResponse):
        return wanted
    if Asked.objects.filter(expires_at__gt=timezone.now()).count() >= KEPT_AT_MOST:
        return _refused(request, _("Too many apps ask at once. Try again in a few minutes."), 503)
    return Asked.objects.create(query=query, expires_at=timezone.now() + lifetimes.ASKED)


@page("smart:asked", public=True)
def asked(request: PageRequest, id: Any) -> HttpResponseBase:
    """What was kept. Nothing of the person's is in it: whoever has its address can only be asked for their own consent."""
    kept = Asked.objects.filter(id=id, expires_at__gt=timezone.now()).first()
    if kept is None:
        raise Http404
    return _ask(request, kept.query, request.get_full_path(), since=(kept.expires_at - lifetimes.ASKED).timestamp())


def _wanted(request: PageRequest, query: str) -> Wanted | HttpResponse:
    """The request, checked; or the answer that refuses it. Nobody is sent anywhere before client and address are known to be right."""
    asking = Asking.of(request)
    grants = Grants(asking)
    try:
        if len(query) > LARGEST:
            raise InvalidRequestError(description="too long")
        _scopes, facts = grants.authorization.validate_authorization_request(f"{asking.origin}/oauth/authorize?{query}")
    except FatalClientError as error:
        return _refused(request, error.description or str(error.error))
    except OAuth2Error as error:
        return leave(error.in_uri(error.redirect_uri), asking) if error.redirect_uri else _refused(request, error.description or str(error.error))
    except ValueError:
        return _refused(request, _("The address cannot be read."))
    return Wanted(query, grants, facts["request"])


def _refused(request: PageRequest, why: str, status: int = 400) -> HttpResponse:
    return render(request, "smart/refused.html", {"why": why}, status=status)


def _ask(request: PageRequest, query: str, here: str, *, since: float | None = None) -> HttpResponseBase:
    """`since`: when the app asked, where that was kept."""
    wanted = _wanted(request, query)
    if isinstance(wanted, HttpResponse):
        return wanted
    if request.actor is None or prompting.must_prove(wanted.oauth, request, since):
        return _prove_first(request, wanted, here, since)
    user = User.objects.get(pk=request.actor.user_id or "")
    if (closed := _closed(request, wanted, user)) is not None:
        untold = prompting.unasked(wanted.oauth, is_signed_in=True)
        return wanted.refusal(untold) if untold is not None else closed
    if not wanted.oauth.launch:
        return _consent(request, wanted, user)
    started = launched(wanted.app, user.pk, wanted.oauth.launch)
    if started is None:
        return wanted.refusal(InvalidRequestError(description="this launch is not known, was used, or has expired"))
    return _after_launch(request, wanted, user, started)


def _prove_first(request: PageRequest, wanted: Wanted, here: str, since: float | None) -> HttpResponseBase:
    """Sign in, or prove it once more, and come back. Where a sign-in of before is not enough the request is kept, so that it is known what came after it."""
    if (untold := prompting.unasked(wanted.oauth, is_signed_in=False)) is not None:
        return wanted.refusal(untold)
    if since is None and prompting.wants_proof(wanted.oauth):
        kept = _kept(request, wanted.query)
        if isinstance(kept, HttpResponse):
            return kept
        here = resolve_url("smart:asked", id=kept.id)
    door = settings.LOGIN_URL if request.actor is None else "accounts:again"
    return redirect(f"{resolve_url(door)}?{urlencode({'next': here})}")


def _closed(request: PageRequest, wanted: Wanted, user: User) -> HttpResponse | None:
    """Why this person cannot let this app in. A page and no redirect: it may stand at the end of the sign-in form, which leads to no other site."""
    if not wanted.app.is_for(user):
        return _refused(request, _("This app is not meant for you. Ask the practice."), 403)
    if user.role == "patient" and not own(request.actor):
        return _refused(request, _("Go back to your own record first: apps are let into that one only."), 403)
    return None


def _after_launch(request: PageRequest, wanted: Wanted, user: User, started: Launch) -> HttpResponseBase:
    """Staff start apps that the administrator approved, so nothing more is asked; a patient is always asked."""
    if user.role == "patient":
        return _consent(request, wanted, user)
    answer = _let_in(request, wanted, user, [scope.text for scope in wanted.oauth.asked.resources], started.patient, started.encounter)
    if request.headers.get("Sec-Fetch-Site") != "same-origin" or answer.status_code != 302:
        return answer
    return opening(request, wanted.app, answer["Location"])  # they come from a form of ours, which leads to no other site


def _consent(request: PageRequest, wanted: Wanted, user: User, *, trouble: str = "") -> HttpResponse:
    """The page that asks. Its form may lead to the client's address and to no other."""
    if (untold := prompting.unasked(wanted.oauth, is_signed_in=True)) is not None:
        return wanted.refusal(untold)
    scopes = wanted.oauth.asked
    is_patient = user.role == "patient"
    picked = set(request.POST.getlist("scope")) if request.POST.get("do") else None
    lines = [(offer, picked is None or offer.scope in picked) for offer in words.offers(scopes, user.role)]
    patient = request.POST.get("patient", "")
    context = {
        "app": wanted.app,
        "offers": lines,
        "by_kind": words.is_by_kind(scopes, user.role),
        "kept": words.kept_words(scopes.contexts),
        "tells_who": "openid" in scopes.contexts,
        "asks_patient": needs_patient(scopes) and not is_patient,
        "found": [] if is_patient else found(request, request.POST.get("q", "")),
        "q": request.POST.get("q", ""),
        "patient": patient,
        "visits": _visits(request, patient) if "launch/encounter" in scopes.contexts and (patient or is_patient) else [],
        "asked": signing.dumps([wanted.query, str(user.pk)], salt=SALT, compress=True),
        "trouble": trouble,
        "layout": "web/portal.html" if is_patient else "web/page.html",
    }
    response = render(request, "smart/consent.html", context, status=422 if trouble else 200)
    parts = urlsplit(wanted.oauth.redirect_uri)
    response._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"]}  # type: ignore[attr-defined]
    return response


def _visits(request: PageRequest, patient: str) -> list[Any]:
    whose = own(request.actor) if request.actor.kind == "patient" else patient
    return launching.visits(request.store, whose) if whose and is_id(whose) else []


@page("smart:consent", methods=("POST",))
def consent(request: PageRequest) -> HttpResponseBase:
    """What the person decided. The request is the very one they were shown, checked once more."""
    try:
        query, whose = signing.loads(request.POST.get("asked", ""), salt=SALT, max_age=lifetimes.CONSENT)
    except signing.BadSignature:
        return _refused(request, _("This page was open for too long. Start again from the app."))
    if whose != request.actor.user_id:
        return _refused(request, _("Someone else has signed in since. Start again from the app."))
    wanted = _wanted(request, query)
    if isinstance(wanted, HttpResponse):
        return wanted
    user = User.objects.get(pk=whose)
    return _closed(request, wanted, user) or _decided(request, wanted, user)


def _decided(request: PageRequest, wanted: Wanted, user: User) -> HttpResponseBase:
    if request.POST.get("do") == "refuse":
        return wanted.refusal(AccessDeniedError(description="the person refused"))
    if request.POST.get("do") != "allow":
        return _consent(request, wanted, user)
    try:
        resources = words.taken(wanted.oauth.asked, user.role, set(request.POST.getlist("scope")))
        patient, encounter = chosen(request, needs_patient(wanted.oauth.asked))
    except ValueError as trouble:
        return _consent(request, wanted, user, trouble=str(trouble))
    except FhirError:
        return _consent(request, wanted, user, trouble=_("This patient or visit is not there."))
    if user.role == "patient" and wanted.oauth.launch and launched(wanted.app, user.pk, wanted.oauth.launch) is None:
        return wanted.refusal(InvalidRequestError(description="this launch was used, or has expired"))
    return _let_in(request, wanted, user, resources, patient, encounter)


def _let_in(request: PageRequest, wanted: Wanted, user: User, resources: list[str], patient: str, encounter: str) -> HttpResponseBase:
    """A code for the client. What the launch said of patient and visit is read once more as the person who acts."""
    if patient:
        launching.may_be_about(request.store, patient, encounter)
    if wanted.oauth.launch and not _spent(wanted, user):
        return wanted.refusal(InvalidRequestError(description="this launch was used, or has expired"))
    contexts = [word for word in wanted.oauth.asked.text.split(" ") if word in wanted.oauth.asked.contexts]
    granted = [word for word in contexts if word != "launch" or wanted.oauth.launch]
    if not [*granted, *resources]:
        return wanted.refusal(AccessDeniedError(description="everything was refused"))
    session = digest(request.session.session_key) if "online_access" in granted and request.session.session_key else None
    connection = launching.agree(
        app=wanted.app,
        user=user,
        scope=" ".join([*granted, *resources]),
        patient=patient,
        encounter=encounter,
        nonce=wanted.oauth.nonce or "",
        session=session,
        proved_at=prompting.proved_at(request),
        by=request.actor,
    )
    address = f"{wanted.grants.asking.origin}/oauth/authorize?{wanted.query}"
    headers, _body, _status = wanted.grants.authorization.create_authorization_response(address, credentials={"connection": connection})
    return leave(headers["Location"], wanted.grants.asking)


def _spent(wanted: Wanted, user: User) -> bool:
    """Whether the launch was ours to use: of two at once, one finds it used."""
    open_ = Launch.objects.filter(digest=digest(wanted.oauth.launch), app=wanted.app, user=user, used_at__isnull=True, expires_at__gt=timezone.now())
    return open_.update(used_at=timezone.now()) == 1
