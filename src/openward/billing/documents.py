"""PDF documents, set by typst from values: the template is ours, the words are data and are never evaluated."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst

from openward.billing.presenters.statements import ReceiptPage, StatementPage

_FOLDER = Path(__file__).parent / "typst"


def statement_pdf(page: StatementPage) -> bytes:
    """The statement as a tagged PDF of US letter size."""
    return _compile("statement.typ", page.words(qr=qr_svg(page.link)))


def receipt_pdf(page: ReceiptPage) -> bytes:
    return _compile("receipt.typ", page.words())


def qr_svg(text: str) -> str:
    """A QR code as SVG; empty for nothing."""
    if not text:
        return ""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", border=0, xmldecl=False, svgns=True)
    return out.getvalue().decode()


def _compile(name: str, words: Mapping[str, Any]) -> bytes:
    made: bytes = typst.compile(_template(name), root=str(_FOLDER), ignore_system_fonts=True, sys_inputs={"page": json.dumps(words)})  # type: ignore[type-var]
    return made


@cache
def _template(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
