"""Random queries over Synthea patients: what the database finds is what a plain reading in memory finds."""

from __future__ import annotations

import random
import re
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from openward.fhir.definitions import SearchParameter, search_parameters
from openward.fhir.json import loads
from openward.fhir.search import negation, search
from tests.conftest import outside
from tests.fhir.house import empty
from tests.fhir.search.oracle import Oracle, tokens, values
from tests.fhir.search.shelf import Shelf, everything

BUNDLES = 6
QUERIES = 500
SEED = 20261103

Pairs = list[tuple[str, str]]


def synthea(count: int) -> list[dict[str, Any]]:
    """The resources of a few Synthea bundles, references rewritten as a transaction would, each once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    with tarfile.open(outside("synthea") / "r4-100-patients-2020.tar.xz") as archive:
        members = [member for member in archive if member.name.endswith(".json") and "information" not in member.name.lower()]
        for member in members[:count]:
            text = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
            entries = loads(text).get("entry", [])
            names = {e["fullUrl"]: f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries}
            whole = loads(re.sub(r"urn:uuid:[0-9a-f-]{36}", lambda match, names=names: names.get(match.group(), match.group()), text))
            found.update({(r["resourceType"], r["id"]): r for r in (entry["resource"] for entry in whole.get("entry", []))})
    return list(found.values())


@pytest.fixture(scope="module")
def record(engine_url: str) -> Iterator[tuple[Shelf, Oracle]]:
    resources = synthea(BUNDLES)
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        shelf = Shelf(connection)
        shelf.put(*resources)
        connection.execute("analyze")
        yield shelf, Oracle(resources)


class Questions:
    """Random questions about what is on the shelf: every value asked for is made from one that is there, sometimes bent a little."""

    def __init__(self, oracle: Oracle, dice: random.Random) -> None:
        self.oracle = oracle
        self.dice = dice
        self.types = sorted(oracle.by_type)

    def ask(self) -> tuple[str, Pairs]:
        type = self.dice.choice(self.types)
        shape = self.dice.random()
        if shape < 0.12 and (chain := self._chain(type)):
            return type, [chain]
        if shape < 0.24 and (has := self._has()):
            return has
        return type, [pair for pair in (self._filter(type) for _ in range(self.dice.choice((1, 1, 2, 3)))) if pair]

    def _filter(self, type: str) -> tuple[str, str] | None:
        resource = self.dice.choice(self.oracle.by_type[type])
        kinds = search_parameters(type).values()
        asked = [
            p for p in kinds if p.type in MAKERS and p.code not in ("_lastUpdated", "phonetic", "near") and (p.components or values(p, resource))
        ]
        if not asked:
            return None
        parameter = self.dice.choice(asked)
        if self.dice.random() < 0.06 and parameter.code != "_id" and not parameter.components:
            return f"{parameter.code}:missing", self.dice.choice(("true", "false"))
        made = [
            value
            for value in (self._value(parameter, self.dice.choice(self.oracle.by_type[type])) for _ in range(self.dice.choice((1, 1, 1, 2))))
            if value
        ]
        return (self._name(parameter), ",".join(made)) if made else None

    def _name(self, parameter: SearchParameter) -> str:
        if parameter.type == "token" and parameter.code != "_id" and self.dice.random() < 0.1:
            return f"{parameter.code}:not"
        if parameter.type == "string" and self.dice.random() < 0.4:
            return f"{parameter.code}:{self.dice.choice(('exact', 'contains'))}"
        return parameter.code

    def _value(self, parameter: SearchParameter, resource: Any) -> str | None:
        if parameter.components:
            return None
        found = values(parameter, resource)
        if not found:
            return None
        made = MAKERS[parameter.type](self.dice, *self.dice.choice(found))
        return made if made and not set(made) & set(",$\\") else None

    def _chain(self, type: str) -> tuple[str, str] | None:
        resource = self.dice.choice(self.oracle.by_type[type])
        references = [p for p in search_parameters(type).values() if p.type == "reference" and values(p, resource)]
        if not references:
            return None
        parameter = self.dice.choice(references)
        target = self.oracle.by_reference.get(values(parameter, resource)[0][1].get("reference", ""))
        inner = self._filter(target["resourceType"]) if target else None
        return (f"{parameter.code}:{target['resourceType']}.{inner[0]}", inner[1]) if target and inner else None

    def _has(self) -> tuple[str, Pairs] | None:
        source = self.dice.choice(self.types)
        resource = self.dice.choice(self.oracle.by_type[source])
        references = [p for p in search_parameters(source).values() if p.type == "reference" and values(p, resource)]
        inner = self._filter(source)
        if not references or not inner:
            return None
        parameter = self.dice.choice(references)
        target = values(parameter, resource)[0][1].get("reference", "").partition("/")[0]
        return (target, [(f"_has:{source}:{parameter.code}:{inner[0]}", inner[1])]) if target in self.types else None


def _token(dice: random.Random, datatype: str, value: Any) -> str | None:
    if isinstance(value, bool | str):
        return str(value).lower() if isinstance(value, bool) else value
    coding = dice.choice(value.get("coding") or [value])
    system, code = coding.get("system", ""), coding.get("code", "") or coding.get("value", "")
    if datatype == "ContactPoint" or not code:
        return None
    return dice.choice((f"{system}|{code}", code, f"{system}|", f"|{code}", f"urn:other|{code}"))


def _string(dice: random.Random, datatype: str, value: Any) -> str | None:
    if not isinstance(value, str):
        parts = [part for key in ("family", "given", "line", "city", "state") for part in _list(value.get(key))]
        if not parts:
            return None
        value = dice.choice(parts)
    cut = value[: dice.choice((1, 2, 4, 100))].strip()
    return dice.choice((cut, cut.upper(), cut[1:] or cut))


def _list(part: Any) -> list[str]:
    return [part] if isinstance(part, str) else part or []


def _date(dice: random.Random, datatype: str, value: Any) -> str | None:
    text = value if isinstance(value, str) else value.get("start") or value.get("end")
    if not isinstance(text, str):
        return None
    cut = dice.choice((text[:4], text[:7], text[:10], text))
    return dice.choice(("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")) + cut


def _quantity(dice: random.Random, datatype: str, value: Any) -> str | None:
    number = value.get("value")
    if number is None or datatype == "Money":
        return None
    text = dice.choice((f"{number}", f"{float(number):.1f}", f"{float(number):.0f}"))
    unit = dice.choice(("", f"|{value.get('system', '')}|{value.get('code', '')}", f"||{value.get('code') or value.get('unit', '')}"))
    return dice.choice(("", "eq", "ne", "gt", "lt", "ge", "le")) + text + unit


def _reference(dice: random.Random, datatype: str, value: Any) -> str | None:
    reference = value.get("reference", "") if isinstance(value, dict) else ""
    return dice.choice((reference, reference.rpartition("/")[2])) if "/" in reference and ":" not in reference else None


MAKERS: dict[str, Callable[[random.Random, str, Any], str | None]] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "quantity": _quantity,
    "reference": _reference,
}


def found(shelf: Shelf, type: str, params: Pairs) -> set[str]:
    """All pages' ids."""
    ids: list[str] = []
    cursor: Pairs = []
    while True:
        page = search(shelf.connection, 1, type, [*params, ("_count", "1000"), *cursor], where=everything, strict=True)
        ids += [version.id for version in page.matches]
        if page.next is None:
            assert len(ids) == len(set(ids))
            return set(ids)
        cursor = [("_cursor", page.next)]


