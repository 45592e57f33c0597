"""FHIR search: one page of the resources of a type that match. https://hl7.org/fhir/R4/http.html#search

One round trip for a page with its bodies, one more for what it includes, one more for an accurate total.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.protocols import Where
from openward.fhir.resources import Resource
from openward.fhir.search import cursor as cursors
from openward.fhir.search.conditions import Scope, rows
from openward.fhir.search.include import Inclusion
from openward.fhir.search.leading import parts
from openward.fhir.search.page import Page
from openward.fhir.search.query import Params, Query, parse
from openward.fhir.search.rows import version_of
from openward.fhir.search.sort import Order, order
from openward.fhir.search.sql import FALSE, Bindings
from openward.fhir.search.statement import page_statement
from openward.fhir.search.subset import shortened

ESTIMATE_UP_TO = 10_000  # matches counted one by one before the planner's guess is taken


def search(
    connection: Connection[Any], tenant: int, type: str, params: Params, *, where: Callable[[str], Where | None], strict: bool = False
) -> Page[Resource]:
    """One page of `type`.

    `where` gives what the actor may see of a type, None for nothing; it is asked for every type the search touches. Unknown parameters are
    reported in `Page.ignored`, or raise Unknown (400) when `strict`. Raises BadRequest for a bad value, modifier or cursor, TooCostly.
    """
    query = parse(type, params, strict=strict)
    return Search(connection, tenant, query, where).page()


class Search:
    """One search being carried out."""

    def __init__(self, connection: Connection[Any], tenant: int, query: Query, where: Callable[[str], Where | None]) -> None:
        self.connection = connection
        self.tenant = tenant
        self.query = query
        self.where = where
        self.cursor = Cursor(connection, row_factory=tuple_row)

    def page(self) -> Page[Resource]:
        query = self.query
        answer: Page[Resource] = Page(used=query.used, ignored=query.ignored)
        if query.is_count_only:
            answer.total = self.count()
            return answer
        answer.matches, answer.next = self._matches()
        if query.includes or query.revincludes:
            answer.includes = shortened(Inclusion(self.cursor, self.tenant, query, self.where).around(answer.matches), query.summary, ())
        answer.matches = shortened(answer.matches, query.summary, query.elements)
        if query.total != "none":
            answer.total, answer.is_estimate = self.total()
        return answer

    def _matches(self) -> tuple[list[Any], str | None]:
        scope = Scope(Bindings(self.tenant), self.where)
        by = order(self.query, scope.bind)
        statement = self.statement(scope, by)
        if statement is None:
            return [], None
        fetched = self._run(statement, scope.bind)
        page = fetched[: self.query.count]
        return [version_of(row) for row in page], self._next(page[-1][8:]) if len(fetched) > len(page) else None

    def statement(self, scope: Scope, by: Order) -> str | None:
        """The SELECT of the page; None when its actor may see nothing it asks for."""
        found = parts(scope, self.query, by)
        if FALSE in found:
            return None
        if not self.query.cursor:
            return page_statement(self.query, by, found)
        position = cursors.read(cursors.key_of(self.connection), self._identity(), self.query.cursor, by.length)
        after = by.after(position, scope.bind)
        pin = scope.bind.place(position[-1], "::timestamptz") if by.reads_log else None
        return page_statement(self.query, by, [f"{part} and {after}" for part in found], pin)

    def _next(self, keys: tuple[Any, ...]) -> str:
        return cursors.sign(cursors.key_of(self.connection), self._identity(), [str(key) for key in keys])

    def _identity(self) -> list[Any]:
        """What a cursor is good for: this search, whatever the size of its pages."""
        return [self.tenant, self.query.type, [list(pair) for pair in self.query.used if pair[0] != "_count"]]

    def count(self) -> int:
        """How many match, exactly."""
        scope = Scope(Bindings(self.tenant), self.where)
        found = rows(scope, self.query.type, self.query.conditions)
        if found == FALSE:
            return 0
        return int(self._run(f"select count(*) from fhir.current c where {found}", scope.bind)[0][0])  # noqa: S608

    def total(self) -> tuple[int, bool]:
        """(matches, whether that is an estimate)."""
        if self.query.total == "accurate":
            return self.count(), False
        scope = Scope(Bindings(self.tenant), self.where)
        found = rows(scope, self.query.type, self.query.conditions)
        if found == FALSE:
            return 0, False
        few = int(self._run(f"select count(*) from (select from fhir.current c where {found} limit {ESTIMATE_UP_TO}) x", scope.bind)[0][0])  # noqa: S608
        return (few, False) if few < ESTIMATE_UP_TO else (max(few, self._guess(found, scope.bind)), True)

    def _guess(self, found: str, bind: Bindings) -> int:
        plan = self._run(f"explain (format json) select from fhir.current c where {found}", bind)[0][0]
        return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])

    def _run(self, statement: str, bind: Bindings) -> list[Any]:
        return self.cursor.execute(statement.encode(), bind.values).fetchall()
