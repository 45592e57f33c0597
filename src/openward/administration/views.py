"""People, health, outbox."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward import __version__
from openward.access.permissions import Permission
from openward.access.roles import ROLES
from openward.accounts import factors, sessions
from openward.accounts.actions import SignInTaken
from openward.accounts.models import User
from openward.administration import actions
from openward.administration.forms import PersonForm, RoleForm
from openward.fhir.errors import FhirError
from openward.outbox.actions import send_again
from openward.outbox.models import Message
from openward.record.health import findings
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, panel_done, render, render_panel, toast

PER_PAGE = 50


@page("administration:people", needs=Permission.MANAGE_USERS)
def people(request: PageRequest) -> HttpResponseBase:
    text, role = request.GET.get("q", "").strip(), request.GET.get("role", "")
    users = User.objects.filter(tenant=request.actor.tenant).order_by("role", "name")
    if role in ROLES:
        users = users.filter(role=role)
    if text:
        users = users.filter(Q(name__icontains=text) | Q(sign_in__icontains=text))
    shown = Paginator(users, PER_PAGE).get_page(request.GET.get("page"))
    context = {"people": shown, "roles": ROLES.values(), "role": role, "q": text}
    return render(request, "administration/people.html", context)


@page("administration:add-person", needs=Permission.MANAGE_USERS, methods=("GET", "POST"), fresh=True)
def add_person(request: PageRequest) -> HttpResponseBase:
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.make_person(by=request.actor, **form.cleaned_data)
        except SignInTaken as taken:
            form.add_error("sign_in", str(taken.__doc__))
        except actions.NoAddress as missing:
            form.add_error("email", str(missing.__doc__))
        except ValidationError as weak:
            form.add_error("password", weak)
        else:
            return go(request, "administration:people", message=_("{name} can sign in now.").format(name=user.name))
    context = {"form": form, "panel_title": _("Add a person")}
    return render_panel(request, "administration/add_person.html", context, page="administration:people", status=422 if form.errors else 200)


@page("administration:person", needs=Permission.MANAGE_USERS, methods=("GET", "POST"), fresh=True)
def person(request: PageRequest, id: str) -> HttpResponseBase:
    user = _person(request, id)
    form = RoleForm(request.POST or None, initial={"role": user.role})
    if request.method == "POST":
        try:
            done = _change(request, user, form)
        except FhirError as refusal:
            add_to_form(form, refusal)
            done = ""
        if done:
            return panel_done(request, message=done, refresh=["people"], page="administration:people")
    context = {
        "person": user,
        "form": form,
        "panel_title": user.name,
        "role": ROLES[user.role],
        "sessions": sessions.of(user),
        "factors": factors.of(user),
        "is_required": factors.is_required(user),
    }
    return render_panel(request, "administration/person.html", context, page="administration:people", status=422 if form.errors else 200)


def _person(request: PageRequest, id: str) -> User:
    try:
        return User.objects.get(pk=id, tenant=request.actor.tenant)
    except (User.DoesNotExist, ValidationError):
        raise Http404 from None


def _change(request: PageRequest, user: User, form: RoleForm) -> str:
    """What was done, in words; nothing when the form has errors."""
    by, name = request.actor, {"name": user.name}
    match request.POST.get("do"):
        case "end":
            actions.end_sign_in(user=user, by=by)
            return _("{name} can no longer sign in.").format(**name)
        case "restore":
            actions.restore_sign_in(user=user, by=by)
            return _("{name} can sign in again.").format(**name)
        case "unlock":
            actions.unlock(user=user, by=by)
            return _("{name} can sign in again.").format(**name)
        case "sign-out":
            actions.sign_out_everywhere(user=user, by=by)
            return _("{name} is signed out everywhere.").format(**name)
        case "remove-factors":
            actions.remove_factors(user=user, by=by)
            return _("{name} sets up a passkey or an app at the next sign-in.").format(**name)
        case "send-link":
            actions.send_link(user=user, by=by)
            return _("The link to set a password is on its way to {name}.").format(**name)
        case _:
            return _change_role(request, user, form)


def _change_role(request: PageRequest, user: User, form: RoleForm) -> str:
    if not form.is_valid():
        return ""
    actions.change_role(user=user, role=form.cleaned_data["role"], by=request.actor)
    return _("The role is changed; they must sign in again.")


@page("administration:roles", needs=Permission.MANAGE_USERS)
def roles(request: PageRequest) -> HttpResponseBase:
    rows = [(role, sorted(role.permissions), sorted(role.grants.items())) for role in ROLES.values()]
    return render(request, "administration/roles.html", {"rows": rows})


@page("administration:health", needs=Permission.SEE_HEALTH)
def health_page(request: PageRequest) -> HttpResponseBase:
    return render(request, "administration/health.html", {"findings": findings(), "version": __version__})


@page("administration:health-json", public=True)
def health(request: PageRequest) -> HttpResponse:
    """`GET /health`: 200 when the server can serve, 503 when not; which checks are in trouble, not why."""
    found = findings()
    down = any(finding.vital and not finding.is_well for finding in found)
    state = "down" if down else "ok" if all(finding.is_well for finding in found) else "degraded"
    body = {"status": state, "version": __version__, "checks": {finding.name: "ok" if finding.is_well else "trouble" for finding in found}}
    return JsonResponse(body, status=503 if down else 200)


@page("administration:outbox", needs=Permission.SEE_OUTBOX)
def outbox(request: PageRequest) -> HttpResponseBase:
    """Whether messages leave. Who they go to and what they say stays closed: an administrator sees no patient data."""
    state = request.GET.get("state", "")
    messages = Message.objects.filter(tenant=request.actor.tenant).order_by("-made_at")
    if state in Message.State.values:
        messages = messages.filter(state=state)
    shown = Paginator(messages, PER_PAGE).get_page(request.GET.get("page"))
    tabs = [(_("All"), "?", not state)] + [(label, f"?state={value}", state == value) for value, label in Message.State.choices]
    return render(request, "administration/outbox.html", {"messages_shown": shown, "tabs": tabs, "state": state})


@page("administration:send-again", needs=Permission.SEE_OUTBOX, methods=("POST",))
def send_message_again(request: PageRequest, id: str) -> HttpResponseBase:
    try:
        send_again(message=id, by=request.actor)
    except (Message.DoesNotExist, ValidationError):
        raise Http404 from None
    toast(request, _("The message is on its way again."))
    return go(request, "administration:outbox")
