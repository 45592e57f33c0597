"""The square code an authenticator app reads from the screen."""

from __future__ import annotations

import io

import segno
from django.utils.safestring import SafeString


def square_code(text: str) -> SafeString:
    """An SVG image, dark on light in every look, since cameras read no other."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False, svgns=True, title="QR")
    return SafeString(out.getvalue().decode())
