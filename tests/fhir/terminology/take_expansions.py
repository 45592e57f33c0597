"""Take the codes of the official R4 expansions into `expansions.json.gz`: `python -m tests.fhir.terminology.take_expansions FOLDER`.

FOLDER is the unpacked npm package hl7.fhir.r4.expansions 4.0.1 (CC0). Sets of SNOMED CT and LOINC that the package itself cuts off are left out.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).with_name("expansions.json.gz")
CUT_OFF = {"http://hl7.org/fhir/StructureDefinition/valueset-unclosed", "http://hl7.org/fhir/StructureDefinition/valueset-toocostly"}


def rows(contains: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in contains:
        yield row
        yield from rows(row.get("contains", []))


def taken(value_set: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows(value_set["expansion"].get("contains", [])):
        found.setdefault(row["system"].partition("|")[0], []).append(row["code"])
    return {system: sorted(codes) for system, codes in found.items()}


def main(folder: Path) -> None:
    sets = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("ValueSet-*.json"))]
    table = {
        f"{one['url']}|{one['version']}": {"cut": any(e["url"] in CUT_OFF for e in one["expansion"].get("extension", [])), "codes": taken(one)}
        for one in sets
    }
    for one in table.values():
        if one["cut"] or any(len(codes) >= 1000 for codes in one["codes"].values()):
            one.update(cut=True, codes={})
    OUT.write_bytes(gzip.compress(json.dumps(table, separators=(",", ":"), sort_keys=True).encode(), 9, mtime=0))
    print(f"{len(table)} value sets, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
