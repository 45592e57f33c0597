"""$closure: a client's own table of which of its codes subsumes which, kept here and told in versions.

https://hl7.org/fhir/R4/conceptmap-operation-closure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openward.fhir.errors import BadRequest, Invalid
from openward.fhir.operations.registry import Call, operation
from openward.fhir.terminology.asking import coded, terminology
from openward.fhir.terminology.closure import ClosureTable, as_concept_map

LONGEST_NAME = 64


@operation("closure", on=("system",), needs="read", about="ConceptMap", url="http://hl7.org/fhir/OperationDefinition/ConceptMap-closure", writes=True)
def closure(call: Call) -> Mapping[str, Any]:
    """A name alone begins anew; concepts are added; a version asks again for what was said after it. Raises BadRequest, Invalid, UnknownSystem."""
    name = call.parameters.text("name")
    if not name or len(name) > LONGEST_NAME:
        raise BadRequest(f"A closure table has a name of at most {LONGEST_NAME} characters.")
    version, concepts = call.parameters.text("version"), [coded(one) for one in call.parameters.all("concept")]
    if version is not None and concepts:
        raise BadRequest("Either concepts or a version, not both.")
    if version is not None and not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise BadRequest("version is a number this server gave.")
    with call.store.transaction():
        kept = ClosureTable(call.store.connection, call.store.tenant, str(call.store.actor.id), name)
        if version is None and not concepts:
            return as_concept_map(name, kept.begin(), [])
        if kept.version() is None:
            raise Invalid(f"The closure table {name} is not known; begin it with its name alone.")
        if version is not None:
            return as_concept_map(name, kept.version() or 0, kept.since(int(version)))
        return as_concept_map(name, *kept.add(terminology(call), concepts))
