"""FHIR search: one page of the resources that match. https://hl7.org/fhir/R4/http.html#search

One round trip for a page with its bodies, one more for what it includes, one more for an accurate total.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from openward.fhir.protocols import AuditInsert, Where
from openward.fhir.resources import Resource
from openward.fhir.search import cursor as cursors
from openward.fhir.search.conditions import Scope, rows
from openward.fhir.search.crowded import is_better_planned
from openward.fhir.search.cursor import BadCursor
from openward.fhir.search.facts import Facts
from openward.fhir.search.include import Inclusion
from openward.fhir.search.kept import are_gathered, has_one_patient, is_plain, is_walked, walked, walked_rows
from openward.fhir.search.leading import parts
from openward.fhir.search.own import OWN
from openward.fhir.search.page import Page
from openward.fhir.search.places import Place, of_type
from openward.fhir.search.query import Pairs, Params, Query, Unknown, pairs, parse
from openward.fhir.search.recheck import holding, texts
from openward.fhir.search.sent import Rows, position
from openward.fhir.search.sort import Order, is_dated, order
from openward.fhir.search.sql import FALSE, Bindings
from openward.fhir.search.statement import Part, page_statement
from openward.fhir.search.subset import shortened
from openward.fhir.search.ticket import Ticket, seal, unseal

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from openward.fhir.versions import Version
    from openward.fhir.wire import Wire

ESTIMATE_UP_TO = 10_000  # matches counted one by one before the planner's guess is taken

Sight = Callable[[str], Where | None]
Watch = Callable[[str], AuditInsert | None]


def search(
    connection: Connection[Any],
    tenant: int,
    type: str | Place,
    params: Params,
    *,
    where: Sight,
    strict: bool = False,
    wire: Wire | None = None,
    watch: Watch | None = None,
    bare: bool = False,
) -> Page[Resource]:
    """One page of `type`, or of the several types of a Place. `wire`: the one kept for `connection`, if there is one.
    `watch` gives the SQL of the audit event, for a search that can leave it by its own statement: `Page.is_on_record` says whether it did.
    `bare`: nothing is asked of the matches but their ids and what they say, where one statement finds them all.

    `where` gives what the actor may see of a type, None for nothing; it is asked for every type the search touches. Unknown parameters are
    reported in `Page.ignored`, or raise Unknown (400) when `strict`. `_cursor` is all a following page needs; what comes with it must be the
    same search. Raises BadRequest for a bad value, modifier or cursor, Expired (410), TooCostly.
    """
    OWN.keep_fresh(connection)
    place = of_type(type) if isinstance(type, str) else type
    asked, ticket = _opened(connection, tenant, place, place.together(pairs(params)))
    types = [name for name in place.searched(asked, Facts(connection, tenant, where)) if place.types or where(name) is not None]
    queries = [_within(place, query) for query in _parsed(types, asked, strict=strict)]
    if not queries:
        return Page(used=asked, total=0)
    return Search(connection, tenant, queries, where, name=place.name, ticket=ticket, wire=wire, watch=watch, bare=bare).page()


def _opened(connection: Connection[Any], tenant: int, place: Place, asked: Pairs) -> tuple[Pairs, Ticket | None]:
    """The parameters of the search, and where its page starts. Raises BadCursor, Expired."""
    text = next((value for name, value in asked if name == "_cursor" and value), None)
    if text is None:
        return asked, None
    ticket = unseal(cursors.key_of(connection), [tenant, place.name], text)
    rest = [pair for pair in asked if pair[0] not in ("_cursor", "_count")]
    if rest and rest != [pair for pair in ticket.params if pair[0] != "_count"]:
        raise BadCursor
    size = [pair for pair in asked if pair[0] == "_count"]
    return Pairs([*(pair for pair in ticket.params if not (size and pair[0] == "_count")), *size]), ticket


def _parsed(types: Sequence[str], asked: Params, *, strict: bool) -> list[Query]:
    """One query a type. A parameter that not every type has is unknown to all: https://hl7.org/fhir/R4/http.html#search."""
    if len(types) == 1:
        return [parse(types[0], asked, strict=strict)]
    params = pairs(asked)
    tried = [parse(type, params) for type in types]
    unknown = {name for query in tried for name in query.ignored}
    if unknown and strict:
        raise Unknown(name=min(unknown), type="every type searched")
    queries = [parse(type, [pair for pair in params if pair[0] not in unknown]) for type in types] if unknown else tried
    for query in queries:
        query.ignored = sorted(unknown)
    return queries


def _within(place: Place, query: Query) -> Query:
    if place.within is None:
        return query
    return replace(query, conditions=[place.within(query.type), *query.conditions])


