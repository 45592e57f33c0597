"""`$export` over HTTP: what goes out, to whom, and what does not."""

from __future__ import annotations

import gzip
import json
from types import ModuleType
from typing import Any

import pytest
from psycopg.errors import LockNotAvailable

from openward.fhir.bulk import exports, imports
from openward.fhir.ids import key
from openward.fhir.protocols import Where
from openward.fhir.store import Store
from openward.fhir.virtual import VIRTUAL
from tests.fhir.bulk.conftest import Bulk
from tests.fhir.house import House, TablePolicy
from tests.fhir.http.client import Answer, Client

ASYNC = {"prefer": "respond-async"}
NDJSON = {"accept": "application/fhir+ndjson"}


def path_of(url: str) -> str:
    return url.removeprefix("https://clinic.test/fhir")


def kick_off(call: Client, path: str = "/$export", token: str = "all", **headers: str) -> Answer:
    return call("GET", path, token=token, **{**ASYNC, **headers})


def exported(call: Client, bulk: Bulk, path: str = "/$export", token: str = "all") -> dict[str, Any]:
    """The manifest of an export asked for and worked through."""
    begun = kick_off(call, path, token)
    assert begun.status == 202, begun.body
    bulk.work()
    status = call("GET", path_of(begun.headers["Content-Location"]), token=token)
    assert status.status == 200, status.body
    manifest: dict[str, Any] = status.json
    return manifest


def lines(call: Client, manifest: dict[str, Any], kind: str = "output", token: str = "all") -> list[dict[str, Any]]:
    found = []
    for entry in manifest[kind]:
        taken = call("GET", path_of(entry["url"]), token=token, **NDJSON)
        assert taken.status == 200
        assert taken.headers["Content-Type"] == "application/fhir+ndjson"
        resources = [json.loads(line) for line in taken.body.splitlines()]
        assert len(resources) == entry["count"]
        found += resources
    return found


def names(resources: list[dict[str, Any]]) -> set[str]:
    return {f"{resource['resourceType']}/{resource['id']}" for resource in resources}


def said_of(id: str, target: str, year: str = "2020") -> dict[str, Any]:
    agent = [{"who": {"reference": "Practitioner/doc"}}]
    return {"resourceType": "Provenance", "id": id, "target": [{"reference": target}], "recorded": f"{year}-01-01T00:00:00Z", "agent": agent}


@pytest.fixture
def ward(store: Store) -> Store:
    """Two patients with an observation each, a third without, a group of the first, and a practitioner."""
    for id in ("ada", "ben", "cy"):
        store.update({"resourceType": "Patient", "id": id, "name": [{"family": id.title()}], "gender": "other"})
    for id, subject, code in (("o1", "ada", "1-1"), ("o2", "ben", "2-2")):
        store.update(
            {
                "resourceType": "Observation",
                "id": id,
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "subject": {"reference": f"Patient/{subject}"},
            }
        )
    members = [{"entity": {"reference": "Patient/ada"}}, {"entity": {"reference": "Patient/cy"}, "inactive": True}]
    store.update({"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": members})
    store.update({"resourceType": "Practitioner", "id": "doc"})
    return store


