"""FHIR Composition/$document: a composition and all it refers to as one document.

https://hl7.org/fhir/R4/composition-operation-document.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from openward.fhir.definitions import type_number
from openward.fhir.errors import BadRequest
from openward.fhir.ids import is_id, new_id
from openward.fhir.interactions.create import create
from openward.fhir.interactions.read import read
from openward.fhir.json import loads
from openward.fhir.operations.members import Row, referred
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.versions import Version, instant, now


@operation("document", on=("type", "instance"), types=("Composition",), url="http://hl7.org/fhir/OperationDefinition/Composition-document")
def document(call: Call) -> Answer:
    """A Bundle of type document, the composition first; with `persist` it is also stored, and its Location said."""
    persist = call.parameters.flag("persist")
    if "graph" in call.parameters:
        raise BadRequest("This server makes a document of what the composition refers to; it reads no graph.")
    if persist and call.store.reads_only:
        raise BadRequest("A document is stored by POST.")
    version = read(call.store, "Composition", _id(call))
    rows = [_row(version)]
    rows += referred(call.store, rows, version.patient)
    for row in rows:
        if row.locked:  # a document is whole or none
            raise row.locked
    bundle = _bundle(call, rows)
    patients = (version.patient,) if version.patient else ()
    if not persist:
        return Answer(resource=bundle, patients=patients)
    entries = [{**entry, "resource": loads(bytes(entry["resource"]))} for entry in bundle["entry"]]
    stored = create(call.store, {**bundle, "entry": entries}).version
    location = {"Location": f"{call.url}/{stored.location}"}
    return Answer(status=201, resource=stored.content, headers=location, patients=patients)


def _id(call: Call) -> str:
    """At the type the composition is named by `id`: its id, or its address on this server."""
    if call.id:
        return call.id
    named = (call.parameters.text("id") or "").removeprefix(f"{call.url}/").removeprefix("Composition/")
    if not is_id(named):
        raise BadRequest("Which composition? The parameter id names it.")
    return named


def _row(version: Version) -> Row:
    return Row(0, type_number(version.type), version.id, version.text or "")


def _bundle(call: Call, rows: list[Row]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{new_id()}"},
        "type": "document",
        "timestamp": instant(now()),
        "entry": [{"fullUrl": f"{call.url}/{row.reference}", "resource": msgspec.Raw(row.body.encode())} for row in rows],
    }
