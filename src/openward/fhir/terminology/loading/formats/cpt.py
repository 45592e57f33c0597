"""CPT, the tab-separated files of the AMA: long and medium descriptors, or the consolidated list. https://www.ama-assn.org/practice-management/cpt"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from openward.fhir.terminology.loading.formats import named, told
from openward.fhir.terminology.loading.release import ConceptRow, Fields, NameRow, Part, Release, Row
from openward.fhir.terminology.loading.sources import Source

URL = "http://www.ama-assn.org/go/cpt"
CODE = re.compile(r"\d{4}[0-9A-Z]")
CONSOLIDATED = ("CPT Code", "Long", "Medium", "Short", "Consumer")


def releases(sources: Sequence[Source], version: str | None) -> Iterator[Release]:
    parts = [
        *(Part(one.name, one, _long, "tab") for one in named(sources, r"LONGU(LT|T)?\.txt")[:1]),
        *(Part(one.name, one, _named("medium"), "tab") for one in named(sources, r"MEDU(LT|T)?\.txt")[:1]),
        *(Part(one.name, one, _named("short"), "tab") for one in named(sources, r"SHORTU(LT|T)?\.txt")[:1]),
        *(Part(one.name, one, _consolidated, "tab", CONSOLIDATED) for one in named(sources, r"Consolidated[ _]?Code[ _]?List\.txt")[:1]),
    ]
    if parts:
        yield Release("CPT", URL, version or told(parts[0].source, r"(20\d\d)") or "unknown", parts, case_sensitive=False)


def _long(fields: Fields) -> Iterable[Row]:
    """The licence stands above the codes: a line that does not begin with a code says nothing of one."""
    code, text = _pair(fields)
    return [ConceptRow(code, text)] if code else ()


def _named(kind: str) -> Callable[[Fields], Iterable[Row]]:
    def parse(fields: Fields) -> Iterable[Row]:
        code, text = _pair(fields)
        return [ConceptRow(code), NameRow(code, kind, text, "en", (None, kind, None))] if code else ()

    return parse


def _consolidated(fields: Fields) -> Iterator[Row]:
    code, long, *others = fields
    if CODE.fullmatch(code):
        yield ConceptRow(code, long)
        for kind, text in zip(("medium", "short", "consumer"), others, strict=True):
            if text:
                yield NameRow(code, kind, text, "en", (None, kind, None))


def _pair(fields: Fields) -> tuple[str, str]:
    """Code and text; older files part them by spaces."""
    code, text = (fields[0], fields[1]) if len(fields) > 1 else (fields[0][:5], fields[0][5:])
    return (code.strip(), text.strip()) if CODE.fullmatch(code.strip()) and text.strip() else ("", "")
