"""PDF documents, set by typst from values: the template is ours, the words are data and are never evaluated."""

from __future__ import annotations

import io
from pathlib import Path

import segno

from openward.billing.presenters.statements import ReceiptPage, StatementPage
from openward.web.pdf import pdf

_FOLDER = Path(__file__).parent / "typst"


def statement_pdf(page: StatementPage) -> bytes:
    """The statement as a tagged PDF of US letter size."""
    return pdf(_FOLDER / "statement.typ", page.words(qr=qr_svg(page.link)))


def receipt_pdf(page: ReceiptPage) -> bytes:
    return pdf(_FOLDER / "receipt.typ", page.words())


def qr_svg(text: str) -> str:
    """A QR code as SVG; empty for nothing."""
    if not text:
        return ""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", border=0, xmldecl=False, svgns=True)
    return out.getvalue().decode()
