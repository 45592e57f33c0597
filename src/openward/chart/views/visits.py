"""The summary of a visit: on paper and as PDF."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpResponse

from openward.access.permissions import Permission
from openward.chart.presenters.visit import VisitSummary
from openward.chart.queries.visits import read_visit
from openward.web.pages import PageRequest, page
from openward.web.papers import pdf_response, print_response
from openward.web.pdf import pdf

TYPST = Path(__file__).parents[1] / "typst"


@page("chart:visit-summary", needs=Permission.READ_CHART)
def summary(request: PageRequest, visit: str) -> HttpResponse:
    """What the patient takes home."""
    found = VisitSummary(read_visit(request.store, visit))
    return print_response(request, "chart/visit_summary.html", {"summary": found}, what="visit-summary", patient=found.patient_id)


@page("chart:visit-summary-pdf", needs=Permission.READ_CHART)
def as_pdf(request: PageRequest, visit: str) -> HttpResponse:
    found = VisitSummary(read_visit(request.store, visit))
    return pdf_response(request, pdf(TYPST / "visit.typ", found.words()), "visit-summary.pdf", patient=found.patient_id)
