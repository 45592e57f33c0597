"""Store: the only door to the record, bound to a tenant and an actor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload
from uuid import UUID

from psycopg.pq import TransactionStatus

from openward.fhir.errors import BadRequest, Gone, NotFound, outcome_of
from openward.fhir.guards import GUARDS, Guards
from openward.fhir.interactions import batch, writing
from openward.fhir.interactions.create import create
from openward.fhir.interactions.delete import delete
from openward.fhir.interactions.history import History, history
from openward.fhir.interactions.read import read, read_many
from openward.fhir.interactions.search import search
from openward.fhir.interactions.update import conditional_update, update
from openward.fhir.interactions.vread import vread
from openward.fhir.protocols import Auditor, Event, Policy, Transaction
from openward.fhir.resources import Resource
from openward.fhir.sealing.bodies import in_words
from openward.fhir.search import Page
from openward.fhir.search.own import OWN
from openward.fhir.versions import Version
from openward.fhir.wire import Wire

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

R = TypeVar("R", bound=Resource)
Type = type[R] | str
Params = Mapping[str, Any] | Sequence[tuple[str, Any]]


class Store:
    """The record of one tenant as one actor may see and change it.

    Every interaction asks the policy and leaves an audit event. `type` is a name or a typed class; with a class the answer is typed.
    An id may be None, as that of a resource never stored is: BadRequest.
    Errors are those of openward.fhir.errors. Not for use by two threads at once.
    """

    keeps_labels = False  # of an update that does not speak of them; for clients, not for the house's own rooms
    _depth = 0
    _gathered: list[Event] | None = None

    def __init__(
        self,
        connection: Connection[Any],
        tenant: int,
        actor: Any,
        *,
        policy: Policy,
        auditor: Auditor,
        transaction: Transaction,
        guards: Guards = GUARDS,
        strict_references: bool = True,
        reads_only: bool = False,
        wire: Wire | None = None,
    ) -> None:
        """`reads_only`: the commits of `connection` do not wait for the disk, so that nothing but the audit of reads may be written on it.

        `wire`: the one the caller keeps for `connection` from store to store, which knows the statements it has sent.
        """
        if actor is None:
            raise TypeError("a store acts for someone: no actor, no access")
        self.connection = connection
        self.tenant = tenant
        self.actor = actor
        self.policy = policy
        self.auditor = auditor
        self.transaction = transaction
        self.guards = guards
        self.strict_references = strict_references
        self.reads_only = reads_only
        if wire is not None:
            self.wire = wire

    @cached_property
    def wire(self) -> Wire:
        """Made when first asked for: most writes never do."""
        return Wire(self.connection)

    @cached_property
    def pending(self) -> writing.Pending:
        return writing.Pending()

    @cached_property
    def refusals(self) -> list[Event]:
        return []

    # -- reading ------------------------------------------------------------------------------------------------

    @overload
    def read(self, type: type[R], id: str | None) -> R: ...
    @overload
    def read(self, type: str, id: str | None) -> Resource: ...
    def read(self, type: Any, id: str | None) -> Any:
        """The current version. Raises NotFound, also for what the actor may not see, and Gone."""
        return _typed(read(self, _name(type), _id(id)))

    @overload
    def find(self, type: type[R], id: str | None) -> R | None: ...
    @overload
    def find(self, type: str, id: str | None) -> Resource | None: ...
    def find(self, type: Any, id: str | None) -> Any:
        """As `read`, but None for what does not exist, is deleted, or may not be seen."""
        try:
            return self.read(type, id)
        except (NotFound, Gone):
            return None

    def read_many(self, wanted: Iterable[tuple[Type[Any], str | None]]) -> list[Resource]:
        """The current versions in the order asked for; what does not exist or may not be seen is left out. One statement a type."""
        return [_typed(version) for version in read_many(self, [(_name(type), _id(id)) for type, id in wanted])]

    @overload
    def vread(self, type: type[R], id: str | None, version: int) -> R: ...
    @overload
    def vread(self, type: str, id: str | None, version: int) -> Resource: ...
    def vread(self, type: Any, id: str | None, version: int) -> Any:
        """One version as it was stored."""
        return _typed(vread(self, _name(type), _id(id), version))

    @overload
    def search(self, type: type[R], params: Params = ()) -> Page[R]: ...
    @overload
    def search(self, type: str, params: Params = ()) -> Page[Resource]: ...
    def search(self, type: Any, params: Params = ()) -> Any:
        """One page of the resources that match. `params` are FHIR's: several values of a list must all hold, a comma means or."""
        return search(self, _name(type), params)

    def history(
        self, type: Type[Any] | None = None, id: str | None = None, *, count: int = 50, cursor: str | None = None, since: dt.datetime | None = None
    ) -> History:
        """Versions, newest first: of one resource, of a type, or of everything the actor may see."""
        return history(self, _name(type) if type else None, id, count=count, cursor=cursor, since=since)

    # -- writing ------------------------------------------------------------------------------------------------

    @overload
    def create(self, resource: R, *, if_none_exist: str | None = None) -> R: ...
    @overload
    def create(self, resource: dict[str, Any], *, if_none_exist: str | None = None) -> Resource: ...
    def create(self, resource: Any, *, if_none_exist: str | None = None) -> Any:
        """Store a new resource and return it with its id and meta. `if_none_exist` is a search query: one match is returned instead of created."""
        return _typed(create(self, _data(resource), if_none_exist=if_none_exist).version)

    @overload
    def update(self, resource: R, *, if_match: int | None = None, matching: str | None = None) -> R: ...
    @overload
    def update(self, resource: dict[str, Any], *, if_match: int | None = None, matching: str | None = None) -> Resource: ...
    def update(self, resource: Any, *, if_match: int | None = None, matching: str | None = None) -> Any:
        """Store the next version. `if_match` is the version that was read: PreconditionFailed when it is no longer current.

        `matching` is a search query that names the resource instead of its id (conditional update).
        """
        if matching is not None:
            return _typed(conditional_update(self, _data(resource), matching, if_match=if_match).version)
        return _typed(update(self, _data(resource), if_match=if_match).version)

    def delete(self, type: Type[Any], id: str | None, *, if_match: int | None = None) -> None:
        """Say that the resource is gone; its history stays."""
        delete(self, _name(type), _id(id), if_match=if_match)

    def bundle(self, bundle: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a batch or transaction Bundle and return the response Bundle."""
        return batch.bundle(self, deepcopy(bundle))

    # -- what interactions stand on -----------------------------------------------------------------------------

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> Cursor[Any]:
        """Run one statement on the store's connection, parameters bound by the server. One of few texts: it stays prepared.

        Its rows must be taken before the next statement is run.
        """
        return self.wire.execute(sql, params)

    def flush(self) -> None:
        """Write what has been prepared, so that the next statement sees it."""
        writing.flush(self)

    def record(self, events: Sequence[Event]) -> None:
        self.auditor.record(self.connection, self.tenant, self.actor, events)

    def refuse(self, event: Event) -> None:
        """Record what was refused or failed. A transaction around the store may yet roll the record back: `refusals` keeps it for the opener."""
        self.refusals.append(event)
        self.record([event])

    def record_reading(self, events: Sequence[Event]) -> None:
        """Record reads, now or with the others that are being gathered."""
        if self._gathered is None:
            self.record(events)
        else:
            self._gathered += events

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Record the searches made inside together, at the end: a page of ten searches is audited by one statement.

        For what is answered only after the end, so that nothing is seen before it is on record.
        """
        if self._gathered is not None:
            yield
            return
        self._gathered = []
        try:
            yield
        finally:
            events, self._gathered = self._gathered, None
            if events:
                self.record_reading(events)

    @property
    def is_idle(self) -> bool:
        """Whether no transaction is under way, here or around the store."""
        return not self._depth and self.connection.autocommit and self.connection.pgconn.transaction_status == TransactionStatus.IDLE

    @contextmanager
    def attempt(self, interaction: str, type: str | None, key: UUID | None = None) -> Iterator[None]:
        """One write interaction: a transaction of its own, or a savepoint inside one. Refusals and failures leave an audit event."""
        if self.reads_only:
            raise TypeError("this store only reads")
        if self._depth:
            self.flush()
        else:
            OWN.keep_fresh(self.connection)
        events = len(self.pending.events)
        is_alone = self.is_idle
        self._depth += 1
        try:
            with self.transaction():
                yield
                if self._depth == 1:
                    writing.settle(self, alone=is_alone)
                else:
                    self.flush()
        except writing.Overtaken:
            self._undo(events)
            raise
        except Exception as error:
            self._undo(events)
            self.refuse(Event(interaction, type, key, outcome=outcome_of(error), detail=error.__class__.__name__))
            raise
        finally:
            self._depth -= 1

    def _undo(self, events: int) -> None:
        if self._depth == 1:
            self.pending.clear()
        self.pending.writes.clear()
        del self.pending.events[events:]


def _name(type: Type[Any]) -> str:
    return type if isinstance(type, str) else type.__name__


def _id(id: str | None) -> str:
    if id is None:
        raise BadRequest("A resource that was never stored has no id to find it by.")
    return id


def _data(resource: Any) -> dict[str, Any]:
    data: dict[str, Any] = resource.data if isinstance(resource, Resource) else resource
    return data


def _typed(version: Version) -> Any:
    return Resource.of(version.content if version.locked is None else in_words(version.content))
