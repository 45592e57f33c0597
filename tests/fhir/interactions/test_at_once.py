"""A single write that has asked nothing of the database is one statement that commits by itself, and says and keeps what a transaction would."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from openward.fhir.errors import Conflict, Invalid
from openward.fhir.guards import guard
from openward.fhir.interactions import at_once

PATIENT = {"resourceType": "Patient", "name": [{"family": "Okafor", "given": ["Ada"]}], "birthDate": "1980-02-01"}


@pytest.fixture
def sent(monkeypatch) -> list[bool]:
    """Whether each attempt at one statement stored what it was to."""
    seen: list[bool] = []
    plain = at_once.send

    def send(*arguments: Any) -> Any:
        stored = plain(*arguments)
        seen.append(stored == [])
        return stored

    monkeypatch.setattr(at_once, "send", send)
    return seen


def observation(patient: str) -> dict[str, Any]:
    coded = {"coding": [{"system": "http://loinc.org", "code": "2339-0", "display": "Glucose"}]}
    quantity = {"value": 97, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": coded,
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": quantity,
    }


def test_it_is_stored_found_and_audited(house, lazy, sent):
    patient = lazy.create(PATIENT)
    lazy.create(observation(patient.id))
    assert sent[-1:] == [True]
    found = house.store().search("Observation", {"patient": patient.id, "code": "2339-0", "value-quantity": "97"})
    assert [one.status for one in found.resources] == ["final"]
    assert house.store().search("Patient", {"family": "oka"}).resources[0].id == patient.id
    assert house.heard()[:2] == [("create", "Patient", 1, 0), ("create", "Observation", 1, 0)]


def test_what_it_leaves_is_what_a_transaction_leaves(house, lazy, store):
    patient = store.create(PATIENT).id
    tables = ("body", "current", "edge", "token", "quantity_value", "date_value", "string_value", "composite_value", "person", "person_key")
    counted = []
    for one in (store, lazy):
        before = [house.count(f"fhir.{table}") for table in tables]
        one.create(observation(patient))
        one.create(PATIENT | {"name": [{"family": "Abara"}]})
        counted.append([house.count(f"fhir.{table}") - number for table, number in zip(tables, before, strict=True)])
        one.execute("delete from fhir.token")
    assert counted[0][:3] == counted[1][:3]
    assert counted[0][4:] == counted[1][4:]


def test_a_reference_to_nothing_is_refused_with_its_place_and_leaves_nothing(house, lazy, sent):
    with pytest.raises(Invalid) as refused:
        lazy.create(observation("nobody"))
    assert refused.value.issues[0].expression == "Observation.subject.reference"
    assert sent == [False]
    assert house.count("fhir.body") == house.count("fhir.current") == house.count("fhir.token") == 0
    assert house.heard() == [("create", "Observation", None, 4)]


def test_a_reference_to_what_was_deleted_is_refused(lazy):
    patient = lazy.create(PATIENT).id
    lazy.delete("Patient", patient)
    with pytest.raises(Invalid):
        lazy.create(observation(patient))


def test_it_goes_on_after_a_rollback_took_what_was_prepared(lazy, sent):
    patient = lazy.create(PATIENT).id
    for _ in range(2):
        lazy.create(observation(patient))
        lazy.connection.execute("select 1", prepare=True)
        with pytest.raises(psycopg.Error), lazy.transaction():
            lazy.connection.execute("select 1 / 0")
        lazy.connection.execute("deallocate all")
    assert sent == [True] * 3


def test_a_guard_that_asks_the_database_makes_it_a_transaction(house, lazy, monkeypatch):
    monkeypatch.setattr(at_once, "_alone", None)

    @guard("Patient", registry=house.guards)
    def count(change, work):
        work.connection.execute("select 1")

    lazy.create(PATIENT)
    assert house.count("fhir.body") == 1


def test_inside_a_transaction_of_the_callers_it_does_not_commit_by_itself(house, lazy):
    with pytest.raises(RuntimeError), lazy.transaction():
        lazy.create(PATIENT)
        raise RuntimeError
    assert house.count("fhir.body") == 0


def test_two_writers_of_one_id_conflict(house, lazy, monkeypatch):
    lazy.update(PATIENT | {"id": "ada"})
    monkeypatch.setattr("openward.fhir.interactions.unlocked.lock", lambda store, addresses: {})
    with pytest.raises(Conflict):
        lazy.update(PATIENT | {"id": "ada", "active": True})
    assert house.count("fhir.body") == 1
    assert lazy.connection.info.transaction_status == TransactionStatus.IDLE


class TestInsideATransaction:
    """Which something was asked in before: an update's lock, a condition."""

    @pytest.fixture(autouse=True)
    def _locked(self, house):
        """A guard that may ask the database: an update begins with a lock."""
        guard("Observation", registry=house.guards)(lambda change, work: None)

    def test_it_is_one_statement_too(self, house, lazy, sent):
        lazy.update(PATIENT | {"id": "ada"})
        lazy.update(PATIENT | {"id": "ada", "active": True})
        assert sent == [True, True]
        assert house.store().search("Patient", {"active": "true"}).resources[0].id == "ada"
        assert [event[:3] for event in house.heard()[:2]] == [("create", "Patient", 1), ("update", "Patient", 2)]

    def test_a_reference_to_nothing_is_refused_with_its_place_and_leaves_nothing(self, house, lazy):
        with pytest.raises(Invalid) as refused:
            lazy.update(observation("nobody") | {"id": "glucose"})
        assert refused.value.issues[0].expression == "Observation.subject.reference"
        assert house.count("fhir.body") == house.count("fhir.current") == 0

    def test_it_goes_on_after_a_refusal_took_what_was_prepared(self, lazy, sent):
        patient = lazy.create(PATIENT).id
        for number in range(3):
            lazy.update(observation(patient) | {"id": f"glucose-{number}"})
            with pytest.raises(Invalid):
                lazy.update(observation("nobody") | {"id": "other"})
        assert sent[1:] == [True, False] * 3


