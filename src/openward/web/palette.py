"""The command palette (Ctrl/⌘ K): patients, pages, actions. Rooms add providers:

```python
def patients(request: PageRequest, text: str) -> list[Item]: ...
register_palette_provider(patients)
```

What is typed travels in the body of a POST, never in a URL: it may be a name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from openward.web.pages import PageRequest

MOST = 8


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to go to. `group` is its heading (Patients, Pages, Actions), `detail` the grey words beside it."""

    label: str | Promise
    url: str
    group: str | Promise = ""
    detail: str | Promise = ""
    icon: str = "arrow-right"


Provider = Callable[["PageRequest", str], Sequence[Item]]
_PROVIDERS: list[Provider] = []


def register_palette_provider(provider: Provider) -> None:
    """`provider(request, text)` answers at most a handful of items; it is asked for every pause in typing and must be quick."""
    if provider not in _PROVIDERS:
        _PROVIDERS.append(provider)


def find(request: PageRequest, text: str) -> list[tuple[str | Promise, list[Item]]]:
    """Items by heading, in the order the providers were registered, at most eight of each."""
    groups: dict[str | Promise, list[Item]] = {}
    for provider in _PROVIDERS:
        for item in provider(request, text.strip())[:MOST]:
            groups.setdefault(item.group, []).append(item)
    return list(groups.items())
