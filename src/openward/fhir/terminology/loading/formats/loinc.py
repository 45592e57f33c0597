"""LOINC, the table release: `Loinc.csv`, and beside it the hierarchy, the answer lists and their links. https://loinc.org/kb/users-guide/"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openward.fhir.terminology.loading.formats import named, told
from openward.fhir.terminology.loading.release import ConceptRow, Fields, NameRow, ParentRow, Part, PropertyRow, Release, Row
from openward.fhir.terminology.loading.sources import Source

URL = "http://loinc.org"
AXES = ("COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS", "CLASSTYPE", "ORDER_OBS", "STATUS")
"""The columns that become properties, under their own names, as https://hl7.org/fhir/R4/loinc.html says."""
NAMES = ("SHORTNAME", "RELATEDNAMES2", "CONSUMER_NAME", "DisplayName")
COLUMNS = ("LOINC_NUM", "LONG_COMMON_NAME", "DefinitionDescription", *AXES, *NAMES)
GONE = frozenset({"DEPRECATED", "DISCOURAGED"})
HIERARCHY = ("IMMEDIATE_PARENT", "CODE", "CODE_TEXT")
ANSWERS = ("AnswerListId", "AnswerListName", "AnswerStringId", "DisplayText")
ANSWERS_OF = ("LoincNumber", "AnswerListId")


def releases(sources: Sequence[Source], version: str | None) -> Iterator[Release]:
    tables = named(sources, r"Loinc\.csv")
    if not tables:
        return
    parts = [
        *(Part(one.name, one, _term, "csv", COLUMNS) for one in tables[:1]),
        *(Part(one.name, one, _node, "csv", HIERARCHY) for one in named(sources, r"ComponentHierarchyBySystem\.csv")[:1]),
        *(Part(one.name, one, _answer, "csv", ANSWERS) for one in named(sources, r"AnswerList\.csv")[:1]),
        *(Part(one.name, one, _answers_of, "csv", ANSWERS_OF) for one in named(sources, r"LoincAnswerListLink\.csv")[:1]),
    ]
    stated = version or told(tables[0], r"Loinc[_-]?v?(\d+\.\d+)") or "unknown"
    yield Release("LOINC", URL, stated, parts, case_sensitive=False, hierarchy=True)


def _term(fields: Fields) -> Iterable[Row]:
    code, name, definition, *rest = fields
    axes, names = rest[: len(AXES)], rest[len(AXES) :]
    yield ConceptRow(code, name, definition or None, inactive=axes[AXES.index("STATUS")] in GONE)
    yield from (PropertyRow(code, axis, value) for axis, value in zip(AXES, axes, strict=True) if value)
    for column, value in zip(NAMES, names, strict=True):
        for place, one in enumerate(filter(None, (part.strip() for part in value.split(";") if column == "RELATEDNAMES2"))):
            yield NameRow(code, f"{column} {place:03}", one, "en", (None, column, None))
        if value and column != "RELATEDNAMES2":
            yield NameRow(code, column, value, "en", (None, column, None))


def _node(fields: Fields) -> Iterable[Row]:
    """A part (LP…) groups terms and cannot be chosen; the terms themselves have come before."""
    parent, code, text = fields
    if code.startswith("LP"):
        yield ConceptRow(code, text, abstract=True)
    if parent:
        yield ParentRow(code, parent)


def _answer(fields: Fields) -> Iterable[Row]:
    list_code, list_name, code, text = fields
    yield ConceptRow(list_code, list_name)
    if code:
        yield ConceptRow(code, text)
        yield PropertyRow(code, "answer-list", list_code, "Code")


def _answers_of(fields: Fields) -> Iterable[Row]:
    code, list_code = fields
    return [PropertyRow(code, "answer-list", list_code, "Code")]
