"""An entry of a bundle that asks, answered as if it had come as a request of its own. https://hl7.org/fhir/R4/http.html#transaction-response"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from openward.fhir.bundles.answers import status_line, validators_of
from openward.fhir.bundles.entries import Entry
from openward.fhir.errors import BadRequest
from openward.fhir.http.media import JSON_MEDIA_TYPE
from openward.fhir.http.request import Request
from openward.fhir.http.response import Response
from openward.fhir.json import dumps

if TYPE_CHECKING:
    from openward.fhir.store import Store

# Headers that speak of the bundle itself and not of its entries.
OUTER = frozenset(
    {"HTTP_ACCEPT", "HTTP_CONTENT_ENCODING", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_EXIST",
     "CONTENT_TYPE", "CONTENT_LENGTH"}
)  # fmt: skip


def inside(answer: Callable[[Store, Request], Response], outer: Request, store: Store, entry: Entry) -> dict[str, Any]:
    """The response entry. Raises what the interaction raises, and BadRequest for an answer that is no resource."""
    response = answer(store, _request(outer, entry))
    if response.chunks is not None or "Content-Type" in response.headers:
        raise BadRequest(f"What {entry.url[:200]} answers is no resource and cannot stand in a bundle.")
    said: dict[str, Any] = {"status": status_line(response.status)}
    for header in ("Location", "Content-Location"):
        if header in response.headers:
            said["location"] = response.headers[header]
    if response.shown is not None:
        said |= validators_of(response.shown)
    has_body = response.body and entry.method != "HEAD"
    return {"resource": msgspec.Raw(response.body), "response": said} if has_body else {"response": said}


def _request(outer: Request, entry: Entry) -> Request:
    path, _, query = entry.url.partition("?")
    body = dumps(entry.parameters) if entry.parameters is not None else b""
    environ = {name: value for name, value in outer.environ.items() if name not in OUTER}
    environ |= {
        "REQUEST_METHOD": entry.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": f"{outer.base}/" + unquote(path.strip("/")).encode().decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": JSON_MEDIA_TYPE if body else "",
        "wsgi.input": io.BytesIO(body),
    }
    if "if_none_match" in entry.conditions:
        environ["HTTP_IF_NONE_MATCH"] = entry.conditions["if_none_match"]
    if "if_modified_since" in entry.conditions:
        environ["HTTP_IF_MODIFIED_SINCE"] = _http_date(entry.conditions["if_modified_since"])
    request = Request(environ, outer.base, outer.limit)
    if request.segments == ("metadata",):
        raise BadRequest("What this server can do is not asked in a bundle.")
    return request


def _http_date(text: str) -> str:
    """In a bundle the condition is an instant, not a date of HTTP's."""
    try:
        return format_datetime(dt.datetime.fromisoformat(text).astimezone(dt.UTC), usegmt=True)
    except (ValueError, OverflowError) as error:
        raise BadRequest("ifModifiedSince is not an instant.") from error
