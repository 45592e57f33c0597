"""Resource types that are not stored but made from something else when they are asked for, and therefore only read.

The house registers one with `register`; the REST surface, bundles and the CapabilityStatement then answer for it. What is written to such a type
is refused at its address, and inside a bundle or an import by a guard of the house's (`ReadOnlyType`); what is to be deleted, by `refuse_made`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from openward.fhir.errors import MethodNotAllowed
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store


class ReadOnlyType(MethodNotAllowed):
    """{type} is made by this server and can only be read and searched."""

    def __init__(self, type: str) -> None:
        super().__init__(type=type, allow="GET")


class VirtualType(Protocol):
    """Asks the policy, and leaves its own audit event, as every interaction does."""

    @property
    def type(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, str]:
        """Search parameter → its FHIR type, in the order they are told."""

    @property
    def documentation(self) -> str: ...

    def read(self, store: Store, id: str) -> Version:
        """Raises NotFound, also for what the actor may not see."""

    def searchset(self, store: Store, params: Sequence[tuple[str, str]], base: str, *, strict: bool) -> dict[str, Any]:
        """One page as a Bundle; `base` is the server's address. Raises BadRequest, Forbidden."""


VIRTUAL: dict[str, VirtualType] = {}


def refuse_made(type: str) -> None:
    """What is made by this server is not deleted: not finding it among what is stored would say that it is gone. Raises ReadOnlyType."""
    if type in VIRTUAL:
        raise ReadOnlyType(type)


def register(virtual: VirtualType) -> None:
    VIRTUAL[virtual.type] = virtual
