"""SNOMED CT, release format 2, snapshot. https://confluence.ihtsdotools.org/display/DOCRELFMT"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openward.fhir.terminology.concepts import FULLY_SPECIFIED
from openward.fhir.terminology.loading.formats import named, told
from openward.fhir.terminology.loading.release import ConceptRow, Fields, NameRow, ParentRow, Part, PropertyRow, Release, Row, StagedRow
from openward.fhir.terminology.loading.sources import Source

URL = "http://snomed.info/sct"
IS_A = "116680003"
SYNONYM = "900000000000013009"
PREFERRED = "900000000000548007"
DEFINED = "900000000000073002"
USES = {SYNONYM: "Synonym", FULLY_SPECIFIED: "Fully specified name"}
MODULES = {"INT": "900000000000207008", "US1000124": "731000124108"}
"""What the file names call an edition, and the module its version is told by: the international and the one of the United States."""

CONCEPTS = ("id", "effectiveTime", "active", "moduleId", "definitionStatusId")
DESCRIPTIONS = ("id", "active", "conceptId", "languageCode", "typeId", "term")
RELATIONSHIPS = ("active", "sourceId", "destinationId", "typeId")
LANGUAGE = ("active", "referencedComponentId", "acceptabilityId")


def releases(sources: Sequence[Source], version: str | None) -> Iterator[Release]:
    concepts = named(sources, r"x?sct2_Concept_Snapshot_.*\.txt")
    if not concepts:
        return
    parts = [
        *_parts(sources, r"x?der2_cRefset_Language\S*Snapshot\S*\.txt", _language, LANGUAGE),
        *_parts(sources, r"x?sct2_Description_Snapshot\S*\.txt", _description, DESCRIPTIONS),
        *_parts(sources, r"x?sct2_Concept_Snapshot_.*\.txt", _concept, CONCEPTS),
        *_parts(sources, r"x?sct2_Relationship_Snapshot_.*\.txt", _relationship, RELATIONSHIPS),
    ]
    edition, date = told(concepts[-1], r"Snapshot_([A-Z]+\d*)_\d{8}"), told(concepts[-1], r"_(\d{8})\.txt")
    module = MODULES.get(edition or "", MODULES["INT"])
    stated = version or (f"{URL}/{module}/version/{date}" if date else "unknown")
    yield Release("SNOMED CT", URL, stated, parts, hierarchy=True, named_by_preference=True, uses=(SYNONYM, FULLY_SPECIFIED))


def _parts(sources: Sequence[Source], pattern: str, parse: object, columns: Sequence[str]) -> list[Part]:
    return [Part(source.name, source, parse, "tab", columns) for source in named(sources, pattern)]  # type: ignore[arg-type]


def _language(fields: Fields) -> Iterable[Row]:
    """Which names are the preferred ones."""
    active, description, acceptability = fields
    return [StagedRow("p", description)] if active == "1" and acceptability == PREFERRED else ()


def _description(fields: Fields) -> Iterable[Row]:
    id, active, concept, language, type, term = fields
    return [NameRow(concept, id, term, language, (URL, type, USES.get(type)))] if active == "1" else ()


def _concept(fields: Fields) -> Iterable[Row]:
    id, effective, active, module, status = fields
    yield ConceptRow(id, inactive=active != "1")
    yield PropertyRow(id, "effectiveTime", effective)
    yield PropertyRow(id, "moduleId", module, "Code")
    yield PropertyRow(id, "sufficientlyDefined", "true" if status == DEFINED else "false", "Boolean")


def _relationship(fields: Fields) -> Iterable[Row]:
    active, source, destination, type = fields
    if active != "1":
        return ()
    return [ParentRow(source, destination)] if type == IS_A else [PropertyRow(source, type, destination, "Code")]
