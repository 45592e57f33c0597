"""PDF documents, set by typst from values: a template is ours, its words are data and are never evaluated. How one leaves: `openward.web.papers`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


def pdf(template: Path, words: Mapping[str, Any]) -> bytes:
    """The template as a tagged PDF; it reads `words` as JSON from `sys.inputs.page`. Milliseconds a page."""
    import typst  # 7 MB, which most processes never need

    made: object = typst.compile(
        _source(template),  # type: ignore[type-var]
        root=str(template.parent),
        ignore_system_fonts=True,
        sys_inputs={"page": json.dumps(words)},
    )
    assert isinstance(made, bytes)
    return made


@cache
def _source(template: Path) -> bytes:
    return template.read_bytes()
