"""The GET entries of a batch or transaction: read, vread, search and history by their address.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from openward.fhir.bundles.answers import raw, status_line, validators_of
from openward.fhir.bundles.entries import READING, Entry
from openward.fhir.errors import BadRequest, NotFound
from openward.fhir.ids import is_id
from openward.fhir.interactions.read import read
from openward.fhir.interactions.search import searchset
from openward.fhir.interactions.seeing import known_type
from openward.fhir.interactions.vread import vread
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store


Fetch = Callable[["Store", Entry], dict[str, Any]]
"""Answers an entry that asks. The REST surface answers it as it would a request of its own; without one there is `fetch`."""


def fetch(store: Store, entry: Entry) -> dict[str, Any]:
    """The response entry for a GET of the entry's url, which is relative to the base."""
    path, _, query = entry.url.lstrip("/").partition("?")
    if entry.method not in READING:
        raise BadRequest(f"{entry.method} {path} is not answered here.")
    match [unquote(part) for part in path.split("/")]:
        case [type, id] if is_id(id):
            return _found(read(store, type, id))
        case [type, id, "_history", number] if is_id(id) and number.isdecimal():
            return _found(vread(store, type, id, int(number)))
        case [type] if type:
            known_type(type)
            page = searchset(store, type, parse_qsl(query, keep_blank_values=True), "")
            return {"resource": page, "response": {"status": status_line(200)}}
    raise NotFound(f"{path} is not an address this server answers in a bundle.") if path else BadRequest("The url is empty.")


def _found(version: Version) -> dict[str, Any]:
    return {"resource": raw(version), "response": {"status": status_line(200), **validators_of(version)}}
