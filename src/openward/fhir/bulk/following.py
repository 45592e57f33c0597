"""What a client asks of an import under way and a finished one: how far it is, what was refused, and to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from openward.fhir.bulk import imports
from openward.fhir.bulk.house import house
from openward.fhir.bulk.imports import Import
from openward.fhir.bulk.serving import NDJSON, outcome
from openward.fhir.bulk.stored import piecewise
from openward.fhir.errors import NotFound
from openward.fhir.json import dumps
from openward.fhir.protocols import Event
from openward.fhir.versions import instant

if TYPE_CHECKING:
    from openward.fhir.http.request import Request
    from openward.fhir.http.response import Response
    from openward.fhir.store import Store


def status(id: str, store: Store, request: Request) -> Response:
    """How far the import is; what became of each input once it is done. Raises NotFound for one that is not this client's."""
    from openward.fhir.http.response import Response

    one = _mine(store, id)
    if one.state == "failed":
        return Response.json(outcome("exception", f"The import failed: {one.note}"), 500)
    if one.state == "done":
        return Response(200, dumps(manifest(one)), {"Content-Type": "application/json"})
    return Response(202, headers={"X-Progress": (one.note or "waiting to begin")[:100], "Retry-After": "2"})


def manifest(one: Import) -> dict[str, Any]:
    """In the form an export's has: how many resources each input brought, and where what was refused can be read."""
    output, error = [], []
    for number, result in enumerate(one.results, 1):
        named = {"inputUrl": result["url"], **({"type": result["type"]} if result["type"] else {})}
        output.append({**named, "count": result["taken"]})
        if result["refused"]:
            url = f"{one.url}/_import/{one.id}/{number}.OperationOutcome.ndjson"
            error.append({"type": "OperationOutcome", "inputUrl": result["url"], "url": url, "count": result["refused"]})
    return {"transactionTime": instant(one.asked), "request": one.request, "requiresAccessToken": True, "output": output, "error": error}


def file(id: str, name: str, store: Store, request: Request) -> Response:
    """What was refused of one input, line by line."""
    from openward.fhir.http.response import Response

    one = _mine(store, id)
    names = [f"{number}.OperationOutcome.ndjson" for number in range(1, len(one.results) + 1)]
    path = imports.folder_of(house().folder, one.id) / name
    if name not in names or not path.is_file():
        raise NotFound(f"There is no file {name[:64]} of this import.")
    store.record([Event("import", None, detail=f"outcome file {names.index(name) + 1} taken")])
    return Response(200, headers={"Content-Type": NDJSON}, chunks=piecewise(path, path.stat().st_size))


def cancel(id: str, store: Store, request: Request) -> Response:
    """Stop the import; what went in stays in."""
    from openward.fhir.http.response import Response

    one = _mine(store, id)
    with store.transaction():
        imports.cancel(store.connection, house().folder, one)
        store.record([Event("import", None, detail="cancelled")])
    return Response.json(outcome("informational", "The import is stopped. What was taken in stays.", "information"), 202)


def _mine(store: Store, id: str) -> Import:
    try:
        found = imports.find(store.connection, store.tenant, UUID(id), owner=store.actor.id)
    except ValueError:
        found = None
    if found is None:
        raise NotFound("There is no such import.")
    return found