class TestKickOff:
    def test_answers_202_with_where_to_ask(self, call: Client, bulk: Bulk, ward: Store) -> None:
        answer = kick_off(call)
        assert answer.status == 202
        assert answer.headers["Content-Location"].startswith("https://clinic.test/fhir/_export/")

    def test_by_post_takes_parameters(self, call: Client, bulk: Bulk, ward: Store) -> None:
        body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueString": "Practitioner"}]}
        begun = call("POST", "/$export", body, token="all", **ASYNC)
        bulk.work()
        manifest = call("GET", path_of(begun.headers["Content-Location"]), token="all").json
        assert names(lines(call, manifest)) == {"Practitioner/doc"}

    def test_without_respond_async_is_refused(self, call: Client, bulk: Bulk) -> None:
        assert call("GET", "/$export", token="all").status == 400

    @pytest.mark.parametrize(
        "query",
        [
            "_outputFormat=text/csv",
            "_type=Ghost",
            "_typeFilter=Observation",
            "_typeFilter=Observation?ghost=1",
            "_typeFilter=Observation?_sort=date",
            "_typeFilter=Observation?code:below=x",
            "_typeFilter=Observation?date=yesterday",
            "_typeFilter=Observation?code=1-1,Patient?ghost=1",
            "_typeFilter=Observation?code=1-1%26patient=",
            "_typeFilter=Observation?" + "%26".join(["code=1-1"] * 101),
            "_since=yesterday",
            "_elements=Patient.ghost",
            "organizeOutputBy=Patient",
            "includeAssociatedData=EverythingElse",
            "patient=Patient/ada",
            "ghost=1",
        ],
    )
    def test_refuses_what_it_cannot_do(self, call: Client, bulk: Bulk, query: str) -> None:
        assert kick_off(call, f"/$export?{query}").status == 400

    def test_refuses_a_type_that_is_made_when_asked_for(self, call: Client, bulk: Bulk, ward: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Bulk Data 2.0, _type: a server that does not export a type that is asked for SHOULD say so; an empty export says there is none."""
        monkeypatch.setitem(VIRTUAL, "AuditEvent", ward)
        assert kick_off(call, "/$export?_type=Practitioner,AuditEvent").status == 400
        assert kick_off(call, "/$export?_type=Practitioner,AuditEvent", prefer="respond-async, handling=lenient").status == 202

    def test_leaves_out_what_it_does_not_know_when_lenient(self, call: Client, bulk: Bulk) -> None:
        assert kick_off(call, "/$export?ghost=1&organizeOutputBy=Patient", prefer="respond-async, handling=lenient").status == 202

    def test_a_client_has_a_limited_number_of_unfinished_exports(self, call: Client, bulk: Bulk, ward: Store) -> None:
        assert [kick_off(call).status for _ in range(bulk.limits.running)] == [202] * bulk.limits.running
        refused = kick_off(call)
        assert refused.status == 429
        assert "Retry-After" in refused.headers
        assert kick_off(call, token="other").status == 202

    @pytest.mark.parametrize("kept", [exports, imports])
    def test_who_asks_twice_at_once_is_counted_one_after_the_other(self, house: House, kept: ModuleType) -> None:
        first, second = house.connect(), house.connect()
        second.execute("set lock_timeout = '100ms'")
        with first.transaction():
            assert kept.unfinished(first, 1, "all") == 0
            with pytest.raises(LockNotAvailable), second.transaction():
                kept.unfinished(second, 1, "all")
            with second.transaction():
                assert kept.unfinished(second, 1, "other") == 0


class TestOutput:
    def test_of_the_system_is_everything_once(self, call: Client, bulk: Bulk, ward: Store) -> None:
        found = lines(call, exported(call, bulk))
        assert names(found) == {
            "Patient/ada", "Patient/ben", "Patient/cy", "Observation/o1", "Observation/o2", "Group/g", "Practitioner/doc",
        }  # fmt: skip
        assert len(found) == 7

    def test_is_the_resource_as_a_read_gives_it(self, call: Client, bulk: Bulk, ward: Store) -> None:
        found = lines(call, exported(call, bulk, "/$export?_type=Practitioner"))
        assert found == [call("GET", "/Practitioner/doc", token="all").json]

    def test_of_patients_is_what_belongs_to_patients(self, call: Client, bulk: Bulk, ward: Store) -> None:
        found = names(lines(call, exported(call, bulk, "/Patient/$export")))
        assert {"Patient/ada", "Patient/ben", "Patient/cy", "Observation/o1", "Observation/o2"} <= found
        assert "Practitioner/doc" not in found

    def test_of_named_patients_is_theirs_alone(self, call: Client, bulk: Bulk, ward: Store) -> None:
        body = {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueReference": {"reference": "Patient/ben"}}]}
        begun = call("POST", "/Patient/$export", body, token="all", **ASYNC)
        bulk.work()
        manifest = call("GET", path_of(begun.headers["Content-Location"]), token="all").json
        assert names(lines(call, manifest)) == {"Patient/ben", "Observation/o2"}
        assert manifest["request"] == "https://clinic.test/fhir/Patient/$export"

    @pytest.mark.parametrize(("path", "id"), [("/Patient/$export", "nobody"), ("/Group/g/$export", "ben"), ("/Group/g/$export", "cy")])
    def test_a_patient_who_is_not_there_is_an_error_unless_lenient(self, call: Client, bulk: Bulk, ward: Store, path: str, id: str) -> None:
        named = [{"name": "patient", "valueReference": {"reference": f"Patient/{one}"}} for one in ("ada", id)]
        body = {"resourceType": "Parameters", "parameter": named}
        refused = call("POST", path, body, token="all", **ASYNC)
        assert (refused.status, f"Patient/{id} " in refused.issue["diagnostics"], "ada" in refused.issue["diagnostics"]) == (400, True, False)
        assert call("POST", path, body, token="all", prefer="respond-async, handling=lenient").status == 202

    def test_who_may_see_no_patients_is_not_told_who_is_there(self, call: Client, bulk: Bulk, ward: Store) -> None:
        body = {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueReference": {"reference": "Patient/nobody"}}]}
        assert call("POST", "/Group/g/$export", body, token="groups", **ASYNC).status == 202

    @pytest.mark.parametrize("whose", [{"identifier": {"value": "MRN1"}}, {"display": "Ben"}, {"reference": "Observation/o2"}])
    def test_a_patient_who_is_not_named_by_reference_is_not_nobody(self, call: Client, bulk: Bulk, ward: Store, whose: dict[str, Any]) -> None:
        body = {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueReference": whose}]}
        assert call("POST", "/Patient/$export", body, token="all", **ASYNC).status == 400

    def test_of_a_group_is_that_of_its_active_members(self, call: Client, bulk: Bulk, ward: Store) -> None:
        found = names(lines(call, exported(call, bulk, "/Group/g/$export?_type=Patient,Observation")))
        assert found == {"Patient/ada", "Observation/o1"}

    def test_a_group_that_is_not_there_is_404(self, call: Client, bulk: Bulk) -> None:
        assert kick_off(call, "/Group/ghost/$export").status == 404

    def test_a_filter_narrows_its_type_and_no_other(self, call: Client, bulk: Bulk, ward: Store) -> None:
        found = names(lines(call, exported(call, bulk, "/$export?_type=Observation,Practitioner&_typeFilter=Observation?code=2-2")))
        assert found == {"Observation/o2", "Practitioner/doc"}

    def test_several_filters_of_a_type_are_alternatives(self, call: Client, bulk: Bulk, ward: Store) -> None:
        path = "/$export?_type=Observation&_typeFilter=Observation?code=2-2&_typeFilter=Observation?code=1-1"
        assert names(lines(call, exported(call, bulk, path))) == {"Observation/o1", "Observation/o2"}

    @pytest.mark.parametrize("comma", [",", "%2C", ", "])
    def test_several_filters_may_stand_in_one_parameter(self, call: Client, bulk: Bulk, ward: Store, comma: str) -> None:
        """Bulk Data 1.0, _typeFilter: subqueries are joined with a comma for a logical or. Its clients go on writing them so."""
        path = f"/$export?_type=Observation,Practitioner&_typeFilter=Observation?code=2-2,9-9{comma}Observation?code=1-1"
        assert names(lines(call, exported(call, bulk, path))) == {"Observation/o1", "Observation/o2", "Practitioner/doc"}

    def test_elements_leave_the_rest_out_and_say_so(self, call: Client, bulk: Bulk, ward: Store) -> None:
        found = lines(call, exported(call, bulk, "/$export?_type=Patient&_elements=Patient.gender"))
        assert all("name" not in one and one["gender"] == "other" for one in found)
        assert all(one["meta"]["tag"][0]["code"] == "SUBSETTED" for one in found)

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ("LatestProvenanceResources", {"Provenance/new", "Provenance/of-ben"}),
            ("RelevantProvenanceResources", {"Provenance/old", "Provenance/new", "Provenance/of-ben"}),
        ],
    )
    def test_the_provenance_of_what_is_exported_comes_along(self, call: Client, bulk: Bulk, ward: Store, wanted: str, expected: set[str]) -> None:
        for id, target, at in (
            ("old", "Observation/o1", "2020"),
            ("new", "Observation/o1", "2021"),
            ("of-ben", "Observation/o2", "2020"),
            ("doc", "Practitioner/doc", "2020"),
        ):
            ward.update(said_of(id, target, at))
        found = names(lines(call, exported(call, bulk, f"/Patient/$export?_type=Observation&includeAssociatedData={wanted}")))
        assert {name for name in found if name.startswith("Provenance")} == expected
        assert {name for name in found if name.startswith("Observation")} == {"Observation/o1", "Observation/o2"}

    @pytest.mark.parametrize("query", ["", "?_type=Provenance", "?_type=Provenance,Patient"])
    def test_of_patients_is_the_provenance_of_all_that_is_theirs(self, call: Client, bulk: Bulk, ward: Store, query: str) -> None:
        for id, target in (
            ("ada", "Patient/ada"),
            ("o1", "Observation/o1"),
            ("before", "Observation/o1/_history/1"),
            ("o2", "Observation/o2"),
            ("doc", "Practitioner/doc"),
        ):
            ward.update(said_of(id, target))
        of_all = {name for name in names(lines(call, exported(call, bulk, f"/Patient/$export{query}"))) if name.startswith("Provenance")}
        of_group = {name for name in names(lines(call, exported(call, bulk, f"/Group/g/$export{query}"))) if name.startswith("Provenance")}
        assert of_all == {"Provenance/ada", "Provenance/o1", "Provenance/before", "Provenance/o2"}
        assert of_group == {"Provenance/ada", "Provenance/o1", "Provenance/before"}

    def test_provenance_that_was_deleted_since_is_told(self, call: Client, bulk: Bulk, ward: Store) -> None:
        ward.update(said_of("ada", "Patient/ada"))
        first = exported(call, bulk, "/Patient/$export?_type=Provenance")
        ward.delete("Provenance", "ada")
        second = exported(call, bulk, f"/Patient/$export?_type=Provenance&_since={first['transactionTime']}")
        assert "Provenance/ada" in json.dumps(lines(call, second, "deleted"))

    def test_since_leaves_out_what_is_older(self, call: Client, bulk: Bulk, ward: Store) -> None:
        first = exported(call, bulk)
        ward.update({"resourceType": "Patient", "id": "ben", "name": [{"family": "Changed"}]})
        assert names(lines(call, exported(call, bulk, f"/$export?_since={first['transactionTime']}"))) == {"Patient/ben"}

    def test_what_was_deleted_since_is_listed_as_deletions(self, call: Client, bulk: Bulk, ward: Store) -> None:
        first = exported(call, bulk)
        ward.delete("Practitioner", "doc")
        bundles = lines(call, exported(call, bulk, f"/$export?_since={first['transactionTime']}"), "deleted")
        assert bundles == [{"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"method": "DELETE", "url": "Practitioner/doc"}}]}]

    def test_what_was_deleted_before_is_not_in_it(self, call: Client, bulk: Bulk, ward: Store) -> None:
        ward.delete("Practitioner", "doc")
        manifest = exported(call, bulk)
        assert "Practitioner/doc" not in names(lines(call, manifest))
        assert manifest["deleted"] == []

    def test_shows_the_moment_it_names_and_nothing_later(self, call: Client, bulk: Bulk, ward: Store, house: House) -> None:
        begun = kick_off(call, "/$export?_type=Patient")
        house.connections[0].execute("update fhir.export set at = clock_timestamp() - interval '1 hour'")
        bulk.work()
        assert call("GET", path_of(begun.headers["Content-Location"]), token="all").json["output"] == []

    def test_is_split_into_files_of_bounded_size(self, call: Client, bulk: Bulk, ward: Store) -> None:
        bulk.limits = type(bulk.limits)(poll_seconds=0.0, chunk_bytes=1, file_bytes=1)
        manifest = exported(call, bulk, "/$export?_type=Patient")
        assert [entry["count"] for entry in manifest["output"]] == [1, 1, 1]
        assert names(lines(call, manifest)) == {"Patient/ada", "Patient/ben", "Patient/cy"}

    def test_is_packed_for_those_who_ask(self, call: Client, bulk: Bulk, ward: Store) -> None:
        manifest = exported(call, bulk, "/$export?_type=Practitioner")
        taken = call("GET", path_of(manifest["output"][0]["url"]), token="all", accept_encoding="gzip")
        assert taken.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(taken.body))["id"] == "doc"
        assert int(taken.headers["Content-Length"]) == len(taken.body)
        plain = call("GET", path_of(manifest["output"][0]["url"]), token="all", accept_encoding="gzip;q=0")
        assert "Content-Encoding" not in plain.headers
        assert plain.body == gzip.decompress(taken.body)


class TestManifest:
    def test_says_what_was_asked_and_that_files_need_the_token(self, call: Client, bulk: Bulk, ward: Store) -> None:
        manifest = exported(call, bulk, "/$export?_type=Practitioner")
        assert manifest["request"] == "https://clinic.test/fhir/$export?_type=Practitioner"
        assert manifest["requiresAccessToken"] is True
        assert manifest["error"] == []

    def test_comes_with_the_time_it_expires(self, call: Client, bulk: Bulk, ward: Store) -> None:
        begun = kick_off(call)
        bulk.work()
        status = call("GET", path_of(begun.headers["Content-Location"]), token="all")
        assert status.headers["Expires"].endswith("GMT")
        assert status.headers["Content-Type"] == "application/json"

    def test_is_preceded_by_progress(self, call: Client, bulk: Bulk, ward: Store) -> None:
        status = call("GET", path_of(kick_off(call).headers["Content-Location"]), token="all")
        assert status.status == 202
        assert status.headers["X-Progress"]
        assert int(status.headers["Retry-After"]) >= 1

    def test_is_not_given_to_who_asks_too_often(self, call: Client, bulk: Bulk, ward: Store) -> None:
        bulk.limits = type(bulk.limits)(poll_seconds=60.0)
        where = path_of(kick_off(call).headers["Content-Location"])
        assert call("GET", where, token="all").status == 202
        again = call("GET", where, token="all")
        assert again.status == 429
        assert again.headers["Retry-After"] == "60"


class TestTheDoor:
    def test_a_client_of_one_type_gets_that_type_alone(self, call: Client, bulk: Bulk, ward: Store) -> None:
        manifest = exported(call, bulk, token="patients")
        assert {entry["type"] for entry in manifest["output"]} == {"Patient"}

    def test_a_type_that_was_named_and_may_not_be_exported_is_refused(self, call: Client, bulk: Bulk) -> None:
        assert kick_off(call, "/$export?_type=Observation", token="patients").status == 403
        assert kick_off(call, "/$export?_typeFilter=Observation?code=1", token="patients").status == 403

    @pytest.mark.parametrize("path", ["/$export", "/Patient/$export", "/Group/g/$export"])
    def test_who_may_not_export_is_refused(self, call: Client, bulk: Bulk, ward: Store, path: str) -> None:
        assert kick_off(call, path, token="none").status in (403, 404)
        assert bulk.queue == []

    def test_nobody_without_a_token(self, call: Client, bulk: Bulk, ward: Store) -> None:
        manifest = exported(call, bulk)
        assert call("GET", path_of(manifest["output"][0]["url"]), token=None).status == 401

    def test_an_export_is_nobody_elses(self, call: Client, bulk: Bulk, ward: Store) -> None:
        begun = kick_off(call)
        bulk.work()
        where = path_of(begun.headers["Content-Location"])
        file = path_of(call("GET", where, token="all").json["output"][0]["url"])
        assert [call(*ask, token="other").status for ask in (("GET", where), ("DELETE", where), ("GET", file))] == [404, 404, 404]

    def test_a_withdrawn_token_ends_the_export(self, call: Client, bulk: Bulk, ward: Store, house: House) -> None:
        begun = kick_off(call)
        bulk.withdrawn.add("all")
        bulk.work()
        assert house.connect().execute("select state from fhir.export").fetchall() == [("failed",)]
        assert call("GET", path_of(begun.headers["Content-Location"]), token="all").status == 404

    def test_with_what_the_client_was_allowed_its_files_go(self, call: Client, bulk: Bulk, ward: Store, house: House) -> None:
        begun = kick_off(call)
        bulk.work()
        where = path_of(begun.headers["Content-Location"])
        file = path_of(call("GET", where, token="all").json["output"][0]["url"])
        bulk.withdrawn.add("all")
        assert [call(*ask, token="all").status for ask in (("GET", where), ("GET", file), ("DELETE", where))] == [404, 404, 404]
        exports.cancel_withdrawn(house.connect(), bulk.folder, bulk.is_withdrawn)
        assert list((bulk.folder / "exports").iterdir()) == []

    def test_what_was_hidden_since_is_not_in_a_file_that_is_taken(
        self, call: Client, bulk: Bulk, ward: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifest = exported(call, bulk)
        files = {one["type"]: path_of(one["url"]) for one in manifest["output"]}
        hidden = Where("c.rkey <> %(policy_hidden)s", {"policy_hidden": key("Observation", "o2")})
        monkeypatch.setattr(TablePolicy, "where", lambda *_: hidden)
        assert {type: call("GET", file, token="all").status for type, file in files.items() if type in ("Patient", "Observation")} == {
            "Patient": 200,
            "Observation": 404,
        }

    @pytest.mark.parametrize("name", ["../secret.key", "99.Patient.ndjson", "%2e%2e"])
    def test_no_name_leads_out_of_the_folder(self, call: Client, bulk: Bulk, ward: Store, name: str) -> None:
        begun = kick_off(call)
        bulk.work()
        assert call("GET", f"{path_of(begun.headers['Content-Location'])}/{name}", token="all").status == 404

    def test_every_file_taken_is_on_the_trail(self, call: Client, bulk: Bulk, ward: Store, house: House) -> None:
        lines(call, exported(call, bulk, "/$export?_type=Patient"))
        assert [heard for heard in house.heard() if heard[:2] == ("export", "Patient")] == [("export", "Patient", None, 0)] * 2


class TestTheEnd:
    def test_a_cancelled_export_is_gone_with_its_files(self, call: Client, bulk: Bulk, ward: Store) -> None:
        begun = kick_off(call)
        bulk.work()
        where = path_of(begun.headers["Content-Location"])
        assert call("DELETE", where, token="all").status == 202
        assert call("GET", where, token="all").status == 404
        assert list((bulk.folder / "exports").iterdir()) == []

    def test_one_cancelled_before_its_job_writes_nothing(self, call: Client, bulk: Bulk, ward: Store) -> None:
        begun = kick_off(call)
        call("DELETE", path_of(begun.headers["Content-Location"]), token="all")
        bulk.work()
        assert not (bulk.folder / "exports").exists()

    def test_an_expired_export_is_gone_and_its_files_are_cleared_away(self, call: Client, bulk: Bulk, ward: Store, house: House) -> None:
        manifest = exported(call, bulk)
        file = path_of(manifest["output"][0]["url"])
        house.connections[0].execute("update fhir.export set expires = clock_timestamp()")
        assert call("GET", file, token="all").status == 404
        assert exports.clear_away(house.connections[0], bulk.folder) == 1
        assert list((bulk.folder / "exports").iterdir()) == []
        assert house.count("fhir.export_file") == 0
