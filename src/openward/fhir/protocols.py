"""What the engine asks of the house around it. There is no store without a policy and an auditor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

Interaction = Literal["read", "vread", "create", "update", "delete", "history", "search", "export"]


class Actor(Protocol):
    """Who acts. `id` is stable for ever; `reference` is the actor's own FHIR resource, if there is one."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def reference(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on the `current` table, aliased `c`, that holds for every row the actor may see.

    `sql` uses psycopg's named placeholders, each name prefixed `policy_`; it is `true` for an actor who may see all of the type.
    `hides_labelled_alone`: every live row whose resource has no `meta.security` is among them, which the text of a resource tells, too.
    """

    sql: str = "true"
    params: Mapping[str, Any] = field(default_factory=dict)
    hides_labelled_alone: bool = False

    @property
    def everything(self) -> bool:
        return self.sql == "true"


class Policy(Protocol):
    """Default deny: no answer is a refusal."""

    def where(self, actor: Any, interaction: Interaction, type: str) -> Where | None:
        """The rows of `type` the actor may see by this interaction; None when there are none."""

    def allows(self, actor: Any, interaction: Interaction, type: str, resource: Mapping[str, Any], patient: UUID | None) -> bool:
        """Whether the actor may write this resource, whose compartment patient is `patient`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One interaction, for the audit trail. https://hl7.org/fhir/R4/auditevent.html

    `patients` are the keys of the patients whose data was touched; `outcome` is 0 success, 4 refused, 8 failed.
    """

    interaction: str
    type: str | None
    key: UUID | None = None
    version: int | None = None
    patients: Sequence[UUID] = ()
    outcome: Literal[0, 4, 8] = 0
    detail: str | None = None


class AuditInsert(NamedTuple):
    """An INSERT … SELECT that writes one successful event for every row of the CTE `seen(rtype smallint, rkey uuid, ver int, patient uuid)`.

    It becomes a data-modifying CTE of the statement that reads, so that a read and its audit are one round trip.
    Placeholders are named and prefixed `audit_`, but for `tenant`, which every statement has.
    """

    sql: str
    params: Mapping[str, Any]


class Auditor(Protocol):
    """Writes events inside the transaction of what they describe.

    Reads are on record before their answer leaves; when no transaction is under way their commit need not wait for the disk.
    """

    def record(self, connection: Any, tenant: int, actor: Any, events: Sequence[Event]) -> None: ...

    def insert(self, connection: Any, tenant: int, actor: Any, interaction: str, type: str, *, many: bool) -> AuditInsert | None:
        """The same as SQL, for reads and single writes; None where the auditor has no table in this database, then `record` is called instead.

        `many`: whether `seen` may have more than one row.
        """


class Transaction(Protocol):
    """The store's transaction: opens one, or a savepoint inside one, and holds what follows from it."""

    def __call__(self) -> AbstractContextManager[Any]: ...

    def later(self, job: Any, /, **arguments: Any) -> None:
        """Defer a job in this transaction: it runs only if the transaction commits."""

    def on_commit(self, then: Callable[[], None]) -> None:
        """Call `then` once the outermost transaction has committed."""
