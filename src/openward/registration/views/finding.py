"""Finding a patient as one types. What is typed is a name: it travels in the body of a POST, never in an address."""

from __future__ import annotations

from django.http import HttpResponse

from openward.access.permissions import Permission
from openward.registration import finding
from openward.web.pages import PageRequest, page, render


@page("registration:find", needs=Permission.FIND_PATIENTS, methods=("GET", "POST"))
def find(request: PageRequest) -> HttpResponse:
    """The finder on a page of its own; a POST without JavaScript shows the answer on it."""
    text = request.POST.get("q", "")
    return render(request, "registration/find.html", _context(request, text))


@page("registration:found", needs=Permission.FIND_PATIENTS, methods=("POST",))
def found(request: PageRequest) -> HttpResponse:
    """The list under the box."""
    return render(request, "registration/parts/found.html", _context(request, request.POST.get("q", "")))


def _context(request: PageRequest, text: str) -> dict[str, object]:
    return {
        "text": text,
        "asked": len(text.strip()) >= finding.SHORTEST,
        "rows": finding.rows(request, text),
        "may_register": request.actor.may(Permission.REGISTER_PATIENTS),
    }
