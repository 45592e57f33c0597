"""What an operation is: where it stands, what the policy is asked first, and the function that carries it out.

https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from openward.fhir.errors import NotFound, outcome_of
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.seeing import visible
from openward.fhir.operations.parameters import Parameters
from openward.fhir.protocols import Event, Interaction

if TYPE_CHECKING:
    from openward.fhir.store import Store

Level = Literal["system", "type", "instance"]


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation of an operation.

    `type` and `id` are None where it was called above them. `url` is the server's FHIR base. `headers` are the request's, by their names in lower case.
    """

    store: Store
    name: str
    type: str | None
    id: str | None
    parameters: Parameters
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    def preferred(self, token: str) -> bool:
        """Whether the Prefer header asks for `token`, such as `respond-async`. https://www.rfc-editor.org/rfc/rfc7240"""
        said = self.headers.get("prefer", "").replace(";", ",")
        return token in (part.strip().lower() for part in said.split(","))


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back when it is not simply a resource with status 200: a resource, or bytes of `media_type`, whole or in chunks.

    `patients` are the keys of the patients whose data it holds, for the audit event.
    """

    status: int = 200
    resource: Mapping[str, Any] | None = None
    body: bytes = b""
    chunks: Iterable[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str | None = None
    patients: Sequence[UUID] = ()


Carry = Callable[[Call], Mapping[str, Any] | Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """`types` None: every resource type. `about`: the type the policy is asked for where the address names none; None: any actor may call it there."""

    name: str
    on: Sequence[Level]
    types: Sequence[str] | None
    needs: Interaction
    about: str | None
    url: str
    writes: bool
    writes_on_get: bool
    carry: Carry

    @property
    def methods(self) -> Sequence[str]:
        return ("POST",) if self.writes else ("GET", "POST")

    def stands_on(self, level: Level, type: str | None) -> bool:
        return level in self.on and (type is None or self.types is None or type in self.types)

    def __call__(self, call: Call) -> Mapping[str, Any] | Answer:
        """Ask the policy, carry it out, and leave an audit event. Raises what the operation raises, and Forbidden or NotFound."""
        type = call.type or self.about
        if type is not None:
            visible(call.store, self.needs, type, call.id)
        try:
            answer = self.carry(call)
        except Exception as error:
            call.store.refuse(Event(f"${self.name}", call.type, outcome=outcome_of(error), detail=error.__class__.__name__))
            raise
        key = key_of(call.type, call.id) if call.type and call.id else None
        said = answer if isinstance(answer, Answer) else Answer()
        outcome: Literal[0, 4] = 4 if said.status >= 400 else 0
        call.store.record_reading([Event(f"${self.name}", call.type, key, patients=said.patients, outcome=outcome)])
        return answer


OPERATIONS: dict[tuple[str, str | None], Operation] = {}


def operation(
    name: str,
    *,
    on: Sequence[Level],
    types: Sequence[str] | None = None,
    needs: Interaction = "read",
    about: str | None = None,
    url: str,
    writes: bool = False,
    writes_on_get: bool = False,
) -> Callable[[Carry], Carry]:
    """Register `$name`. Two operations may share a name on different types (`$validate-code` of CodeSystem and of ValueSet)."""

    def register(carry: Carry) -> Carry:
        made = Operation(name, on, types, needs, about, url, writes, writes_on_get, carry)
        for type in types or (None,):
            OPERATIONS[name, type] = made
        return carry

    return register


def named(name: str, level: Level, type: str | None) -> Operation:
    """The operation `$name` at this level. Raises NotFound."""
    candidates = [OPERATIONS.get((name, type)), OPERATIONS.get((name, None))] if type else _anywhere(name)
    for found in candidates:
        if found is not None and found.stands_on(level, type):
            return found
    raise NotFound(f"There is no operation ${name[:64]} here.")


def _anywhere(name: str) -> list[Operation | None]:
    return [found for (called, _), found in OPERATIONS.items() if called == name]


def offered(type: str | None) -> list[Operation]:
    """The operations on a resource type, or on the whole system, in the order of their names."""
    by_name = sorted(OPERATIONS.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    if type is None:
        return [found for _, found in by_name if "system" in found.on]
    return [found for (_, only), found in by_name if only in (type, None) and {"type", "instance"} & set(found.on)]
