from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from openward.fhir.errors import BadRequest, Invalid, MultipleMatches, NotFound, PreconditionFailed
from openward.fhir.ids import key
from openward.fhir.resources import Patient
from openward.fhir.store import Store
from tests.fhir.house import House, Visitor

ADA = "urn:uuid:11111111-1111-4111-8111-111111111111"


def transaction(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def post(resource: dict[str, Any], full_url: str | None = None, **request: Any) -> dict[str, Any]:
    entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}
    return {"fullUrl": full_url, **entry} if full_url else entry


def put(resource: dict[str, Any], url: str | None = None, **request: Any) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "PUT", "url": url or f"{resource['resourceType']}/{resource['id']}", **request}}


def ask(method: str, url: str) -> dict[str, Any]:
    return {"request": {"method": method, "url": url}}


def pulse(subject: str) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"}, "subject": {"reference": subject}}


def statuses(answer: dict[str, Any]) -> list[str]:
    return [entry["response"]["status"] for entry in answer["entry"]]


def location(answer: dict[str, Any], index: int) -> tuple[str, str]:
    type, id, *_ = answer["entry"][index]["response"]["location"].split("/")
    return type, id


class TestReferences:
    def test_a_urn_becomes_the_new_id_wherever_it_stands(self, store: Store) -> None:
        answer = store.bundle(transaction(post(pulse(ADA)), post({"resourceType": "Patient"}, ADA)))
        patient = location(answer, 1)[1]
        assert store.read(*location(answer, 0)).data["subject"]["reference"] == f"Patient/{patient}"

    def test_an_identifiers_value_is_not_a_reference(self, store: Store) -> None:
        patient = {"resourceType": "Patient", "identifier": [{"system": "urn:ietf:rfc:3986", "value": ADA}]}
        answer = store.bundle(transaction(post(patient, ADA)))
        assert store.read(*location(answer, 0)).data["identifier"][0]["value"] == ADA

    def test_a_conditional_reference_finds_its_resource(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]})
        answer = store.bundle(transaction(post(pulse("Patient?identifier=urn:mrn|7"))))
        assert store.read(*location(answer, 0)).data["subject"]["reference"] == f"Patient/{made.id}"

    def test_a_conditional_reference_that_matches_nothing_stops_it(self, house: House, store: Store) -> None:
        with pytest.raises(PreconditionFailed, match="matches nothing"):
            store.bundle(transaction(post({"resourceType": "Patient"}), post(pulse("Patient?identifier=urn:mrn|7"))))
        assert house.count("fhir.body") == 0

    def test_an_old_restful_full_url_is_followed_too(self, store: Store) -> None:
        entries = post({"resourceType": "Patient", "id": "9"}, "https://old.example/fhir/Patient/9"), post(pulse("Patient/9"))
        answer = store.bundle(transaction(*entries))
        assert store.read(*location(answer, 1)).data["subject"]["reference"] == "Patient/" + location(answer, 0)[1]

    def test_a_reference_to_nothing_names_its_entry(self, store: Store) -> None:
        with pytest.raises(Invalid) as refused:
            store.bundle(transaction(post({"resourceType": "Patient"}), post(pulse("Patient/nobody"))))
        assert refused.value.issues[0].diagnostics == "Patient/nobody does not exist."

    def test_the_callers_bundle_is_left_alone(self, store: Store) -> None:
        sent = transaction(post(pulse(ADA)), post({"resourceType": "Patient"}, ADA))
        store.bundle(sent)
        assert sent["entry"][0]["resource"]["subject"]["reference"] == ADA


