"""What a client asks of an export under way and a finished one: how far it is, its files, and to stop it.

https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-status-request
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from openward.fhir.bulk import exports, stored
from openward.fhir.bulk.exports import Export, File
from openward.fhir.bulk.house import house
from openward.fhir.bulk.shown import is_still_shown
from openward.fhir.errors import Issue, NotFound
from openward.fhir.json import dumps
from openward.fhir.protocols import Event
from openward.fhir.versions import instant

if TYPE_CHECKING:
    from openward.fhir.http.request import Request
    from openward.fhir.http.response import Response
    from openward.fhir.store import Store

NDJSON = "application/fhir+ndjson"


def address(url: str, id: UUID) -> str:
    """Where the status of an export is asked for."""
    return f"{url}/_export/{id}"


def status(id: str, store: Store, request: Request) -> Response:
    """How far the export is; the manifest once it is done. Raises NotFound for an export that is not this client's, is gone, or never was,
    and for a token that covers less than what was asked for."""
    from openward.fhir.http.response import Response

    export = _covered(store, id)
    if export.state == "failed":
        return Response.json(outcome("exception", f"The export failed: {export.note}"), 500)
    if exports.too_soon(store.connection, export, house().limits.poll_seconds):
        return throttled("You ask too often; see Retry-After.", seconds=max(1, round(house().limits.poll_seconds)))
    if export.state == "done":
        return Response(
            200, dumps(manifest(export, exports.files_of(store.connection, export))), _expiry(export) | {"Content-Type": "application/json"}
        )
    return Response(202, headers={"X-Progress": (export.note or "waiting to begin")[:100], "Retry-After": _patience(export)})


def manifest(export: Export, files: Sequence[File]) -> dict[str, Any]:
    """https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status"""
    assert export.at is not None
    listed: dict[str, list[dict[str, Any]]] = {"output": [], "deleted": [], "error": []}
    for file in files:
        url = f"{address(export.url, export.id)}/{file.name}"
        type = {"output": file.type, "deleted": "Bundle", "error": "OperationOutcome"}[file.kind]
        listed[file.kind].append({"type": type, "url": url, "count": file.rows})
    return {"transactionTime": instant(export.at), "request": export.request, "requiresAccessToken": True, **listed}


def file(id: str, name: str, store: Store, request: Request) -> Response:
    """One file, to the client whose export it is, while it may still see all that is in it. On the trail before the first byte leaves."""
    from openward.fhir.http.response import Response, takes_gzip

    export = _covered(store, id)
    named = [one for one in exports.files_of(store.connection, export) if one.name == name] if export.state == "done" else []
    where = store.policy.where(store.actor, "export", named[0].type) if named else None
    if where is None:
        raise NotFound(f"There is no file {name[:64]} of this export.")
    found = named[0]
    path = found.path(exports.folder_of(house().folder, export.id))
    if not path.is_file():
        raise NotFound(f"The file {name[:64]} has been removed.")
    if not is_still_shown(store.connection, store.tenant, found, path, where):
        store.refuse(Event("export", found.type, outcome=4, detail=f"file {found.number} holds what is hidden by now"))
        raise NotFound(f"Not all that the file {name[:64]} holds may still be seen: ask for the export anew.")
    if request.method != "HEAD":
        words = f"file {found.number} taken: {found.rows} resources of {found.patients} patients"
        store.record([Event("export", found.type, detail=words)])
    headers = {"Content-Type": NDJSON, **_expiry(export)}
    if takes_gzip(request.header("Accept-Encoding")):
        headers |= {"Content-Encoding": "gzip", "Content-Length": str(stored.gzipped_size(found.stored))}
        return Response(200, headers=headers, chunks=stored.gzipped(path, found.stored, found.crc, found.bytes))
    return Response(200, headers={**headers, "Content-Length": str(found.bytes)}, chunks=stored.plain(path, found.stored))


def cancel(id: str, store: Store, request: Request) -> Response:
    """Stop the export, or remove its files when it is done. https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-delete-request"""
    from openward.fhir.http.response import Response

    export = _mine(store, id)
    with store.transaction():
        exports.cancel(store.connection, house().folder, export)
        store.record([Event("export", None, detail="cancelled")])
    return Response.json(outcome("informational", "The export is cancelled and its files are removed.", "information"), 202)


def throttled(words: str, *, seconds: int) -> Response:
    """429 Too Many Requests. https://www.rfc-editor.org/rfc/rfc6585#section-4"""
    from openward.fhir.http.response import Response

    response = Response.json(outcome("throttled", words), 429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _mine(store: Store, id: str) -> Export:
    """The client's own export, unless what the client was allowed when it asked has been withdrawn since. Raises NotFound."""
    try:
        found = exports.find(store.connection, store.tenant, UUID(id), owner=store.actor.id)
    except ValueError:
        found = None
    if found is None or house().is_withdrawn(found.actor, found.asked):
        raise NotFound("There is no such export.")
    return found


def _covered(store: Store, id: str) -> Export:
    """The same, for a token that covers all that was asked for: one of narrower scope does not take what a wider one had made. Raises NotFound."""
    found = _mine(store, id)
    if not house().covers(store.actor, found.actor, found.wanted.candidates()):
        raise NotFound("There is no such export.")
    return found


def outcome(code: str, words: str, severity: str = "error") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [Issue(code, words, severity=severity).to_fhir()]}


def _expiry(export: Export) -> dict[str, str]:
    return {"Expires": format_datetime(export.expires.astimezone(dt.UTC), usegmt=True)} if export.expires else {}


def _patience(export: Export) -> str:
    """Seconds after which to ask again: soon at first, then the longer it takes the later."""
    return str(max(1, min(60, round((export.touched - export.asked).total_seconds() / 10))))
