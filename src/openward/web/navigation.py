"""The left navigation, as data. Each role sees only what its permissions open.

A room registers its entries in `AppConfig.ready`:

```python
navigation.register(Entry("scheduling:board", _("Flow board"), "kanban", Permission.SEE_FLOW, group="clinic", order=20, key="g f"))
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission
from openward.access.roles import Role, role_of
from openward.web.addresses import address
from openward.web.gate import actor_of

Group = Literal["", "clinic", "care", "money", "practice", "portal"]
GROUPS: dict[str, str | Promise] = {
    "": "",
    "clinic": _("Clinic"),
    "care": _("Care"),
    "money": _("Billing"),
    "practice": _("Practice"),
    "portal": "",
}


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One link, the same only as itself. `icon` is a lucide name of scripts/assets.py, `key` a shortcut such as `g f`; `kinds` whose layout shows it."""

    url_name: str
    label: str | Promise
    icon: str
    permission: Any = None
    group: Group = ""
    order: int = 50
    key: str = ""
    kinds: tuple[str, ...] = ("staff",)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as this actor sees it on this page."""

    url: str
    label: str | Promise
    icon: str
    key: str
    current: bool


@dataclass(frozen=True, slots=True, eq=False)
class Menu:
    """Groups with their links, in order. Whoever sees the same is given the same object, so that what is drawn of it can be kept (`web/kept.py`)."""

    groups: tuple[tuple[str | Promise, tuple[Link, ...]], ...] = ()

    def __iter__(self) -> Iterator[tuple[str | Promise, tuple[Link, ...]]]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)


ENTRIES: dict[str, Entry] = {}
Placed = tuple[tuple[Entry, str], ...]
"""Entries with the address of each."""


def register(*entries: Entry) -> None:
    for entry in entries:
        ENTRIES[entry.url_name] = entry


def menu(request: HttpRequest) -> Menu:
    """The menu of the actor of this request. What they may open is asked anew each time; only its drawing is kept."""
    actor = actor_of(request)
    if actor is None:
        return _drawn((), None)
    placed = _placed(tuple(ENTRIES.values()), settings.ROOT_URLCONF, get_script_prefix())
    role = role_of(actor)  # once for twenty entries
    found = tuple([pair for pair in placed if actor.kind in pair[0].kinds and _is_open(pair[0].permission, role)])
    return _drawn(found, _current(request, found))


def _is_open(permission: Permission | None, role: Role | None) -> bool:
    """As `gate.may` has it."""
    return permission is None or (role is not None and role.may(permission))


@lru_cache(maxsize=10)
def _placed(entries: tuple[Entry, ...], urls: str, prefix: str) -> Placed:
    """In order. An entry without a page is left out: the system check openward.W002 says so loudly; it must not take every page down."""
    ordered = sorted(entries, key=lambda entry: (list(GROUPS).index(entry.group), entry.order))
    return tuple((entry, found) for entry in ordered if (found := address(entry.url_name)))


@lru_cache(maxsize=1000)
def _drawn(found: Placed, current: str | None) -> Menu:
    groups: dict[str, list[Link]] = {}
    for entry, url in found:
        groups.setdefault(entry.group, []).append(Link(url, entry.label, entry.icon, entry.key, entry.url_name == current))
    return Menu(tuple((GROUPS[name], tuple(groups[name])) for name in GROUPS if name in groups))


def _current(request: HttpRequest, found: Placed) -> str | None:
    """The entry this page is, else the one whose address it lies under, the longest first."""
    match = request.resolver_match
    if match is not None and any(entry.url_name == match.view_name for entry, _url in found):
        return match.view_name
    under = [(len(url), entry.url_name) for entry, url in found if url != "/" and request.path.startswith(url)]
    return max(under)[1] if under else None


register(Entry("web:home", _("Home"), "house", None, "", 0, "g h"))
