"""What was typed into a form that could not be taken is given back on a page of its own, from where it can be sent again.

Only what the browser has just sent is shown, to that browser, after Django has seen that the form is one of ours; nothing of it is kept on the server.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from openward.web import once
from openward.web.gate import actor_of

# Fields no person typed, and those that are never shown again: what opens a door, and a card. A `code` alone may be that of a diagnosis.
UNTYPED = frozenset({"csrfmiddlewaretoken", once.FIELD, "_whose", "_page", "_method", "next", "key", "version"})
SECRET = frozenset({"password", "again", "current", "secret", "pin", "credential"})
CARD = frozenset({"number", "month", "year", "code"})


def is_something(request: HttpRequest) -> bool:
    """Whether the form brought anything a person had chosen or typed."""
    return any(value.strip() for name in request.POST if name not in UNTYPED for value in request.POST.getlist(name))


def page(request: HttpRequest, *, title: str, text: str, status: int) -> HttpResponse:
    """Says `text`, shows what was typed, and offers to send it again; a form with a secret or a file in it must be filled in anew."""
    actor = actor_of(request)
    layout = "web/bare.html" if actor is None else "web/portal.html" if actor.kind == "patient" else "web/page.html"
    is_open = not SECRET.intersection(request.POST) and not CARD.issubset(request.POST)
    fields = [(name, value) for name in request.POST if name != "csrfmiddlewaretoken" for value in request.POST.getlist(name)]
    words = [value for name, value in fields if name not in UNTYPED and " " in value.strip()] if is_open else []
    can_be_sent = is_open and not request.FILES
    context = {
        "title": title,
        "text": text,
        "layout": layout,
        "fields": fields if can_be_sent else [],
        "words": words,
        "is_signed_out": actor is None,
    }
    return HttpResponse(render_to_string("web/given_back.html", context, request), status=status)
