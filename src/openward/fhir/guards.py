"""Guards: the rules of the record that hold whoever writes — a page, a REST client, an import.

    @guard("Appointment", on=("create", "update"))
    def hold_the_time(change: Change, work: UnitOfWork) -> None:
        "Book every participant that must not be double-booked; raises SlotTaken (409)."

A guard runs inside the transaction, after validation and before the row is written. It may amend `change.resource`, write shadow rows by
`work.connection`, write further resources by `work.store`, defer jobs, or refuse by raising a FhirError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

if TYPE_CHECKING:
    from openward.fhir.work import UnitOfWork

WriteInteraction = Literal["create", "update", "delete"]


@dataclass(slots=True)
class Change:
    """What is about to be written. On a delete `resource` is the version that goes away, as `before` is."""

    interaction: WriteInteraction
    type: str
    id: str
    key: UUID
    resource: Any
    before: Any | None = None
    patient: UUID | None = None


Guard = Callable[[Change, "UnitOfWork"], None]


@dataclass(frozen=True, slots=True)
class Registered:
    """A guard and when it runs. `name` is its module and function, and identifies it.

    `is_quiet`: it nearly always decides by the change alone and asks the database nothing, so that the write need not begin with a lock.
    """

    name: str
    types: tuple[str, ...]
    on: tuple[WriteInteraction, ...]
    run: Guard
    is_quiet: bool = False

    @property
    def sentence(self) -> str:
        """The first line of its docstring, for the documentation."""
        return (self.run.__doc__ or "").strip().split("\n")[0]


@dataclass(slots=True)
class Guards:
    """A registry of guards, run in the order they were registered."""

    _by_name: dict[str, Registered] = field(default_factory=dict)
    _by_change: dict[tuple[str, str], list[Registered]] = field(default_factory=dict)

    def register(self, run: Guard, types: Sequence[str], on: Sequence[WriteInteraction], *, is_quiet: bool = False) -> None:
        """Add a guard; registering the same function again replaces it."""
        name = f"{run.__module__}.{run.__qualname__}"
        self._by_name[name] = Registered(name, tuple(types), tuple(on), run, is_quiet)
        self._by_change.clear()
        for registered in self._by_name.values():
            for change in ((type, interaction) for type in registered.types for interaction in registered.on):
                self._by_change.setdefault(change, []).append(registered)

    def of(self, type: str, interaction: str) -> Sequence[Registered]:
        return self._by_change.get((type, interaction), ())

    def __iter__(self) -> Iterator[Registered]:
        return iter(self._by_name.values())


GUARDS = Guards()
"""The guards of this installation; each room's `guards.py` registers its own when Django starts."""


def guard(
    *types: str, on: Sequence[WriteInteraction] = ("create", "update"), is_quiet: bool = False, registry: Guards = GUARDS
) -> Callable[[Guard], Guard]:
    """Register the decorated function as a guard of `types`; see Registered."""

    def register(run: Guard) -> Guard:
        registry.register(run, types, on, is_quiet=is_quiet)
        return run

    return register
