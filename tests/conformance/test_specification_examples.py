"""Every example of the R4 specification: valid or wrong as docs/conformance.md says, stored and read back, and through XML and back.

npm `hl7.fhir.r4.examples`, which `make setup-test` brings; of the package, all but the definitions that R4 itself is made of.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from openward.database import open_database
from openward.fhir.errors import Invalid
from openward.fhir.json import dumps, loads
from openward.fhir.store import Store
from openward.fhir.validation import validate
from openward.fhir.xml import from_xml, to_xml
from tests.fhir.house import House, make_schema

TESTS = Path(__file__).resolve().parents[1]
EXAMPLES = TESTS / "node_modules" / "hl7.fhir.r4.examples"
DOCUMENT = TESTS.parent / "docs" / "conformance.md"
DEFINITIONS = (
    "CapabilityStatement-", "CodeSystem-", "CompartmentDefinition-", "ConceptMap-", "NamingSystem-", "OperationDefinition-", "SearchParameter-",
    "StructureDefinition-", "StructureMap-", "ValueSet-", "package.json",
)  # fmt: skip
NAMES = sorted(path.name for path in EXAMPLES.glob("*.json") if not path.name.startswith((".", *DEFINITIONS)))
ROW = re.compile(r"^\| `([\w.\-]+\.json)` \| (.+) \| .+ \|$", re.MULTILINE)
WRONG = {file: set(re.findall(r"`([^`]+)`", places)) for file, places in ROW.findall(DOCUMENT.read_text(encoding="utf-8"))}
# By module: all tests of one example come one after the other, and it is read once.
example = pytest.mark.parametrize("name", NAMES or [pytest.param("", id="absent")], scope="module")


@lru_cache(maxsize=1)
def read(name: str) -> dict[str, Any]:
    if not name:
        pytest.skip("OUTSIDE DATA ABSENT: the examples of the specification are not there; `make setup-test` brings them; this test proved nothing")
    return loads((EXAMPLES / name).read_bytes())


def written(value: Any) -> bytes:
    """The same content, the same bytes: digits kept, the order of keys left out."""

    def sorted_(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: sorted_(value[name]) for name in sorted(value)}
        return [sorted_(one) for one in value] if isinstance(value, list) else value

    return dumps(sorted_(value))


@pytest.fixture(scope="module")
def store(worker_id: str) -> Iterator[Store]:
    """A record of its own. References are not enforced: an example stands alone."""
    parameters = open_database(Path(os.environ["OPENWARD_DATA"])).parameters
    name = f"examples_{worker_id}"
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f"drop database if exists {name} with (force)".encode())
        connection.execute(f"create database {name}".encode())
    house = House(make_conninfo(**{**parameters, "dbname": name}))
    make_schema(house.connect())
    yield house.store(strict=False)
    house.close()


def test_they_are_all_there() -> None:
    if not NAMES:
        pytest.skip("OUTSIDE DATA ABSENT: the examples of the specification are not there; `make setup-test` brings them; this test proved nothing")
    assert len(NAMES) == 728
    assert WRONG.keys() <= set(NAMES)


@example
def test_it_is_valid_unless_it_is_known_to_be_wrong(name: str) -> None:
    """A listed example that passes fails the test as well: the list only shrinks."""
    found = {re.sub(r"\[\d+\]", "[*]", issue.expression or "") for issue in validate(read(name)) if issue.severity in ("error", "fatal")}
    assert found == WRONG.get(name, set())


@example
def test_it_comes_back_the_same_through_xml(name: str) -> None:
    assert written(from_xml(to_xml(read(name)))) == written(read(name))


@example
def test_it_is_stored_and_read_back_the_same_or_refused(name: str, store: Store) -> None:
    resource = read(name)
    if name in WRONG:
        with pytest.raises(Invalid):
            store.create(resource)
        return
    stored = store.update(resource) if "id" in resource else store.create(resource)
    back = dict(store.read(stored.data["resourceType"], stored.data["id"]).data)
    meta = {key: value for key, value in back.pop("meta").items() if key not in ("versionId", "lastUpdated")}
    sent = {key: value for key, value in resource.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    assert written({**back, "meta": meta}) == written({"id": back["id"], **resource, "meta": sent})