RICH = {
    "resourceType": "Observation",
    "meta": {"profile": ["http://example.org/fhir/StructureDefinition/pressure"], "tag": [{"system": "urn:x", "code": "a", "display": "Ä, {\"}"}]},
    "identifier": [{"system": "urn:x", "value": "B-1"}],
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}, {"system": "urn:y", "code": "bp"}], "text": "Pressure"},
    "effectivePeriod": {"start": "2026-11-03"},
    "valueString": "Çelik \\ \"quoted\"",
    "component": [
        {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": {"value": value, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}}
        for code, value in (("8480-6", Decimal("120.50")), ("8462-4", 80))
    ],
}  # fmt: skip


def task(patient: str) -> dict[str, Any]:
    period = {"start": "2026-11-01", "end": "2026-11-05T10:00:00+02:00"}
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Task", "status": "draft", "intent": "order", "for": subject, "focus": subject, "owner": subject, "executionPeriod": period,
            "authoredOn": "2026-11-02"}  # fmt: skip


TABLES = {
    "body": "rtype, ver, op, patient, id",
    "current": "rtype, ver, patient, date_lo, date_hi, code, tok, has",
    "edge": "tgt, link, stype",
    "token": "param, system, code, display, h",
    "date_value": "rtype, param, lo, hi",
    "quantity_value": "rtype, param, lo, hi, units",
    "string_value": "rtype, param, norm, value",
    "composite_value": "rtype, param, tok, lo1, hi1, lo2, hi2",
}


@pytest.mark.parametrize("make", [lambda patient: RICH, observation, task, lambda patient: {"resourceType": "Basic", "code": {"text": "note"}}])
def test_told_in_values_every_table_holds_what_arrays_put_there(house, lazy, store, make):
    patient = store.create(PATIENT).id
    left = []
    for one in (store, lazy):
        house.connect().execute("truncate fhir.token")
        at_once._named.clear()
        made = one.create(make(patient))
        rows = {}
        for table, columns in TABLES.items():
            own = {"token": "true", "edge": "src = %s"}.get(table, "rkey = %s")
            found = one.connection.execute(
                f"select row({columns})::text from fhir.{table} where {own}", () if table == "token" else (made.id,)
            ).fetchall()  # noqa: S608
            rows[table] = sorted(map(str, found))
        left.append(rows)
    assert left[0] == left[1]


def test_what_has_many_rows_goes_in_arrays(house, lazy):
    many = RICH | {"component": RICH["component"] * 4}
    made = lazy.create(many)
    assert house.connect().execute("select count(*) from fhir.composite_value where rkey = %s", (made.id,)).fetchone()[0] > 4


def test_a_code_that_is_known_is_not_looked_for_again(house, lazy):
    patient = lazy.create(PATIENT).id
    lazy.create(observation(patient))
    lazy.create(observation(patient))
    assert house.connect().execute("select count(*) from fhir.token where code = '2339-0'").fetchone() == (1,)
    lazy.create(observation(patient) | {"code": {"coding": [{"system": "http://loinc.org", "code": "2339-0", "display": "Another name"}]}})
    assert house.connect().execute("select count(*) from fhir.token where code = '2339-0'").fetchone() == (2,)


def test_codes_of_what_was_refused_are_not_held_for_known(house, lazy):
    with pytest.raises(Invalid):
        lazy.create(observation("nobody"))
    lazy.create(observation(lazy.create(PATIENT).id))
    assert house.connect().execute("select count(*) from fhir.token where code = '2339-0'").fetchone() == (1,)
