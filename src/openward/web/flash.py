"""Toasts that wait in the session for the next page. No patient data belongs in them: they say what was done, not to whom."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.http import HttpRequest

_KEY = "openward.flash"


@dataclass(frozen=True, slots=True)
class Toast:
    """`kind` is ok, info, warning or danger; `undo` a URL to POST to, or empty."""

    message: str
    kind: str = "ok"
    undo: str = ""


def add(request: HttpRequest, message: str, *, kind: str = "ok", undo: str | None = None) -> None:
    waiting = request.session.get(_KEY, [])
    request.session[_KEY] = [*waiting, asdict(Toast(str(message), kind, undo or ""))]


def take(request: HttpRequest) -> list[Toast]:
    """The waiting toasts, which are then gone."""
    session = getattr(request, "session", None)
    if session is None or _KEY not in session:
        return []
    return [Toast(**waiting) for waiting in session.pop(_KEY)]
