"""What a search must look up before its statement can be written: stored units, codes of a value set, the members of a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_number
from openward.fhir.errors import BadRequest
from openward.fhir.ids import is_id, key
from openward.fhir.protocols import Where
from openward.fhir.search.parameters import INDEXED, number
from openward.fhir.terminology import protocol

UNITS = ":unit"
MOST_CODES = 10_000
# The house's own definitions count only for an actor who may see all of them.
DEFINITIONS = ("CodeSystem", "ValueSet", "ConceptMap")

SELECT_SYSTEMS = """select distinct t.system from fhir.token t
  where t.tenant = %(tenant)s and t.param = %(param)s and t.code = %(code)s and t.system <> 'urn:openward:text'"""
SELECT_UNITS = "select distinct t.code from fhir.token t where t.tenant = %(tenant)s and t.param = %(param)s and t.system = %(system)s"

# The value set may be named by its address too. https://hl7.org/fhir/R4/search.html#modifiers
SELECT_CANONICAL = """select b.body::jsonb ->> 'url', b.body::jsonb ->> 'version' from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)
  where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.rkey = %(rkey)s"""


def nothing(type: str) -> None:
    """An actor who may see nothing of the house's own definitions."""


class Facts:
    """The look-ups of one search. `where` gives what its actor may see of a type."""

    def __init__(self, connection: Connection[Any], tenant: int, where: Callable[[str], Where | None] = nothing) -> None:
        self.connection = connection
        self.tenant = tenant
        self.where = where

    def look(self, statement: str, params: Mapping[str, Any]) -> list[Any]:
        return Cursor(self.connection, row_factory=tuple_row).execute(statement.encode(), params).fetchall()

    def guess(self, select: str, params: Mapping[str, Any]) -> int:
        """How many rows the planner expects."""
        plan = self.look(f"explain (format json) {select}", params)[0][0]
        return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])

    def units(self, system: str) -> list[str]:
        """The codes of the units of this system that any stored quantity has."""
        return [row[0] for row in self.look(SELECT_UNITS, {"tenant": self.tenant, "param": number(UNITS), "system": system})]

    def systems(self, parameter: str, code: str) -> list[str]:
        """The systems in which any resource has this code by this parameter; the empty one where it stands without."""
        return [row[0] for row in self.look(SELECT_SYSTEMS, {"tenant": self.tenant, "param": number(parameter), "code": code[:INDEXED]})]

    def in_set(self, value_set: str) -> Sequence[tuple[str, str]]:
        """(system, code) of a value set. Raises BadRequest when this server cannot tell them all."""
        return _told(self._terminology.codes(self._canonical(value_set), MOST_CODES), f"which codes are in {value_set}")

    def _canonical(self, value_set: str) -> str:
        """What a `ValueSet/1` of this server that the actor may see is called; anything else is a canonical already."""
        type, _, id = value_set.partition("/")
        where = self.where(type) if type == "ValueSet" and is_id(id) else None
        if where is None:
            return value_set
        wanted = {"tenant": self.tenant, "rtype": type_number(type), "rkey": key(type, id), **where.params}
        rows = self.look(f"{SELECT_CANONICAL} and ({where.sql})", wanted)
        return "|".join(part for part in rows[0] if part) if rows and rows[0][0] else value_set

    def below(self, system: str, code: str) -> Sequence[str]:
        return _told(self._terminology.below(system, code, MOST_CODES), f"what {code} of {system} subsumes")

    def above(self, system: str, code: str) -> Sequence[str]:
        return _told(self._terminology.above(system, code), f"what subsumes {code} of {system}")

    @cached_property
    def _terminology(self) -> protocol.Terminology:
        from openward.fhir import terminology  # not before it is needed: it searches too

        seen = [self.where(type) for type in DEFINITIONS]
        own = all(where is not None and where.everything for where in seen)
        found: protocol.Terminology = terminology.Terminology(self.connection, self.tenant, own=own)
        return found


def _told(found: Sequence[Any] | None, what: str) -> Sequence[Any]:
    if found is None:
        raise CannotTell(what=what)
    return found


class CannotTell(BadRequest):
    """This server cannot tell {what}: the code system is not loaded here."""

    code = "not-supported"
