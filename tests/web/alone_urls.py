"""The pages of the design system alone, opened as a clinician, with the navigation a clinician would see."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from openward.access.actor import Actor
from openward.web.navigation import Entry, register

urlpatterns = [path("", include("openward.web.urls"))]
handler400 = "openward.web.views.bad_request"
handler403 = "openward.web.views.forbidden"
handler404 = "openward.web.views.not_found"
handler500 = "openward.web.views.crashed"

LINKS = (("Patients", "users", "clinic"), ("Today", "calendar-check", "clinic"), ("Flow board", "kanban", "clinic"), ("Calendar", "calendar-days", "clinic"),
         ("Inbox", "inbox", "care"), ("Results", "flask-conical", "care"), ("Claims", "receipt-text", "money"), ("Statements", "file-text", "money"),
         ("Dashboard", "gauge", "practice"), ("People and roles", "user-cog", "practice"))  # fmt: skip
for n, (label, icon, group) in enumerate(LINKS):
    name = f"example-{n}"
    urlpatterns.append(path(f"example/{n}", lambda request: HttpResponse(""), name=name))
    register(Entry(name, label, icon, None, group, n))  # type: ignore[arg-type]
for n, (label, icon) in enumerate(
    (("Visits", "calendar-days"), ("Health record", "heart-pulse"), ("Messages", "message-circle"), ("Pay", "credit-card"))
):
    urlpatterns.append(path(f"mine/{n}", lambda request: HttpResponse(""), name=f"mine-{n}"))
    register(Entry(f"mine-{n}", label, icon, None, "portal", n, kinds=("patient",)))


class SignedIn:
    """Everyone is a clinician; `?as=patient` a patient, `?as=nobody` nobody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        who = request.GET.get("as", "patient" if "portal" in request.path else "clinician")
        if who != "nobody":
            kind = "patient" if who == "patient" else "staff"
            request.actor = Actor(id="user:1", name="Ada Example" if kind == "patient" else "Dr Jo Sample", kind=kind, tenant=1, role=who)  # type: ignore[attr-defined]
        return self.get_response(request)
