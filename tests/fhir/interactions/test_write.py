from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from openward.fhir.errors import BadRequest, Conflict, Forbidden, Invalid, MultipleMatches, NotFound, PreconditionFailed
from openward.fhir.ids import key
from openward.fhir.interactions.conditions import ANY_VERSION
from openward.fhir.resources import HumanName, Patient
from openward.fhir.store import Store
from tests.fhir.house import House, Visitor


def weight(value: str, subject: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": subject},
        "valueQuantity": {"value": Decimal(value), "unit": "kg"},
    }


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs at the same time; what each gave or raised."""
    results: list[Any] = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def run(index: int, job: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results[index] = job()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def update(store: Store, resource: dict[str, Any], **how: Any) -> Callable[[], Any]:
    return partial(store.update, resource, **how)


class TestCreate:
    def test_the_server_gives_id_version_and_time(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        assert made.data["meta"]["versionId"] == "1"
        assert made.data["meta"]["lastUpdated"].endswith("Z")
        assert len(str(made.id)) == 36

    def test_a_clients_id_is_not_taken(self, store: Store) -> None:
        assert store.create({"resourceType": "Patient", "id": "mine"}).id != "mine"

    def test_tags_and_profiles_of_meta_are_kept(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient", "meta": {"tag": [{"system": "urn:t", "code": "a"}], "versionId": "9"}})
        assert made.data["meta"]["tag"] == [{"system": "urn:t", "code": "a"}]
        assert made.data["meta"]["versionId"] == "1"

    def test_the_text_begins_with_type_id_and_meta_and_goes_on_as_sent(self, store: Store) -> None:
        made = store.create({"active": True, "meta": {"source": "urn:x"}, "resourceType": "Patient", "gender": "other"})
        assert list(made.data) == ["resourceType", "id", "meta", "active", "gender"]
        assert list(made.data["meta"]) == ["source", "versionId", "lastUpdated"]

    def test_a_resource_that_says_nothing_is_stored(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient"})
        assert list(store.read("Patient", made.id).data) == ["resourceType", "id", "meta"]

    def test_decimals_keep_their_digits(self, store: Store) -> None:
        patient = store.create(Patient(active=True))
        made = store.create(weight("70.10", f"Patient/{patient.id}"))
        assert str(store.read("Observation", made.id).data["valueQuantity"]["value"]) == "70.10"

    def test_an_invalid_resource_is_refused_and_audited(self, house: House, store: Store) -> None:
        with pytest.raises(Invalid):
            store.create({"resourceType": "Patient", "birthDate": "yesterday"})
        assert house.heard() == [("create", "Patient", None, 4)]
        assert house.count("fhir.body") == 0

    def test_a_reference_to_nothing_is_refused_with_its_place(self, store: Store) -> None:
        with pytest.raises(Invalid) as refused:
            store.create(weight("70", "Patient/nobody"))
        assert [(issue.code, issue.expression) for issue in refused.value.issues] == [("not-found", "Observation.subject.reference")]

    def test_a_store_may_tolerate_references_to_nothing(self, house: House) -> None:
        assert house.store(strict=False).create(weight("70", "Patient/nobody")).id

    @pytest.mark.parametrize("reference", ["urn:uuid:0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11", "https://elsewhere.example/fhir/Patient/1"])
    def test_references_to_elsewhere_are_taken(self, store: Store, reference: str) -> None:
        assert store.create(weight("70", reference)).id

    def test_who_may_not_create_is_forbidden(self, house: House) -> None:
        with pytest.raises(Forbidden):
            house.store(Visitor(interactions=frozenset({"read"}))).create(Patient(active=True))

    def test_a_patient_cannot_write_into_anothers_record(self, house: House, store: Store) -> None:
        other = store.create(Patient(active=True))
        with pytest.raises(Forbidden):
            house.store(Visitor(patient=key("Patient", "me"))).create(weight("70", f"Patient/{other.id}"))


class TestConditionalCreate:
    def test_one_match_is_kept_instead(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]})
        again = store.create({"resourceType": "Patient", "active": True}, if_none_exist="identifier=urn:mrn|1")
        assert again.data == made.data

    def test_no_match_creates(self, house: House, store: Store) -> None:
        store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]}, if_none_exist="identifier=urn:mrn|1")
        assert house.count("fhir.current") == 1

    def test_several_matches_are_refused(self, store: Store) -> None:
        for _ in range(2):
            store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]})
        with pytest.raises(MultipleMatches):
            store.create({"resourceType": "Patient"}, if_none_exist="identifier=urn:mrn|1")

    def test_of_many_at_once_exactly_one_creates(self, house: House) -> None:
        patient = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]}
        made = together(*[partial(house.store().create, patient, if_none_exist="identifier=urn:mrn|1") for _ in range(4)])
        assert len({resource.id for resource in made}) == 1
        assert house.count("fhir.current") == 1


class TestUpdate:
    def test_the_next_version_is_stored(self, store: Store) -> None:
        made = store.create(Patient(name=[HumanName(family="Okafor")]))
        made.name[0].family = "Obi"
        assert store.update(made).data["meta"]["versionId"] == "2"
        assert store.read(Patient, made.id).name[0].family == "Obi"

    def test_the_same_content_makes_no_version(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        assert store.update(made).data["meta"]["versionId"] == "1"

    def test_a_digit_more_is_other_content(self, store: Store) -> None:
        patient = store.create(Patient(active=True))
        made = store.create(weight("70.1", f"Patient/{patient.id}"))
        changed = {**made.data, "valueQuantity": {"value": Decimal("70.10"), "unit": "kg"}}
        assert store.update(changed).data["meta"]["versionId"] == "2"

    def test_an_id_that_is_not_there_is_created(self, store: Store) -> None:
        made = store.update({"resourceType": "Patient", "id": "given-by-client"})
        assert made.data["meta"]["versionId"] == "1"

    def test_the_version_named_must_be_current(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        store.update({**made.data, "active": False}, if_match=1)
        with pytest.raises(PreconditionFailed, match="is at version 2"):
            store.update({**made.data, "gender": "female"}, if_match=1)

    def test_of_two_that_read_the_same_version_exactly_one_wins(self, house: House, store: Store) -> None:
        made = store.create(Patient(active=True))
        outcomes = together(
            *[update(house.store(), {**made.data, "gender": gender}, if_match=1) for gender in ("female", "male", "other", "unknown")]
        )
        assert sum(isinstance(outcome, PreconditionFailed) for outcome in outcomes) == 3
        assert house.count("fhir.body") == 2

    def test_blind_updates_at_once_lose_nothing(self, house: House, store: Store) -> None:
        made = store.create(Patient(active=True))
        together(*[update(house.store(), {**made.data, "gender": gender}) for gender in ("female", "male", "other")])
        assert [version.number for version in store.history("Patient", made.id)] == [4, 3, 2, 1]

    def test_two_creates_of_one_id_leave_one_version_one(self, house: House) -> None:
        same = {"resourceType": "Patient", "id": "same"}
        outcomes = together(*[update(house.store(), {**same, "gender": gender}) for gender in ("female", "male")])
        assert all(isinstance(outcome, Conflict) or outcome.id == "same" for outcome in outcomes)
        assert house.count("fhir.current") == 1

    def test_an_id_that_is_no_id_is_refused(self, store: Store) -> None:
        with pytest.raises(BadRequest):
            store.update({"resourceType": "Patient", "id": "a/b"})

    def test_a_deleted_resource_can_come_back(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        store.delete("Patient", made.id)
        assert store.update(made).data["meta"]["versionId"] == "3"
        assert store.read(Patient, made.id).active is True

    def test_anothers_resource_cannot_be_taken_over(self, house: House, store: Store) -> None:
        me, other = store.create(Patient(active=True)), store.create(Patient(active=True))
        theirs = store.create(weight("70", f"Patient/{other.id}"))
        portal = house.store(Visitor(patient=key("Patient", str(me.id))))
        with pytest.raises(NotFound):
            portal.update({**weight("60", f"Patient/{me.id}"), "id": theirs.id})

    def test_versions_are_never_older_than_the_one_before(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        for gender in ("female", "male", "other"):
            store.update({**made.data, "gender": gender})
        times = [version.at for version in store.history("Patient", made.id)]
        assert times == sorted(set(times), reverse=True)


class TestConditionalUpdate:
    def test_the_match_is_updated(self, store: Store) -> None:
        made = store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]})
        changed = store.update(
            {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}], "active": True}, matching="identifier=urn:mrn|1"
        )
        assert (changed.id, changed.data["meta"]["versionId"]) == (made.id, "2")

    def test_no_match_creates(self, house: House, store: Store) -> None:
        store.update({"resourceType": "Patient", "active": True}, matching="identifier=urn:mrn|1")
        assert house.count("fhir.current") == 1

    def test_a_body_with_another_id_is_refused(self, store: Store) -> None:
        store.create({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]})
        with pytest.raises(BadRequest):
            store.update({"resourceType": "Patient", "id": "other"}, matching="identifier=urn:mrn|1")


class TestDelete:
    def test_the_index_forgets_and_the_history_stays(self, house: House, store: Store) -> None:
        made = store.create(Patient(name=[HumanName(family="Okafor")]))
        store.delete(Patient, made.id)
        assert [version.op for version in store.history("Patient", made.id)] == ["D", "C"]
        assert house.count("fhir.current") + house.count("fhir.string_value") + house.count("fhir.edge") == 0

    def test_deleting_twice_changes_nothing(self, house: House, store: Store) -> None:
        made = store.create(Patient(active=True))
        store.delete(Patient, made.id)
        store.delete(Patient, made.id)
        assert house.count("fhir.body") == 2

    def test_deleting_what_never_was_changes_nothing(self, house: House, store: Store) -> None:
        store.delete("Patient", "nobody")
        assert house.count("fhir.body") == 0
        with pytest.raises(PreconditionFailed):
            store.delete("Patient", "nobody", if_match=1)

    def test_what_never_was_and_what_may_not_be_seen_look_the_same(self, house: House, store: Store) -> None:
        made = store.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"}})
        gone = store.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"}})
        store.delete("Observation", gone.id)
        someone = house.store(Visitor(patient=key("Patient", "someone")))
        for id in ("nothing", made.id, gone.id):
            with pytest.raises(NotFound):
                someone.delete("Observation", id)
        assert store.read("Observation", made.id)

    def test_whoever_could_delete_it_may_do_so_twice(self, house: House, store: Store) -> None:
        ada = store.create(Patient(active=True))
        made = store.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{ada.id}"}})
        someone = house.store(Visitor(patient=key("Patient", ada.id)))
        someone.delete("Observation", made.id)
        someone.delete("Observation", made.id)

    def test_if_match_with_a_star_asks_only_that_it_is_there(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        changed = store.update({**made.data, "active": False}, if_match=ANY_VERSION)
        with pytest.raises(PreconditionFailed):
            store.update({"resourceType": "Patient", "id": "nobody"}, if_match=ANY_VERSION)
        store.delete("Patient", made.id, if_match=ANY_VERSION)
        with pytest.raises(PreconditionFailed):
            store.update(changed.data, if_match=ANY_VERSION)

    def test_the_version_named_must_be_current(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        with pytest.raises(PreconditionFailed):
            store.delete(Patient, made.id, if_match=2)

    def test_anothers_resource_does_not_exist(self, house: House, store: Store) -> None:
        made = store.create(Patient(active=True))
        with pytest.raises(NotFound):
            house.store(Visitor(patient=key("Patient", "me"))).delete("Patient", made.id)