def test_random_queries_find_what_a_plain_reading_finds(record: tuple[Shelf, Oracle]) -> None:
    shelf, oracle = record
    questions = Questions(oracle, random.Random(SEED))
    asked = matched = 0
    while asked < QUERIES:
        type, params = questions.ask()
        if not params:
            continue
        expected = oracle.ids(type, params)
        assert found(shelf, type, params) == expected, f"{type}?{params}"
        asked, matched = asked + 1, matched + bool(expected)
    assert matched > QUERIES / 2, "most questions should have an answer"


@pytest.fixture(params=[(negation.COMMON, negation.WALKED), (0, 0.001)], ids=["as the planner guesses", "always from the other values"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negation, "COMMON", request.param[0])
    monkeypatch.setattr(negation, "WALKED", request.param[1])


@pytest.mark.usefixtures("way")
def test_what_has_not_the_commonest_codes_of_each_parameter_is_what_a_plain_reading_finds(record: tuple[Shelf, Oracle]) -> None:
    shelf, oracle = record
    for type, code, wanted in _commonest(oracle):
        assert found(shelf, type, [(f"{code}:not", wanted)]) == oracle.ids(type, [(f"{code}:not", wanted)]), f"{type}?{code}:not={wanted}"


def _commonest(oracle: Oracle) -> Iterator[tuple[str, str, str]]:
    """Of each token parameter: the commonest code, and all but the rarest."""
    for type, resources in oracle.by_type.items():
        for parameter in search_parameters(type).values():
            if parameter.type == "token" and parameter.paths:
                met = Counter(
                    code for resource in resources for one in values(parameter, resource) for _, code in tokens(one) if code and isinstance(code, str)
                )
                codes = [code for code, _ in met.most_common(20) if not set(code) & set(",$\\|")]
                for wanted in {",".join(codes[:1]), ",".join(codes[:-1])} - {""}:
                    yield type, parameter.code, wanted


def test_what_lacks_each_parameter_is_what_a_plain_reading_finds(record: tuple[Shelf, Oracle]) -> None:
    shelf, oracle = record
    for type in oracle.by_type:
        for parameter in search_parameters(type).values():
            if parameter.paths and not parameter.components and parameter.type != "special" and parameter.code != "_lastUpdated":
                for missing in ("true", "false"):
                    asked = [(f"{parameter.code}:missing", missing)]
                    assert found(shelf, type, asked) == oracle.ids(type, asked), f"{type}?{asked}"


COMPOSITES = ("8302-2$gt170", "http://loinc.org|8302-2$le170||cm", "8480-6$gt130", "8462-4$lt80|http://unitsofmeasure.org|mm[Hg]", "8480-6$lt80")


@pytest.mark.parametrize("code", ["code-value-quantity", "component-code-value-quantity", "combo-code-value-quantity"])
@pytest.mark.parametrize("value", COMPOSITES)
def test_composites_find_what_a_plain_reading_finds(record: tuple[Shelf, Oracle], code: str, value: str) -> None:
    shelf, oracle = record
    assert found(shelf, "Observation", [(code, value)]) == oracle.ids("Observation", [(code, value)])
