"""The left navigation, as data. Each role sees only what its permissions open.

A room registers its entries in `AppConfig.ready`:

```python
navigation.register(Entry("scheduling:board", _("Flow board"), "kanban", Permission.SEE_FLOW, group="clinic", order=20, key="g f"))
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openward.web.gate import actor_of, may

Group = Literal["", "clinic", "care", "money", "practice", "portal"]
GROUPS: dict[str, str | Promise] = {
    "": "",
    "clinic": _("Clinic"),
    "care": _("Care"),
    "money": _("Billing"),
    "practice": _("Practice"),
    "portal": "",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One link. `icon` is a lucide name of scripts/assets.py, `key` a shortcut such as `g f`; `kinds` whose layout shows it."""

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


ENTRIES: dict[str, Entry] = {}


def register(*entries: Entry) -> None:
    for entry in entries:
        ENTRIES[entry.url_name] = entry


def menu(request: HttpRequest) -> list[tuple[str | Promise, list[Link]]]:
    """Groups with their links, in order, for the actor of this request."""
    actor = actor_of(request)
    if actor is None:
        return []
    found = [(entry, url) for entry, url in _resolved() if actor.kind in entry.kinds and may(actor, entry.permission)]
    current = _current(request, found)
    groups: dict[str, list[Link]] = {}
    for entry, url in found:
        groups.setdefault(entry.group, []).append(Link(url, entry.label, entry.icon, entry.key, entry.url_name == current))
    return [(GROUPS[name], groups[name]) for name in GROUPS if name in groups]


def _resolved() -> Iterator[tuple[Entry, str]]:
    for entry in sorted(ENTRIES.values(), key=lambda e: (list(GROUPS).index(e.group), e.order)):
        try:
            yield entry, reverse(entry.url_name)
        except NoReverseMatch:
            continue  # the system check openward.W002 says so loudly; one missing page must not take every page down


def _current(request: HttpRequest, found: Sequence[tuple[Entry, str]]) -> str | None:
    """The entry this page is, else the one whose address it lies under, the longest first."""
    match = request.resolver_match
    if match is not None and any(entry.url_name == match.view_name for entry, _url in found):
        return match.view_name
    under = [(len(url), entry.url_name) for entry, url in found if url != "/" and request.path.startswith(url)]
    return max(under)[1] if under else None


register(Entry("web:home", _("Home"), "house", None, "", 0, "g h"))
