"""Roles of the house's own, clearances, and what a person can see and why."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.labels import LABELS, RELABEL
from openward.access.models import Assignment, Clearance, CustomRole
from openward.access.permissions import Permission
from openward.access.roles import REACHES, ROLES
from openward.accounts.models import User
from openward.administration.policy import actions
from openward.administration.policy.effective import effective
from openward.administration.policy.forms import BASES, AssignForm, ClearanceForm, RoleForm
from openward.fhir.errors import FhirError
from openward.fhir.resources import Location
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render


@page("administration:own-roles", needs=Permission.MANAGE_USERS)
def own_roles(request: PageRequest) -> HttpResponseBase:
    rows = CustomRole.objects.filter(tenant=request.actor.tenant).order_by("title").prefetch_related("assignments")
    shown = [(row, REACHES.get(row.reach, ""), ROLES[row.based_on].title, row.assignments.count()) for row in rows]
    return render(request, "administration/own_roles.html", {"rows": shown, "bases": BASES})


@page("administration:own-role-new", needs=Permission.MANAGE_USERS, methods=("GET", "POST"), fresh=True)
def new_role(request: PageRequest, base: str) -> HttpResponseBase:
    if base not in dict(BASES):
        raise Http404
    given = {
        "reach": "everyone",
        "permissions": sorted(ROLES[base].permissions),
        "cleared": sorted(ROLES[base].cleared | ROLES[base].cleared_in_care),
    }
    form = RoleForm(request.POST or None, based_on=base, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.keep_role(key=None, based_on=base, by=request.actor, **form.cleaned_data)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "administration:own-role", key=made.key, message=_("The role is made. Give it to people below."))
    context = {"form": form, "base": ROLES[base]}
    return render(request, "administration/own_role_new.html", context, status=422 if form.errors else 200)


@page("administration:own-role", needs=Permission.MANAGE_USERS, methods=("GET", "POST"), fresh=True)
def own_role(request: PageRequest, key: str) -> HttpResponseBase:
    """One role: what it is, who has it, giving it to someone."""
    row = CustomRole.objects.filter(tenant=request.actor.tenant, key=key).first()
    if row is None:
        raise Http404
    form = AssignForm(request.POST or None, places=_places(request))
    if request.method == "POST" and form.is_valid():
        try:
            user = _staff(request, form.cleaned_data["sign_in"])
            actions.assign(key=key, user=user, facility=form.cleaned_data["facility"], until=form.cleaned_data["until"], by=request.actor)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "administration:own-role", key=key, message=_("{name} has the role now.").format(name=user.name))
    people = {user.id: user for user in User.objects.filter(id__in=row.assignments.values_list("user_id", flat=True))}
    holders = [(one, people[one.user_id]) for one in row.assignments.order_by("since") if one.user_id in people]
    labels = [LABELS[label].title for label in (*row.cleared, *row.cleared_in_care) if label in LABELS]
    context = {
        "role": row,
        "reach": REACHES.get(row.reach, ""),
        "labels": labels,
        "holders": holders,
        "form": form,
        "grants": sorted(row.grants.items()),
    }
    return render(request, "administration/own_role.html", context, status=422 if form.errors else 200)


@page("administration:own-role-end", needs=Permission.MANAGE_USERS, methods=("POST",), fresh=True)
def end_role(request: PageRequest, key: str) -> HttpResponseBase:
    actions.end_role(key=key, by=request.actor)
    return go(request, "administration:own-roles", message=_("The role is gone."))


@page("administration:unassign", needs=Permission.MANAGE_USERS, methods=("POST",), fresh=True)
def unassign(request: PageRequest, id: str) -> HttpResponseBase:
    user = _user(request, id)
    held = Assignment.objects.filter(tenant=user.tenant, user_id=user.id).select_related("role").first()
    if held is None:
        raise Http404
    actions.unassign(user=user, by=request.actor)
    return go(request, "administration:own-role", key=held.role.key, message=_("{name} has their own role again.").format(name=user.name))


@page("administration:access", needs=Permission.MANAGE_USERS)
def access(request: PageRequest, id: str) -> HttpResponseBase:
    """What this person can see, and why."""
    user = _user(request, id)
    return render(request, "administration/access.html", {"person": user, "found": effective(user)})


@page("administration:clearances", needs=Permission.MANAGE_USERS, methods=("GET", "POST"), fresh=True)
def clearances(request: PageRequest) -> HttpResponseBase:
    form = ClearanceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = dict(form.cleaned_data)
        try:
            named = asked.pop("actor").strip()
            actor = named if named.startswith("client:") else f"user:{_staff(request, named).id}"
            actions.clear(actor=actor, by=request.actor, **asked)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "administration:clearances", message=_("Cleared."))
    rows = list(Clearance.objects.filter(tenant=request.actor.tenant).order_by("actor", "label"))
    names = {f"user:{user.id}": user.name for user in User.objects.filter(id__in=[row.actor[5:] for row in rows if row.actor.startswith("user:")])}
    titles = {key: label.title for key, label in LABELS.items()} | {RELABEL: _("Changing sensitivity labels")}
    shown = [(row, names.get(row.actor, row.actor), titles.get(row.label, row.label)) for row in rows]
    return render(request, "administration/clearances.html", {"rows": shown, "form": form}, status=422 if form.errors else 200)


@page("administration:clearance-end", needs=Permission.MANAGE_USERS, methods=("POST",), fresh=True)
def end_clearance(request: PageRequest, id: str) -> HttpResponseBase:
    try:
        actions.end_clearance(clearance=id, by=request.actor)
    except ValidationError:
        raise Http404 from None
    return go(request, "administration:clearances", message=_("The clearance has ended."))


def _places(request: PageRequest) -> list[tuple[str, str]]:
    """The facilities: places that are in no other."""
    found = request.store.search(Location, {"partof:missing": "true", "_count": 200, "_sort": "name"}).resources
    return [(f"Location/{place.id}", place.name or str(place.id)) for place in found]


class NobodyOfThatName(FhirError):
    """No member of staff signs in with that name."""

    status, code = 422, "not-found"


def _staff(request: PageRequest, sign_in: str) -> User:
    named = User.objects.normal(sign_in)
    user = User.objects.filter(tenant=request.actor.tenant, sign_in=named, is_active=True).exclude(role="patient").first()
    if user is None:
        raise NobodyOfThatName
    return user


def _user(request: PageRequest, id: str) -> User:
    try:
        return User.objects.get(pk=id, tenant=request.actor.tenant)
    except (User.DoesNotExist, ValidationError):
        raise Http404 from None
