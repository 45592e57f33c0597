"""An export of which something does not open goes on without it, and names it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from openward.fhir.ids import key
from openward.fhir.protocols import Where
from openward.fhir.store import Store
from tests.fhir.bulk.conftest import Bulk
from tests.fhir.bulk.test_export import exported, lines, names, path_of
from tests.fhir.house import House, TablePolicy, plain_keys
from tests.fhir.http.client import Client

SSN = "http://hl7.org/fhir/sid/us-ssn"
DAMAGE = """update fhir.body set body = regexp_replace(body, '("\\\\/test\\.).{20}', '\\1AAAAAAAAAAAAAAAAAAAA') where id = any(%s)"""

HIDDEN = Where("c.rkey <> %(policy_hidden)s", {"policy_hidden": key("Patient", "ben")})


@pytest.fixture(autouse=True)
def keys() -> Any:
    with plain_keys():
        yield


@pytest.fixture
def ward(store: Store, house: House) -> Store:
    """Three patients with numbers, of whom one's is damaged, one without, and two documents, one of them damaged."""
    for number, id in enumerate(("ada", "ben", "cy")):
        store.update({"resourceType": "Patient", "id": id, "identifier": [{"system": SSN, "value": f"999-12-000{number}"}], "gender": "other"})
    store.update({"resourceType": "Patient", "id": "dee", "gender": "other"})
    for id in ("scan", "photo"):
        store.update({"resourceType": "Binary", "id": id, "contentType": "text/plain", "data": base64.b64encode(id.encode()).decode()})
    with house.connect() as connection:
        assert connection.execute(DAMAGE, [["ben", "scan"]]).rowcount == 2
    return store


def said(outcomes: list[dict[str, Any]]) -> set[str]:
    return {outcome["issue"][0]["diagnostics"].partition(" ")[0] for outcome in outcomes}


class TestAnExport:
    def test_holds_all_that_opens_and_counts_it(self, ward: Store, call: Client, bulk: Bulk) -> None:
        manifest = exported(call, bulk)
        assert names(lines(call, manifest)) == {"Patient/ada", "Patient/cy", "Patient/dee", "Binary/photo"}

    def test_names_in_its_error_files_what_does_not(self, ward: Store, call: Client, bulk: Bulk) -> None:
        manifest = exported(call, bulk)
        assert {entry["type"] for entry in manifest["error"]} == {"OperationOutcome"}
        found = lines(call, manifest, "error")
        assert [one["resourceType"] for one in found] == ["OperationOutcome", "OperationOutcome"]
        assert said(found) == {"Patient/ben", "Binary/scan"}

    def test_cut_to_elements_does_the_same(self, ward: Store, call: Client, bulk: Bulk) -> None:
        manifest = exported(call, bulk, "/$export?_type=Patient&_elements=gender")
        assert names(lines(call, manifest)) == {"Patient/ada", "Patient/cy", "Patient/dee"}
        assert said(lines(call, manifest, "error")) == {"Patient/ben"}

    def test_of_which_nothing_opens_has_error_files_only(self, ward: Store, house: House, call: Client, bulk: Bulk) -> None:
        with house.connect() as connection:
            connection.execute(DAMAGE, [["photo"]])
        manifest = exported(call, bulk, "/$export?_type=Binary")
        assert manifest["output"] == []
        assert said(lines(call, manifest, "error")) == {"Binary/scan", "Binary/photo"}

    def test_of_which_all_opens_has_none(self, store: Store, call: Client, bulk: Bulk) -> None:
        store.update({"resourceType": "Patient", "id": "ada", "identifier": [{"system": SSN, "value": "1"}], "gender": "other"})
        assert exported(call, bulk)["error"] == []

    def test_in_small_chunks_names_each_once(self, ward: Store, call: Client, bulk: Bulk) -> None:
        bulk.limits = type(bulk.limits)(poll_seconds=0.0, chunk_bytes=1, file_bytes=200)
        manifest = exported(call, bulk)
        assert names(lines(call, manifest)) == {"Patient/ada", "Patient/cy", "Patient/dee", "Binary/photo"}
        assert sorted(said(lines(call, manifest, "error"))) == ["Binary/scan", "Patient/ben"]
        assert sum(entry["count"] for entry in manifest["error"]) == 2

    def test_names_nobody_the_client_may_not_export(self, ward: Store, call: Client, bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(TablePolicy, "where", lambda *_: HIDDEN)
        assert exported(call, bulk, "/$export?_type=Patient")["error"] == []

    def test_does_not_give_its_error_file_to_who_may_not_see_the_record_any_more(
        self, ward: Store, call: Client, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifest = exported(call, bulk, "/$export?_type=Patient")
        file = path_of(manifest["error"][0]["url"])
        assert call("GET", file, token="all").status == 200
        monkeypatch.setattr(TablePolicy, "where", lambda *_: HIDDEN)
        assert call("GET", file, token="all").status == 404

    def test_is_on_record_as_failed_for_these(self, ward: Store, house: House, call: Client, bulk: Bulk) -> None:
        exported(call, bulk)
        with house.connect() as connection:
            found = connection.execute("select type from heard where interaction = 'export' and outcome = 8 order by type").fetchall()
        assert [row[0] for row in found] == ["Binary", "Patient"]