class TestWholeOrNothing:
    def test_one_bad_entry_stops_all_and_every_fault_is_named(self, house: House, store: Store) -> None:
        bad = {"resourceType": "Patient", "birthDate": "yesterday"}
        with pytest.raises(Invalid) as refused:
            store.bundle(transaction(post({"resourceType": "Patient"}), post(bad), post({**bad, "gender": "f"})))
        places = {issue.expression for issue in refused.value.issues}
        assert places == {"Bundle.entry[1].resource.birthDate", "Bundle.entry[2].resource.birthDate", "Bundle.entry[2].resource.gender"}
        assert house.count("fhir.body") == 0

    def test_who_may_not_write_one_writes_none(self, house: House) -> None:
        store = house.store(Visitor(types=frozenset({"Patient"})))
        with pytest.raises(Exception, match="may not create"):
            store.bundle(transaction(post({"resourceType": "Patient"}), post({"resourceType": "Basic", "code": {"text": "x"}})))
        assert house.count("fhir.body") == 0

    def test_a_killed_process_leaves_nothing_half_written(self, house: House, engine_url: str) -> None:
        script = textwrap.dedent("""
            import sys, time
            from tests.fhir.house import House
            from openward.fhir.interactions import transaction, writing
            from openward.fhir.bundles.entries import entries
            store = House(sys.argv[1]).store()
            with store.attempt("transaction", None):
                resources = [{"resourceType": "Patient", "active": True} for _ in range(50)]
                asked = [{"resource": r, "request": {"method": "POST", "url": "Patient"}} for r in resources]
                transaction.write(store, entries({"entry": asked}))
                writing.settle(store)
                print("written", flush=True)
                time.sleep(60)
        """)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen([sys.executable, "-c", script, engine_url], stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout
            assert process.stdout.readline() == b"written\n"
            process.send_signal(signal.SIGKILL)
        assert house.count("fhir.body") + house.count("fhir.current") + house.count("heard") == 0


class TestOrderAndOutcomes:
    def test_deletes_come_first_and_reads_last_and_answers_in_the_order_sent(self, store: Store) -> None:
        old = store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]})
        answer = store.bundle(
            transaction(
                ask("GET", "Patient/new"),
                put({"resourceType": "Patient", "id": "new", "active": True}),
                ask("DELETE", f"Patient/{old.id}"),
            )
        )
        assert statuses(answer) == ["200 OK", "201 Created", "204 No Content"]
        assert store.find("Patient", old.id) is None

    def test_a_search_sees_what_the_transaction_wrote(self, store: Store) -> None:
        patient = {"resourceType": "Patient", "name": [{"family": "Okafor"}]}
        answer = store.bundle(transaction(ask("GET", "Patient?family=okafor"), post(patient)))
        assert len(answer["entry"][0]["resource"]["entry"]) == 1

    def test_if_none_exist_keeps_what_is_there_and_references_follow(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]})
        answer = store.bundle(transaction(post({"resourceType": "Patient"}, ADA, ifNoneExist="identifier=urn:mrn|7"), post(pulse(ADA))))
        assert statuses(answer) == ["200 OK", "201 Created"]
        assert store.read(*location(answer, 1)).data["subject"]["reference"] == f"Patient/{made.id}"

    def test_a_condition_that_matches_several_stops_it(self, store: Store) -> None:
        for _ in range(2):
            store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]})
        with pytest.raises(MultipleMatches):
            store.bundle(transaction(post({"resourceType": "Patient"}, ADA, ifNoneExist="identifier=urn:mrn|7")))

    def test_two_that_ask_for_the_same_conditions_do_not_wait_for_each_other(self, house: House) -> None:
        """Sent in opposite orders; both begin before either is through."""

        def one(names: Sequence[str]) -> list[str]:
            store = house.store()
            together.wait()
            return statuses(
                store.bundle(transaction(*(put({"resourceType": "Organization", "name": name}, f"Organization?name:exact={name}") for name in names)))
            )

        together, names = Barrier(4), [f"n{number}" for number in range(30)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(one, [names, names[::-1]] * 2))
        assert sorted(answer[0] for answer in answers) == ["200 OK", "200 OK", "200 OK", "201 Created"]

    def test_a_conditional_put_updates_its_match(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]})
        store.bundle(transaction(put({"resourceType": "Patient", "active": True}, "Patient?identifier=urn:mrn|7")))
        assert store.read(Patient, made.id).active is True

    def test_if_match_holds_in_a_transaction(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        with pytest.raises(PreconditionFailed):
            store.bundle(transaction(put({**made.data, "active": False}, ifMatch='W/"2"')))

    def test_a_delete_of_what_never_was_changes_nothing(self, store: Store) -> None:
        answer = store.bundle(transaction(post({"resourceType": "Patient"}), ask("DELETE", "Patient/nobody")))
        assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "204"]

    def test_a_delete_of_what_may_not_be_seen_stops_it(self, house: House) -> None:
        someone = house.store(Visitor(patient=key("Patient", "someone")))
        with pytest.raises(NotFound):
            someone.bundle(transaction(ask("DELETE", "Observation/nothing")))

    @pytest.mark.parametrize(
        "entries",
        [
            [put({"resourceType": "Patient", "id": "a"}), put({"resourceType": "Patient", "id": "a", "active": True})],
            [put({"resourceType": "Patient", "id": "a"}), ask("DELETE", "Patient/a")],
            [post({"resourceType": "Patient"}, ADA), post({"resourceType": "Patient"}, ADA)],
        ],
    )
    def test_two_entries_for_one_resource_are_refused(self, store: Store, entries: list[dict[str, Any]]) -> None:
        with pytest.raises(BadRequest, match="also stands in"):
            store.bundle(transaction(*entries))

    @pytest.mark.parametrize(
        "entry",
        [
            {},
            {"request": {"method": "POST"}},
            ask("POST", "Pasient"),
            ask("PATCH", "Patient"),
            post({"resourceType": "Patient"}) | {"resource": None},
        ],
    )
    def test_an_entry_that_asks_for_nothing_sensible_is_refused_with_its_place(self, store: Store, entry: dict[str, Any]) -> None:
        with pytest.raises(BadRequest) as refused:
            store.bundle(transaction(entry))
        assert refused.value.issues[0].expression == "Bundle.entry[0]"

    def test_every_entry_is_audited(self, house: House, store: Store) -> None:
        store.bundle(transaction(post({"resourceType": "Patient"}, ADA), post(pulse(ADA))))
        assert house.heard() == [("create", "Patient", 1, 0), ("create", "Observation", 1, 0)]

    def test_four_hundred_entries_cost_a_handful_of_statements(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        statements: list[str] = []
        execute = Store.execute

        def counted(store: Store, sql: str, params: Mapping[str, Any] | None = None) -> Any:
            statements.append(sql)
            return execute(store, sql, params)

        monkeypatch.setattr(Store, "execute", counted)
        store.bundle(transaction(post({"resourceType": "Patient"}, ADA), *[post(pulse(ADA)) for _ in range(400)]))
        assert len(statements) <= 6


class TestBatch:
    def test_each_entry_stands_alone(self, house: House, store: Store) -> None:
        bad = {"resourceType": "Patient", "birthDate": "yesterday"}
        answer = store.bundle(transaction(post(bad), post({"resourceType": "Patient"}), ask("GET", "Patient/nobody"), kind="batch"))
        assert statuses(answer) == ["422 Unprocessable Entity", "201 Created", "404 Not Found"]
        assert answer["entry"][0]["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[0].resource.birthDate"]
        assert house.count("fhir.current") == 1

    def test_a_conditional_delete_is_carried_out(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]})
        store.bundle(transaction(ask("DELETE", "Patient?identifier=urn:mrn|7"), kind="batch"))
        assert store.find("Patient", made.id) is None

    def test_a_bundle_of_another_type_is_refused(self, store: Store) -> None:
        with pytest.raises(BadRequest):
            store.bundle(transaction(kind="collection"))

    def test_ids_the_server_gives_are_uuids(self, store: Store) -> None:
        answer = store.bundle(transaction(post({"resourceType": "Patient"}), kind="batch"))
        assert UUID(location(answer, 0)[1]).version == 7