class Search:
    """One search being carried out: a query for each type, alike but for what the types make of the parameters."""

    def __init__(
        self,
        connection: Connection[Any],
        tenant: int,
        queries: Query | Sequence[Query],
        where: Sight,
        *,
        name: str | None = None,
        ticket: Ticket | None = None,
        wire: Wire | None = None,
        watch: Watch | None = None,
        bare: bool = False,
    ) -> None:
        from openward.fhir.wire import Wire  # not before it is needed: it knows the rows of a search

        self.connection = connection
        self.tenant = tenant
        self.queries = [queries] if isinstance(queries, Query) else list(queries)
        self.query = self.queries[0]
        self.where = where
        self.name = self.query.type if name is None else name
        self.ticket = ticket
        self.wire = wire or Wire(connection)
        self.facts = Facts(connection, tenant, where)
        self.watch = watch if self._is_all_in_one else None
        self.bare = bare and not self.query.elements and self.query.summary == "false"
        self.is_on_record = False

    @property
    def _is_all_in_one(self) -> bool:
        """Whether the statement of the page is all there is to this search."""
        query = self.query
        return len(self.queries) == 1 and not (query.includes or query.revincludes or query.is_count_only) and query.total == "none"

    def page(self) -> Page[Resource]:
        query = self.query
        answer: Page[Resource] = Page(used=query.used, ignored=query.ignored, is_first=self.ticket is None, address=self._address)
        if query.is_count_only:
            answer.total = self.count()
            return answer
        answer.matches, answer.following = self._matches()
        answer.is_on_record = self.is_on_record
        if query.includes or query.revincludes:
            around = Inclusion(self.wire, self.tenant, self.queries, self.where).around(answer.matches)
            answer.includes = shortened(around, query.summary, ())
        if query.elements or query.summary != "false":
            answer.matches = shortened(answer.matches, query.summary, query.elements)
        if query.total != "none":
            answer.total, answer.is_estimate = self.total()
        return answer

    def scope(self) -> Scope:
        return Scope(Bindings(self.tenant, self.facts), self.where)

    def _matches(self) -> tuple[Sequence[Version], Sequence[str] | None]:
        """The rows of the page, and where the next one begins, if there is one."""
        scope = self.scope()
        orders = [order(query, scope.bind, across=len(self.queries) > 1) for query in self.queries]
        scope.bind.is_walked = len(orders) == 1 and is_plain(orders[0]) and is_walked(self.query, self.where) and not self._is_crowded()
        found = self._parts(scope, orders)
        if not found:
            return (), None
        result = self._walk(found, scope.bind) if scope.bind.is_walked else self._run(self._statement(found, scope.bind), scope.bind)
        count, bare = self.query.count, self.bare and self.is_on_record
        following = position(result, count - 1, bare=bare) if result.ntuples > count else None
        page = Rows(result, range(min(result.ntuples, count)), self.query.type if len(self.queries) == 1 else None, bare=bare)
        if bare and page.locked:  # of each of these it is put on record what did not open
            self.bare, self.watch = False, None
            return self._matches()
        return holding(page, {query.type: texts(query.conditions) for query in self.queries}), following

    def statement(self, scope: Scope, *orders: Order) -> str | None:
        """The SELECT of the page; None when its actor may see nothing it asks for."""
        found = self._parts(scope, orders)
        return self._statement(found, scope.bind) if found else None

    def _parts(self, scope: Scope, orders: Sequence[Order]) -> list[Part]:
        """What the page is put together from, in any order of the types; nothing where its actor may see nothing."""
        if self._position and len(self._position) != orders[0].length:
            raise BadCursor
        found: list[Part] = []
        for query, own in zip(self.queries, orders, strict=True):
            visible = self.where(query.type) if scope.bind.is_walked else None
            wanted = [walked_rows(scope.bind, query.type, visible, query.conditions)] if visible else parts(scope, query, own)
            gathered = scope.bind.is_walked and are_gathered(query)
            halves = own.halves(self._position, scope.bind, dated=is_dated(query), gathered=gathered)
            for part, (half, after) in product([part for part in wanted if part != FALSE], halves):
                found.append(Part(query.type, half, f"{part}{after}", gathered))
        return found

    @property
    def _position(self) -> Sequence[str]:
        return self.ticket.position if self.ticket else ()

    def _statement(self, found: Sequence[Part], bind: Bindings) -> str:
        pin = bind.place(self._position[-1], "::timestamptz") if found[0].by.reads_log and self._position else None
        return page_statement(found, self.query.count, pin)

    def _is_crowded(self) -> bool:
        return is_better_planned(self.connection, self.query.conditions)

    def _walk(self, found: Sequence[Part], bind: Bindings) -> PGresult:
        """The page by a kept plan; on record by the same statement where that can be."""
        audit = self.watch(self.query.type) if self.watch and has_one_patient(self.query) else None
        sql = walked(tuple(found), self.query.count, audit.sql if audit else None, bare=self.bare and audit is not None)
        result = self.wire.result(sql, {**bind.values, **audit.params} if audit else bind.values, keep=True)
        self.is_on_record |= audit is not None
        return result

    def _address(self, position: Sequence[str]) -> str:
        return seal(cursors.key_of(self.connection), [self.tenant, self.name], Ticket(self.query.used, position))

    def count(self) -> int:
        """How many match, exactly."""
        scope = self.scope()
        counts = [f"(select count(*) from fhir.current c where {found})" for found in self._found(scope)]  # noqa: S608
        return _number(self._run(f"select {' + '.join(counts)}", scope.bind)) if counts else 0

    def total(self) -> tuple[int, bool]:
        """(matches, whether that is an estimate)."""
        if self.query.total == "accurate":
            return self.count(), False
        scope = self.scope()
        selects = [f"select from fhir.current c where {found}" for found in self._found(scope)]
        if not selects:
            return 0, False
        union = " union all ".join(selects)
        few = _number(self._run(f"select count(*) from ({union} limit {ESTIMATE_UP_TO}) x", scope.bind))  # noqa: S608
        return (few, False) if few < ESTIMATE_UP_TO else (max(few, self.facts.guess(union, scope.bind.values)), True)

    def _found(self, scope: Scope) -> list[str]:
        return [found for query in self.queries if (found := rows(scope, query.type, query.conditions)) != FALSE]

    def _run(self, statement: str, bind: Bindings) -> PGresult:
        return self.wire.result(statement, bind.values)


def _number(result: PGresult) -> int:
    """The one number, of type bigint, that was asked for."""
    return int.from_bytes(result.get_value(0, 0) or b"", "big")
