"""Facts from elsewhere as CodeSystem tables: languages, countries, states, ICD-10-CM, HCPCS, and what the official expansions tell of code systems
that no package carries."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openward.fhir.terminology.shipping.compile_systems import Table

RACE = "urn:oid:2.16.840.1.113883.6.238"
FREE_IN_EXPANSIONS = {"http://hl7.org/fhir/sid/cvx": "fragment", "urn:iso:std:iso:4217": "complete", "urn:oid:1.2.36.1.2001.1005.17": "fragment"}
EXPANSION_NAMES = {
    "http://hl7.org/fhir/sid/cvx": "CVX", "urn:iso:std:iso:4217": "ISO4217", "urn:oid:1.2.36.1.2001.1005.17": "AIRVaccineCodes",
}  # fmt: skip
STATES = (
    "AL Alabama,AK Alaska,AS American Samoa,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,DC District of Columbia,"
    "FM Federated States of Micronesia,FL Florida,GA Georgia,GU Guam,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,IA Iowa,KS Kansas,KY Kentucky,"
    "LA Louisiana,ME Maine,MH Marshall Islands,MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,MS Mississippi,MO Missouri,MT Montana,NE Nebraska,"
    "NV Nevada,NH New Hampshire,NJ New Jersey,NM New Mexico,NY New York,NC North Carolina,ND North Dakota,MP Northern Mariana Islands,OH Ohio,"
    "OK Oklahoma,OR Oregon,PW Palau,PA Pennsylvania,PR Puerto Rico,RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,UT Utah,"
    "VT Vermont,VI Virgin Islands,VA Virginia,WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming,"
    "AE Armed Forces Europe, the Middle East, and Canada,AP Armed Forces Pacific,AA Armed Forces Americas"
)


def plain(url: str, name: str, version: str, rows: Iterable[tuple[str, str]], **more: Any) -> Table:
    listed = list(dict(rows).items())
    made = {"url": url, "version": version, "name": name, "package": "other", "content": "complete", "sensitive": True}
    return {**made, "codes": [code for code, _ in listed], "displays": [display for _, display in listed], **more}


def states() -> Table:
    """https://pe.usps.com/text/pub28/28apb.htm"""
    parts = STATES.replace(", the Middle East, and", "; the Middle East; and").split(",")
    return plain("https://www.usps.com/", "USPSState", "2026", [(part[:2], part[3:].replace(";", ",")) for part in parts])


def countries(package: Path) -> Table:
    """ISO 3166-1: two letters, three letters and numbers are all codes of `urn:iso:std:iso:3166`. From npm `i18n-iso-countries` (MIT)."""
    names = json.loads((package / "langs" / "en.json").read_text("utf-8"))["countries"]
    rows = json.loads((package / "codes.json").read_text("utf-8"))
    named = [(row, names[row[0]] if isinstance(names[row[0]], str) else names[row[0]][0]) for row in rows if row[0] in names]
    listed = [(row[column], name) for column in (0, 1, 2) for row, name in named]
    return plain("urn:iso:std:iso:3166", "ISO3166", "2020", listed)


def languages(package: Path) -> dict[str, dict[str, str]]:
    """Subtags of the IANA registry by kind: {kind: {subtag: name}}. From npm `language-subtag-registry` (CC0)."""
    found: dict[str, dict[str, str]] = {}
    for entry in json.loads((package / "data" / "json" / "registry.json").read_text("utf-8")):
        tag = entry.get("Subtag") or entry.get("Tag")
        if tag and ".." not in tag:
            found.setdefault(entry["Type"], {})[tag.lower()] = entry["Description"][0]
    return {kind: found[kind] for kind in ("language", "extlang", "script", "region", "variant", "grandfathered")}


def icd10cm() -> Table:
    """ICD-10-CM, chapters and blocks included, from the package simple-icd-10-cm (public domain data)."""
    import simple_icd_10_cm as source

    codes = list(dict.fromkeys(source.get_all_codes(with_dots=True)))  # a block of one category has its code
    numbers = {code: number for number, code in enumerate(codes)}
    parents = {str(numbers[code]): [numbers[parent]] for code in codes if (parent := source.get_parent(code)) and parent != code}
    displays = [source.get_description(code) for code in codes]
    abstract = {str(number): [True] for number, code in enumerate(codes) if "-" in code or source.is_chapter(code)}
    listed = plain("http://hl7.org/fhir/sid/icd-10-cm", "ICD10CM", "2026", zip(codes, displays, strict=True))
    return {
        **listed,
        "title": "ICD-10-CM",
        "sensitive": False,
        "meaning": "is-a",
        "parents": parents,
        "properties": {"notSelectable": ["Boolean", abstract]},
    }


def hcpcs(file: Path) -> Table:
    """HCPCS Level II of CMS; the dental codes (D), which belong to the ADA, are not part of it."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = [
            (row["hcpcs"], row["long_description"])
            for row in csv.DictReader(lines)
            if row["recid"] in ("3", "7") and not row["hcpcs"].startswith("D")
        ]
    return plain("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "HCPCS", "2022", rows, title="HCPCS Level II", sensitive=False)


def race_and_ethnicity(systems: Iterable[Table]) -> Table:
    """CDC Race and Ethnicity: the codes HL7 publishes of it as v3-Race and v3-Ethnicity."""
    rows = [
        (code, display)
        for table in systems
        if table["package"] == "r4" and table["url"].rpartition("/")[2] in ("v3-Race", "v3-Ethnicity")
        for code, display in zip(table["codes"], table["displays"], strict=True)
    ]
    return plain(RACE, "CDCREC", "1.0", rows, title="CDC Race and Ethnicity", content="fragment", sensitive=False)


def from_expansions(value_sets: Iterable[Mapping[str, Any]]) -> Iterator[Table]:
    """Code systems that only the official expansions show."""
    rows: dict[str, dict[str, str]] = {url: {} for url in FREE_IN_EXPANSIONS}
    for value_set in value_sets:
        for entry in value_set.get("expansion", {}).get("contains", ()):
            if entry.get("system") in rows:
                rows[entry["system"]].setdefault(entry["code"], entry.get("display", entry["code"]))
    for url, listed in rows.items():
        yield plain(url, EXPANSION_NAMES[url], "2018", listed.items(), content=FREE_IN_EXPANSIONS[url])
