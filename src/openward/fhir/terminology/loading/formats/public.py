"""What the United States publish for everyone: the ICD-10-CM order file, HCPCS Level II, CVX.

https://www.cms.gov/medicare/coding-billing/icd-10-codes, https://www.cms.gov/medicare/coding-billing/healthcare-common-procedure-system,
https://www2.cdc.gov/vaccines/iis/iisstandards/vaccines.asp?rpt=cvx
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openward.fhir.terminology.loading.formats import named, told
from openward.fhir.terminology.loading.release import ConceptRow, Fields, NameRow, Part, PropertyRow, Release, Row, StagedRow
from openward.fhir.terminology.loading.sources import Source

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CVX = "http://hl7.org/fhir/sid/cvx"
TABLE = ("hcpcs", "recid", "long_description", "short_description")
FIRST_LINE, FURTHER_LINE = {"3", "7"}, {"4", "8"}
"""HCPCS: a record is the first line of a procedure or a modifier, or continues one."""


def releases(sources: Sequence[Source], version: str | None) -> Iterator[Release]:
    for one in named(sources, r"icd10cm[-_]order[-_].*\.txt")[:1]:
        part = Part(one.name, one, _icd, "line")
        yield Release("ICD-10-CM", ICD10CM, version or told(one, r"(20\d\d)") or "unknown", [part], case_sensitive=False, hierarchy=True)
    for one in [*named(sources, r"HCPC\d{4}.*\.txt"), *named(sources, r"hcpcs.*\.csv")][:1]:
        part = Part(one.name, one, _hcpcs, "line") if one.name.lower().endswith(".txt") else Part(one.name, one, _hcpcs_row, "csv", TABLE)
        yield Release("HCPCS Level II", HCPCS, version or told(one, r"(20\d\d)") or "unknown", [part], case_sensitive=False)
    for one in named(sources, r"cvx.*\.txt")[:1]:
        yield Release("CVX", CVX, version or told(one, r"(20\d{6}|20\d\d-\d\d-\d\d)") or "unknown", [Part(one.name, one, _cvx, "pipe")])


def _icd(fields: Fields) -> Iterable[Row]:
    """Fixed places: code in 7-13, whether it can be billed in 15, short text in 17-76, long text from 78."""
    line = fields[0]
    bare, billable, short, long = line[6:13].strip(), line[14:15], line[16:76].strip(), line[77:].strip()
    if not bare or billable not in ("0", "1"):
        return
    code = dotted(bare)
    yield ConceptRow(code, long or short)
    yield PropertyRow(code, "billable", "true" if billable == "1" else "false", "Boolean")
    if short and short != long:
        yield NameRow(code, "short", short, "en", (None, "short", None))
    # The nearest shorter code that exists is the parent; every shorter one is offered, and finishing keeps the longest.
    yield from (StagedRow("a", f"{code}|{dotted(bare[:length])}") for length in range(3, len(bare)))


def dotted(bare: str) -> str:
    return f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare


def _hcpcs(fields: Fields) -> Iterable[Row]:
    """Fixed places: code in 1-5, kind of record in 11, long text in 12-91, short text in 92-119."""
    line = fields[0]
    code, number, kind, long = line[:5].strip(), line[5:10].strip(), line[10:11], line[11:91].strip()
    if kind in FURTHER_LINE and code and long:
        return [StagedRow("c", f"{code}|{number}", long)]
    return _item(code, kind, long, line[91:119].strip())


def _hcpcs_row(fields: Fields) -> Iterable[Row]:
    return _item(*fields)


def _item(code: str, kind: str, long: str, short: str) -> Iterator[Row]:
    if code and kind in FIRST_LINE:
        yield ConceptRow(code, long or short)
        if short and short != long:
            yield NameRow(code, "short", short, "en", (None, "short", None))


def _cvx(fields: Fields) -> Iterable[Row]:
    """Code, short name, full name, notes, status."""
    if len(fields) < 5 or not fields[0].strip().isdigit():
        return
    code, short, full, notes, status = (field.strip() for field in fields[:5])
    yield ConceptRow(code, short, notes or None, inactive=status.lower() == "inactive")
    yield PropertyRow(code, "VaccineStatus", status)
    if full and full != short:
        yield NameRow(code, "full", full, "en", (None, "full", None))
