"""PDF documents, set by typst from values: a template is ours, its words are data and are never evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.http import HttpResponse


def pdf(template: Path, words: Mapping[str, Any]) -> bytes:
    """The template as a tagged PDF; it reads `words` as JSON from `sys.inputs.page`. Milliseconds a page."""
    made: object = typst.compile(
        _source(template),  # type: ignore[type-var]
        root=str(template.parent),
        ignore_system_fonts=True,
        sys_inputs={"page": json.dumps(words)},
    )
    assert isinstance(made, bytes)
    return made


def pdf_response(body: bytes, name: str) -> HttpResponse:
    """Shown in the browser; `name` is what it is saved as and never holds a patient's name."""
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@cache
def _source(template: Path) -> bytes:
    return template.read_bytes()
