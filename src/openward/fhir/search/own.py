"""The search parameters a site adds itself, as this process knows them. https://hl7.org/fhir/R4/searchparameter.html

They stand in fhir.own_parameter; `keep_fresh` reads them again when they have changed, at most every other second. From then on every resource
written is indexed by them; a search may ask for one only once the re-indexing (openward.fhir.search.reindex) has read what was there before.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import Path, SearchParameter, is_resource_type, search_parameters, structure
from openward.fhir.definitions import extract as values_at
from openward.fhir.definitions.paths import Unreadable, parse
from openward.fhir.definitions.searches import extension_values
from openward.fhir.errors import Invalid, Issue
from openward.fhir.fhirpath import Compiled, FhirPathError, compile
from openward.fhir.fhirpath.values import plain

LOOK_EVERY = 2.0  # seconds
TYPES = frozenset({"number", "date", "string", "token", "reference", "quantity", "uri"})
VALUE_OF_TYPE = re.compile(r"\.value([A-Z]\w*)\b(?!\()")
CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,63}")
EXISTS = re.compile(r"\.\s*exists\s*\(")
LONGEST_EXPRESSION = 4000
TEXTS = frozenset({"string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid"})
# What each type of parameter can index; an expression that leads to anything else finds nothing there.
DATATYPES: Mapping[str, frozenset[str]] = {
    "number": frozenset({"integer", "positiveInt", "unsignedInt", "decimal", "Range"}),
    "date": frozenset({"date", "dateTime", "instant", "Period", "Timing"}),
    "string": TEXTS | {"HumanName", "Address", "CodeableConcept"},
    "token": TEXTS | {"boolean", "integer", "positiveInt", "unsignedInt", "CodeableConcept", "Coding", "Identifier", "ContactPoint"},
    "reference": frozenset({"Reference", "canonical", "uri", "url"}),
    "quantity": frozenset({"Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration", "MoneyQuantity", "Money", "Range", "SampledData"}),
    "uri": TEXTS,
}

VERSION = "select coalesce(max(version), 0), count(*) from fhir.own_parameter"
DEFINITIONS = "select base, definition, state = 'active' from fhir.own_parameter where state in ('waiting', 'running', 'active') order by told_at"


@dataclass(frozen=True)
class OwnParameter(SearchParameter):
    """`is_ready`: everything there is has been indexed by it."""

    is_ready: bool = False

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """None when the expression is more than a path, and is evaluated instead; so is whether there is anything at the end of one."""
        if EXISTS.search(self.expression):
            return ()
        try:
            found = parse(self.expression, self.base)
        except (Unreadable, KeyError, IndexError):
            return ()
        return tuple(path for one in found for path in extension_values(one, self.type) if path.datatype in DATATYPES[self.type])

    @cached_property
    def compiled(self) -> Compiled:
        return compile(self.expression)

    @property
    def is_evaluated(self) -> bool:
        return not self.paths

    def evaluate(self, resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """(data type, value) of each thing the expression gives; nothing of what it cannot be evaluated on."""
        try:
            items = self.compiled.items(resource)
        except FhirPathError:
            return
        for item in items:
            value, datatype = (item[0], item[1].name) if isinstance(item, tuple) else _computed(item, self.type)
            if value is not None and datatype in DATATYPES[self.type]:
                yield datatype, value


def _computed(item: Any, type: str) -> tuple[Any, str]:
    """A value that stands nowhere in the resource, and the data type it counts as."""
    if isinstance(item, bool):
        return item, "boolean"
    if isinstance(item, int | Decimal):
        return (item, "decimal") if type == "number" else (str(item), "string")
    if type == "quantity":
        return plain(item), "Quantity"
    return str(item), {"date": "dateTime", "reference": "uri"}.get(type, "string")


def values_of(parameter: SearchParameter, resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(data type, value) of all that a parameter finds in a resource."""
    if isinstance(parameter, OwnParameter) and parameter.is_evaluated:
        yield from parameter.evaluate(resource)
        return
    for path in parameter.paths:
        yield from values_at(path, resource)


