"""What terminology is here, in which version and how much, and what is lacking and therefore not checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.terminology.shipping.archive import entries
from openward.fhir.terminology.systems.grammar import GRAMMARS

LACKED = {
    "http://snomed.info/sct": ("SNOMED CT", "problems, findings, body sites, procedures and allergies coded in it", "the RF2 snapshot of the US edition, from UMLS"),
    "http://loinc.org": ("LOINC", "laboratory and vital-sign codes beyond those a value set lists", "the LOINC table release, from loinc.org"),
    "http://www.nlm.nih.gov/research/umls/rxnorm": ("RxNorm", "drug codes", "RxNorm_full (RRF), from UMLS"),
    "http://www.ama-assn.org/go/cpt": ("CPT", "procedure codes of the AMA", "the AMA's tab-separated descriptor files"),
}  # fmt: skip
PARTIAL = {"http://hl7.org/fhir/sid/cvx": ("CVX", "vaccine codes newer than FHIR R4", "cvx.txt, from the CDC")}
NOTABLE = (
    "http://hl7.org/fhir/sid/icd-10-cm",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "http://hl7.org/fhir/sid/cvx",
    "urn:iso:std:iso:3166",
)

LOADED = """select tenant, kind, coalesce(about ->> 'title', about ->> 'name', url), url, version, concepts, state, source from fhir.canonical
  where tenant = any(%s) and kind = 'S' order by 3, at"""
RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Here:
    """A code system that is here. `where`: ships, loaded, loading (a load that was not finished), a package, or record."""

    title: str
    url: str
    version: str | None
    concepts: int | None
    where: str


@dataclass(frozen=True, slots=True)
class Lacking:
    title: str
    url: str
    unchecked: str
    wanted: str


def here(connection: Connection[Any], tenant: int) -> list[Here]:
    """What was loaded or written, then what ships: the larger ones by name, all others as one line."""
    found = []
    for owner, _, title, url, version, concepts, state, source in Cursor(connection, row_factory=tuple_row).execute(LOADED, ([0, tenant],)):
        is_ready = state in ("r", b"r")
        where = ("loaded" if is_ready else "loading") if source == RELEASE else source or ("record" if owner else "shared")
        found.append(Here(title, url, version, concepts, where))
    return [*found, *_shipped()]


def _shipped() -> list[Here]:
    table = entries("systems")
    notable = [Here(str(table[url][0].more[4]), url, table[url][0].version, table[url][0].more[2], "ships") for url in NOTABLE]
    grammars = [Here(one.name, one.url, one.version, None, "ships, by its grammar") for one in GRAMMARS.values()]
    rest = [entry for url, listed in table.items() if url not in NOTABLE for entry in listed[:1]]
    return [
        *notable,
        *grammars,
        Here(f"{len(rest):,} code systems of FHIR, HL7 v2, v3, THO and US Core", "", None, sum(one.more[2] for one in rest), "ships"),
    ]


def lacking(connection: Connection[Any], tenant: int) -> Sequence[Lacking]:
    """The terminologies a clinic in the United States uses that are not here, or not whole."""
    sql = "select url from fhir.canonical where tenant = any(%s) and kind = 'S' and state = 'r' and about ->> 'content' = 'complete'"
    whole = {row[0] for row in Cursor(connection, row_factory=tuple_row).execute(sql, ([0, tenant],))}
    return [Lacking(title, url, unchecked, wanted) for url, (title, unchecked, wanted) in {**LACKED, **PARTIAL}.items() if url not in whole]
