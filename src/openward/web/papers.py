"""What leaves the screen: a PDF, a page made to be printed, a file for a spreadsheet. Each is on the trail before it is answered, with whose data it holds.

No view answers `application/pdf` or `text/csv`, or a template over `web/print.html`, but through here: `tests/house/test_papers.py` looks for it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from django.http import HttpResponse, StreamingHttpResponse

from openward.access.actor import Actor
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.record.connection import connection
from openward.record.work import AUDITOR
from openward.web.answers import render
from openward.web.pages import PageRequest

SHOWN = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "text/plain": "txt"}
RISKY = ("=", "+", "-", "@", "\t", "\r")


def pdf_response(request: PageRequest, body: bytes, name: str, *, patient: str | None, by: Actor | None = None) -> HttpResponse:
    """A PDF, shown in the browser; on the trail as a print. `name` is what it is saved as and never holds a patient's name.

    `patient`: the id of whose data it holds; None for nobody's. `by`: who takes it where nobody is signed in.
    """
    leave(request, "print", name, patients=_of(patient), by=by)
    return _bytes(body, "application/pdf", name)


def document_response(request: PageRequest, body: bytes, kind: str, *, patient: str) -> HttpResponse:
    """A document from elsewhere, as it came; on the trail as an export. What may carry scripts is never opened in the page's own origin."""
    plain = kind.split(";")[0].strip().lower()
    name = f"document.{SHOWN.get(plain, 'bin')}"
    leave(request, "export", name, patients=_of(patient))
    response = _bytes(body, kind, name) if plain in SHOWN else _bytes(body, "application/octet-stream", name, way="attachment")
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"
    return response


def print_response(request: PageRequest, template: str, context: Mapping[str, Any], *, what: str, patient: str | None) -> HttpResponse:
    """A page that is there to be printed; on the trail as a print of `what`, a short name that says nothing of anyone."""
    leave(request, "print", what, patients=_of(patient))
    return render(request, template, context)


def file_response(request: PageRequest, body: bytes, kind: str, name: str, *, patients: Sequence[str]) -> HttpResponse:
    """A file to keep, such as X12, as it was sent or came; on the trail as an export of these patients' data."""
    leave(request, "export", name, patients=patients)
    return _bytes(body, kind, name, way="attachment")


def csv_response(request: PageRequest, rows: Iterable[Sequence[Any]], name: str, *, patient: str | None) -> StreamingHttpResponse:
    """A file of lines, sent as they are made; on the trail as an export. No cell is run by a spreadsheet as a formula."""
    leave(request, "export", name, patients=_of(patient))
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def leave(request: PageRequest, interaction: Literal["print", "export"], what: str, *, patients: Sequence[str], by: Actor | None = None) -> None:
    """Put on the trail that something leaves. Raises psycopg.Error: what cannot be put on record does not leave."""
    actor = by if request.actor is None and by is not None else request.actor
    whose = [key("Patient", id) for id in dict.fromkeys(patients)]
    event = Event(interaction, "Patient" if whose else None, whose[0] if len(whose) == 1 else None, patients=whose, detail=what)
    AUDITOR.record(connection(), actor.tenant, actor, [event])


def _of(patient: str | None) -> tuple[str, ...]:
    return (patient,) if patient else ()


def _bytes(body: bytes, kind: str, name: str, *, way: str = "inline") -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'{way}; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


class _Echo:
    """What the csv module writes to comes straight back."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([harmless(str("" if cell is None else cell)) for cell in row])


def harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is quoted."""
    return f"'{cell}" if cell.startswith(RISKY) else cell