def made_of(definition: Mapping[str, Any], *, is_ready: bool = False) -> list[OwnParameter]:
    """One parameter for each type a SearchParameter adds to. Raises Invalid with what this server cannot search by, and why."""
    _check(definition)
    code, expression = str(definition["code"]), _as_meant(str(definition["expression"]))
    targets, url = tuple(definition.get("target", ())), str(definition["url"])
    types = [base for base in definition["base"] if code not in search_parameters(base)]
    return [OwnParameter(type, code, definition["type"], _part(expression, type), url, targets, (), is_ready) for type in types]


def _as_meant(expression: str) -> str:
    """`value.ofType(dateTime)` for `valueDateTime`: FHIRPath has no such name, but published parameters (US Core's among them) use it."""
    names = {name.lower(): name for name in structure("Extension").elements["value"].types}
    return VALUE_OF_TYPE.sub(lambda match: f".value.ofType({names[match[1].lower()]})" if match[1].lower() in names else match[0], expression)


def _part(expression: str, type: str) -> str:
    """The alternatives that start at `type`; the whole where it is not a plain union of paths."""
    parts = [part.strip() for part in expression.split("|")]
    own = [part for part in parts if re.match(rf"\(*{type}\b", part)]
    return " | ".join(own) if len(own) < len(parts) and own and all(re.match(r"\(*[A-Z]\w+\.", part) for part in parts) else expression


def _check(definition: Mapping[str, Any]) -> None:
    wrong = list(_wrong(definition))
    if wrong:
        raise Invalid(issues=[Issue("not-supported", said, f"SearchParameter.{element}") for element, said in wrong])


def _wrong(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if definition.get("type") not in TYPES:
        yield "type", f"This server indexes parameters of the types {', '.join(sorted(TYPES))}."
    if not CODE.fullmatch(str(definition.get("code", ""))):
        yield "code", "The code must be a name of letters, digits, - and _, with which a URL can ask for it."
    unknown = [base for base in definition.get("base", ()) if not is_resource_type(base)]
    if unknown:
        yield "base", f"Name the resource types; {', '.join(unknown)} is none."
    expression = str(definition.get("expression", ""))
    if not expression or len(expression) > LONGEST_EXPRESSION:
        yield "expression", f"A FHIRPath expression of at most {LONGEST_EXPRESSION:,} characters is needed."
        return
    try:
        compile(expression)
    except FhirPathError as error:
        yield "expression", f"The expression is not FHIRPath: {error}"


class Registry:
    """The own parameters of this process. `on_change` is called after they changed: what was made of the old ones is to be forgotten."""

    def __init__(self) -> None:
        self.by_type: Mapping[str, Mapping[str, OwnParameter]] = {}
        self.on_change: list[Callable[[], None]] = []
        self.generation = 0
        self._version: tuple[int, int] = (0, 0)
        self._looked = float("-inf")

    def of(self, type: str) -> Mapping[str, OwnParameter]:
        return self.by_type.get(type, {})

    def keep_fresh(self, connection: Connection[Any], *, now: bool = False) -> None:
        """Read the parameters again if they have changed. Costs a look at the clock, and every other second at the database."""
        moment = time.monotonic()
        if moment - self._looked < LOOK_EVERY and not now:
            return
        self._looked = moment
        cursor = Cursor(connection, row_factory=tuple_row)
        version = cursor.execute(VERSION).fetchone() or (0, 0)
        if version != self._version:
            self._version = version
            self.install(cursor.execute(DEFINITIONS).fetchall())

    def install(self, rows: list[tuple[str, str, bool]]) -> None:
        """`rows`: type, definition as JSON, whether it is ready. The first of a code stands."""
        found: dict[str, dict[str, OwnParameter]] = {}
        for base, definition, is_ready in rows:
            for parameter in made_of(json.loads(definition)):
                if parameter.base == base:
                    found.setdefault(base, {}).setdefault(parameter.code, replace(parameter, is_ready=is_ready))
        self.by_type = found
        self.generation += 1
        for forget in self.on_change:
            forget()


OWN = Registry()
