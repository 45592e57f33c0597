"""The commonest request, one resource by its id and nothing else asked of it, answered without what all others need.

What is read, who may see it, and what is put on record are the interaction's affair here as there; only asking and answering are shorter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from openward.fhir.definitions import is_resource_type
from openward.fhir.http.media import JSON_MEDIA_TYPE, USUAL
from openward.fhir.http.response import ALWAYS, STATUS_LINES, http_date, is_worth_packing, packed
from openward.fhir.ids import is_id
from openward.fhir.interactions.read import Sent
from openward.fhir.packed import EPOCH
from openward.fhir.virtual import VIRTUAL

CONDITIONS = ("QUERY_STRING", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "SCRIPT_NAME")
PLAIN = USUAL | {""}
HEADERS = [*ALWAYS.items(), ("Content-Type", JSON_MEDIA_TYPE)]
FOUND = STATUS_LINES[200]


def named_plainly(environ: Mapping[str, Any], base: str) -> tuple[str, str] | None:
    """Type and id of the one resource that is asked for as JSON, whatever its version; None for any other request."""
    asked = environ.get
    if environ["REQUEST_METHOD"] != "GET" or any(map(asked, CONDITIONS)) or asked("HTTP_ACCEPT", "") not in PLAIN:
        return None
    type, _, id = environ["PATH_INFO"][len(base) + 1 :].partition("/")
    return (type, id) if is_id(id) and is_resource_type(type) and type != "Binary" and type not in VIRTUAL else None


def send_plainly(sent: Sent, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A resource as the bytes that are stored."""
    body = sent.body
    headers = [*HEADERS, ("ETag", f'W/"{sent.number}"'), ("Last-Modified", _date(sent.at // 1_000_000))]
    if is_worth_packing(body, environ.get("HTTP_ACCEPT_ENCODING")):
        body = packed(body)
        headers.append(("Content-Encoding", "gzip"))
    headers.append(("Content-Length", str(len(body))))
    start_response(FOUND, headers)
    return [body]


@lru_cache(maxsize=4096)
def _date(seconds: int) -> str:
    """As HTTP writes it; counted from 2000, as PostgreSQL does."""
    return http_date(EPOCH + dt.timedelta(seconds=seconds))
