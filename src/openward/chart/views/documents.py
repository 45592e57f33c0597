"""Documents from elsewhere: shown by the browser only where that is safe, else downloaded."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.http import HttpResponse

from openward.access.permissions import Permission
from openward.chart.views.lists import belongs
from openward.fhir.errors import NotFound
from openward.fhir.resources import Binary, DocumentReference
from openward.web.pages import PageRequest, page
from openward.web.papers import document_response


@page("chart:document", needs=Permission.READ_CHART)
def attachment(request: PageRequest, patient: str, document: str) -> HttpResponse:
    """The first attachment of a document."""
    found = belongs(request.store.read(DocumentReference, document), patient)
    kind, body = _content(request, found.content[0].attachment) if found.content else ("", b"")
    if not body:
        raise NotFound(type="DocumentReference", id=document)
    return document_response(request, body, kind, patient=patient)


def _content(request: PageRequest, attached: Any) -> tuple[str, bytes]:
    """(content type, bytes) of an attachment: inside it, or in the Binary it points at."""
    if attached is None:
        return "", b""
    if attached.data_:
        return str(attached.contentType or ""), _decoded(attached.data_)
    type, _slash, id = str(attached.url or "").rpartition("/")
    if type.rpartition("/")[2] != "Binary":
        return "", b""
    stored = request.store.read(Binary, id)
    return str(stored.contentType or ""), _decoded(stored.data_ or "")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error:
        return b""
