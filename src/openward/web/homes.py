"""What each role sees first: cards that the rooms provide.

```python
register_home_card(HomeCard("today", _("Today"), "scheduling/cards/today.html", today, needs=Permission.SEE_SCHEDULE, order=10, wide=True))
register_home("patient", "portal:home")          # a role whose home is a page of a room
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise

from openward.web.gate import may

if TYPE_CHECKING:
    from openward.web.pages import PageRequest

Query = Callable[["PageRequest"], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class HomeCard:
    """`query(request)` gives the template its context, plus `request` and `card`. `roles` empty: every role that holds `needs`."""

    key: str
    title: str | Promise
    template: str
    query: Query
    needs: Any = None
    roles: tuple[str, ...] = ()
    order: int = 50
    wide: bool = False

    def is_for(self, request: PageRequest) -> bool:
        return may(request.actor, self.needs) and (not self.roles or request.actor.role in self.roles)


_CARDS: dict[str, HomeCard] = {}
_HOMES: dict[str, str] = {}


def register_home_card(card: HomeCard) -> None:
    _CARDS[card.key] = card


def register_home(role: str, url_name: str) -> None:
    """This role starts on a page of a room instead of on cards."""
    _HOMES[role] = url_name


def home_of(role: str | None) -> str | None:
    return _HOMES.get(role or "")


def cards_for(request: PageRequest) -> list[tuple[HomeCard, Mapping[str, Any]]]:
    """The actor's cards in order, each with what its query found."""
    cards = sorted((card for card in _CARDS.values() if card.is_for(request)), key=lambda card: card.order)
    return [(card, card.query(request)) for card in cards]
