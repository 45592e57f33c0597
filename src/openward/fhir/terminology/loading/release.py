"""What a file says, line by line: a release of a code system is a few parts, and each line of a part is a few rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from openward.fhir.terminology.loading.sources import Source


@dataclass(frozen=True, slots=True)
class ConceptRow:
    code: str
    display: str | None = None
    definition: str | None = None
    inactive: bool = False
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class NameRow:
    """`key` is the release's own number of the name. `use` is (system, code, display)."""

    code: str
    key: str
    value: str
    language: str | None = None
    use: tuple[str | None, str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class PropertyRow:
    code: str
    property: str
    value: str
    kind: str = "String"


@dataclass(frozen=True, slots=True)
class ParentRow:
    code: str
    parent: str


@dataclass(frozen=True, slots=True)
class StagedRow:
    """What a later part of the same release needs to know."""

    kind: str
    key: str
    value: str = ""


Row = ConceptRow | NameRow | PropertyRow | ParentRow | StagedRow
Fields = Sequence[str]
Parse = Callable[[Fields], Iterable[Row]]


@dataclass(frozen=True)
class Part:
    """One file of a release. `parse` gets the fields of a line.

    `split`: `tab`, `pipe` and `csv` by that sign, `line` not at all. `columns`: the header's names the fields are put in the order of, when the
    first line is a header; a file without one of them is refused.
    """

    name: str
    source: Source
    parse: Parse
    split: Literal["tab", "pipe", "csv", "line"]
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Release:
    """`named_by_preference`: a concept without a display gets it from its names, the preferred one of the staged kind `p` first."""

    title: str
    url: str
    version: str
    parts: Sequence[Part]
    case_sensitive: bool = True
    hierarchy: bool = False
    named_by_preference: bool = False
    uses: Sequence[str] = field(default_factory=tuple)
    """The uses of names, best first, that a display is taken from."""
