"""What every template knows: who is signed in, the navigation, the look they chose, waiting toasts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from openward.access.glass import open_glass
from openward.access.permissions import Permission
from openward.access.roles import role_of
from openward.web import flash, navigation
from openward.web.addresses import address
from openward.web.display import person_name
from openward.web.gate import actor_of
from openward.web.words import gettext as _

THEMES = ("auto", "light", "dark")
KINDS = {"success": "ok", "error": "danger", "warning": "warning"}


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Lazy where it costs: fragments use none of it."""
    actor = actor_of(request)
    return {
        "actor": actor,
        "role": role_of(actor) if actor else None,
        "menu": navigation.menu(request),
        "theme": theme_of(request),
        "slim": request.COOKIES.get("ow-nav") == "slim",
        "waiting_toasts": SimpleLazyObject(lambda: _toasts(request)),
        "panel_html": getattr(request, "panel_html", ""),
        "live_url": getattr(settings, "OPENWARD_LIVE_URL", ""),
        "is_demo": getattr(settings, "OPENWARD_DEMO", False),
        "report_url": address("servicedesk:report"),
        "sign_out_url": address("accounts:sign-out"),
        "sign_in_url": address("accounts:sign-in"),
        "doors": doors(settings.ROOT_URLCONF),
        "persona_url": address("demo:personas") if getattr(settings, "OPENWARD_DEMO", False) else "",
        "may_label": SimpleLazyObject(lambda: actor is not None and actor.may(Permission.LABEL_RECORDS)),
        "whose": SimpleLazyObject(lambda: whose(request)),
        "glass": SimpleLazyObject(lambda: open_glass(actor) if actor else None),
        "error_id": getattr(request, "request_id", ""),
    }


def whose(request: HttpRequest) -> str:
    """The name on the record a proxy is in, in capitals first as on every banner; without a store at hand, that it is another person's."""
    store, actor = getattr(request, "store", None), actor_of(request)
    found = store.find("Patient", actor.reference_id) if store is not None and actor is not None and actor.reference_id else None
    return person_name(found.name[0]) if found is not None and found.name else _("another person")


@dataclass(frozen=True)
class Doors:
    """Where one sees to one's sign-in, locks the screen and steps aside; empty where the room is not installed."""

    security: str
    leave: str
    lock: str
    locked: str
    lock_seconds: int


@cache
def doors(urls: str) -> Doors:
    """Asked by every page and the same for all of the installation whose addresses are in the module `urls`."""
    security, leave, lock, locked = (address(f"accounts:{name}") for name in ("security", "leave", "lock", "locked"))
    return Doors(security, leave, lock, locked, getattr(settings, "OPENWARD_LOCK_SECONDS", 0))


def _toasts(request: HttpRequest) -> list[flash.Toast]:
    """Ours, and what was said through django.contrib.messages."""
    said = [flash.Toast(str(message), KINDS.get(message.level_tag, "info")) for message in get_messages(request)]
    return [*flash.take(request), *said]


def theme_of(request: HttpRequest) -> str:
    chosen = request.COOKIES.get("ow-theme", "auto")
    return chosen if chosen in THEMES else "auto"
