"""Write the table of unit facts this package loads, from the official `ucum-essence.xml`.

    python -m openward.fhir.ucum.generate UCUM_ESSENCE_XML

Facts only: codes, powers, factors, the function of a special unit. No names, descriptions or notes. The same file gives the same bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, parse  # noqa: S405  the file is one the developer names

SPACE = {"u": "http://unitsofmeasure.org/ucum-essence"}
NOTICE = (
    "Codes and factors are facts of the Unified Code for Units of Measure (UCUM), version {version}, "
    "Copyright 1999-2024 Regenstrief Institute, Inc. All rights reserved. UCUM is licensed under the UCUM License, version 1.1, "
    "https://unitsofmeasure.org/license; it comes AS IS, without warranties or conditions of any kind. "
    "This table is not the UCUM specification; the specification at https://ucum.org is authoritative."
)


def facts(root: Element) -> dict[str, Any]:
    return {
        "notice": NOTICE.format(version=root.get("version")),
        "prefixes": {p.get("Code"): _value(p).get("value") for p in root.findall("u:prefix", SPACE)},
        "base": [b.get("Code") for b in root.findall("u:base-unit", SPACE)],
        "units": {u.get("Code"): _unit(u) for u in root.findall("u:unit", SPACE)},
    }


def _value(element: Element) -> Element:
    value = element.find("u:value", SPACE)
    if value is None:
        raise ValueError(f"{element.get('Code')} has no value")
    return value


def _unit(unit: Element) -> list[Any]:
    """`[is metric, is arbitrary, factor, unit]`, and for a special unit its function."""
    value = _value(unit)
    function = value.find("u:function", SPACE)
    flags = [int(unit.get("isMetric") == "yes"), int(unit.get("isArbitrary") == "yes")]
    if function is None:
        return [*flags, value.get("value"), value.get("Unit")]
    return [*flags, function.get("value"), function.get("Unit"), function.get("name")]


def generate(source: Path) -> None:
    table = facts(parse(source).getroot())  # noqa: S314
    rows = ",\n".join(f"  {json.dumps(code)}: {json.dumps(row)}" for code, row in table.pop("units").items())
    head = json.dumps(table, indent=1).removesuffix("\n}")
    Path(__file__).with_name("units.json").write_text(f'{head},\n "units": {{\n{rows}\n }}\n}}\n', "utf-8")


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
