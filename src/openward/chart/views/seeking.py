"""What the search fields of the chart's forms ask: diagnoses, drugs, substances. By POST; nothing of a patient is in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.chart import diagnoses
from openward.chart.drugs.available import knowledge_or_none
from openward.chart.drugs.knowledge import Drug
from openward.web.pages import PageRequest, page, render

Options = Iterable[dict[str, Any]]


def _options(request: PageRequest, options: Options) -> HttpResponse:
    return render(request, "web/components/options.html", {"options": list(options)})


@page("chart:find-diagnosis", needs=Permission.MANAGE_PROBLEMS, methods=("POST",))
def diagnosis(request: PageRequest) -> HttpResponse:
    """ICD-10-CM by words, synonyms or code."""
    return _options(request, (_diagnosis(found) for found in diagnoses.find(request.POST.get("q", ""), 15)))


def _diagnosis(found: diagnoses.Diagnosis) -> dict[str, Any]:
    detail = found.code if found.is_billable else _("{code} · heading, not billable").format(code=found.code)
    return {"value": found.code, "label": found.name, "detail": detail}


@page("chart:find-drug", needs=Permission.REVIEW_LISTS, methods=("POST",))
def drug(request: PageRequest) -> HttpResponse:
    """Products of the drug file by generic name or brand, strengths included: `lisin 10`."""
    return _options(request, _products(request.POST.get("q", "")))


def _products(text: str) -> Options:
    asked = text.lower().split()
    knowledge = knowledge_or_none()
    if knowledge is None or not asked:
        return []
    found = [
        (drug, product) for drug in knowledge.prescribable for product in drug.products if all(_fits(word, drug, product.text) for word in asked)
    ]
    found.sort(key=lambda pair: (not pair[0].name.startswith(asked[0]), pair[0].name))
    return [
        {
            "value": f"{drug.name}|{product.strength}|{product.form}",
            "label": f"{drug.name} {product.strength} {product.form}",
            "detail": " · ".join(part for part in (", ".join(drug.brands[:2]).upper(), next(iter(sorted(drug.classes)), "")) if part),
        }
        for drug, product in found[:20]
    ]


def _fits(word: str, drug: Drug, product: str) -> bool:
    names = [*drug.name.split(), *(part.lower() for brand in (*drug.brands, *drug.synonyms) for part in brand.split()), *product.lower().split()]
    return any(name.startswith(word) for name in names)


@page("chart:find-substance", needs=Permission.REVIEW_LISTS, methods=("POST",))
def substance(request: PageRequest) -> HttpResponse:
    """Drugs, groups of drugs, foods and other things people are allergic to."""
    text = request.POST.get("q", "").strip().lower()
    knowledge = knowledge_or_none()
    if knowledge is None or not text:
        return _options(request, [])
    named = [(name, _("drug")) for name in knowledge.drugs]
    named += [(group.name, _("group of drugs")) for group in knowledge.groups]
    named += [(name, _(kind)) for kind, names in knowledge.other_substances.items() for name in names]
    found = [(name, kind) for name, kind in named if any(word.startswith(text) for word in [name.lower(), *name.lower().split()])]
    found.sort(key=lambda pair: (not pair[0].lower().startswith(text), pair[0]))
    return _options(request, ({"value": name, "label": name, "detail": kind} for name, kind in found[:15]))
