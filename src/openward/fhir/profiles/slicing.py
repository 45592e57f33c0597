"""Slices: which values belong to which, how many each may have, and what each asks of its own. https://hl7.org/fhir/R4/profiling.html#slicing"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from openward.fhir.definitions import Element
from openward.fhir.profiles.discriminators import Belongs, Undecidable, membership
from openward.fhir.profiles.facts import Node, Slicing
from openward.fhir.profiles.findings import WARNING, Finding, Findings, place, under
from openward.fhir.profiles.run import Definitions, Run
from openward.fhir.profiles.values import Value

if TYPE_CHECKING:
    from openward.fhir.profiles.facts import Profile

Check = Callable[[Value, Run], Findings | None]
REST = "@default"
"""The name of the slice that takes what no other does."""


class Compiler(Protocol):
    profile: Profile
    known: Definitions

    def check(self, node: Node) -> Check: ...


@dataclass(slots=True)
class Slice:
    node: Node
    belongs: Belongs
    check: Check
    inner: Slices | None


@dataclass(slots=True)
class Slices:
    """The slices of one element, called with all of its values."""

    name: str
    slicing: Slicing
    slices: Sequence[Slice]
    rest: Slice | None
    unclear: Sequence[str]

    @classmethod
    def of(cls, node: Node, compiler: Compiler, element: Element) -> Slices | None:
        if not node.slices or node.slicing is None:
            return None
        made: list[Slice] = []
        rest: Slice | None = None
        unclear: list[str] = []
        for part in node.slices:
            inner = cls.of(part, compiler, element)
            if part.slice == REST:
                rest = Slice(part, lambda value, run: True, compiler.check(part), inner)
                continue
            try:
                made.append(Slice(part, membership(part, node.slicing, element, compiler), compiler.check(part), inner))
            except Undecidable:
                unclear.append(str(part.slice))
        return cls(node.name, node.slicing, made, rest, unclear)

    def __call__(self, values: list[Value], run: Run) -> Findings:
        owners = [self._owner(value, run) for value in values]
        found = self._unclear(owners) + self._count(values, owners)
        for value, owner in zip(values, owners, strict=True):
            owner = self.rest if owner is None else owner
            more = owner.check(value, run) if owner is not None else None
            if more is not None:
                found += under(place(self.name, value.nth), more)
        if self.slicing.rules != "open" or self.slicing.ordered:
            found += self._order(values, owners)
        for slice in self.slices:
            if slice.inner is not None:
                found += slice.inner([value for value, owner in zip(values, owners, strict=True) if owner is slice], run)
        return found

    def _unclear(self, owners: list[Slice | None]) -> Findings:
        """Values that are in no slice may be in one of those that nothing tells apart."""
        if not self.unclear or None not in owners:
            return []
        said = f"nothing tells the slices {', '.join(self.unclear)} apart; they were not checked"
        return [Finding(f".{self.name}", "not-supported", said, WARNING)]

    def _owner(self, value: Value, run: Run) -> Slice | None:
        for slice in self.slices:
            if slice.belongs(value, run):
                return slice
        return None

    def _count(self, values: list[Value], owners: list[Slice | None]) -> Findings:
        found: Findings = []
        for slice in (*self.slices, *([self.rest] if self.rest else ())):
            node = slice.node
            count = sum(owner is (None if slice is self.rest else slice) for owner in owners)
            if count < node.min:
                lacking = f"needs the slice {node.slice}" if node.min == 1 else f"needs the slice {node.slice} at least {node.min} times"
                found.append(Finding(f".{self.name}", "required", lacking))
            if node.max is not None and count > node.max:
                last = [value for value, owner in zip(values, owners, strict=True) if owner is slice or (owner is None and slice is self.rest)][-1]
                surplus = f"is in the slice {node.slice}, which stands at most {node.max} times"
                found.append(Finding(place(self.name, last.nth), "structure", surplus))
        return found

    def _order(self, values: list[Value], owners: list[Slice | None]) -> Findings:
        found: Findings = []
        ranks = [len(self.slices) if owner is None else self.slices.index(owner) for owner in owners]
        highest = -1
        for value, owner, rank in zip(values, owners, ranks, strict=True):
            where = place(self.name, value.nth)
            if owner is None and self.slicing.rules == "closed" and self.rest is None and not self.unclear:
                found.append(
                    Finding(where, "structure", f"is in none of the slices the profile allows: {', '.join(str(s.node.slice) for s in self.slices)}")
                )
            elif self.slicing.rules == "openAtEnd" and owner is not None and highest == len(self.slices):
                found.append(Finding(where, "structure", f"belongs to the slice {owner.node.slice} and must stand before what is in none"))
            elif self.slicing.ordered and owner is not None and -1 < rank < highest:
                found.append(Finding(where, "structure", f"belongs to the slice {owner.node.slice} and stands out of order"))
            if owner is not None or self.slicing.rules == "openAtEnd":
                highest = max(highest, rank)
        return found
