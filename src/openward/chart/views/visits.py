"""The summary of a visit: on paper and as PDF."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpResponse

from openward.access.permissions import Permission
from openward.chart.presenters.visit import VisitSummary
from openward.chart.queries.visits import read_visit
from openward.web.pages import PageRequest, page, render
from openward.web.pdf import pdf, pdf_response

TYPST = Path(__file__).parents[1] / "typst"


@page("chart:visit-summary", needs=Permission.READ_CHART)
def summary(request: PageRequest, visit: str) -> HttpResponse:
    """What the patient takes home."""
    return render(request, "chart/visit_summary.html", {"summary": VisitSummary(read_visit(request.store, visit))})


@page("chart:visit-summary-pdf", needs=Permission.READ_CHART)
def as_pdf(request: PageRequest, visit: str) -> HttpResponse:
    return pdf_response(pdf(TYPST / "visit.typ", VisitSummary(read_visit(request.store, visit)).words()), "visit-summary.pdf")
