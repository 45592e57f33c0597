"""Sensitivity labels: by rule and by hand, hidden from who is not cleared, and taken away only by who may."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from django.utils import timezone

from openward.access import known
from openward.access.actor import Actor
from openward.access.guards import LabelsStay
from openward.access.known import changing
from openward.access.labels import LABELS, RELABEL, implied, labels_of
from openward.access.models import Clearance, LabelInUse, Tie
from openward.access.policy import AccessPolicy
from openward.audit.models import AuditEvent
from openward.fhir.errors import Gone, NotFound
from openward.fhir.ids import key
from openward.fhir.store import Store
from openward.record import open_store
from tests import cast
from tests.access.people import DEPRESSION, HYPERTENSION, ICD, OPIOIDS, condition, encounter, house, labelled, seen

pytestmark = pytest.mark.django_db
CLINICIAN, CLIENT = cast.staff("clinician"), cast.client("system/*.cruds")


@pytest.fixture(autouse=True)
def store() -> Store:
    made = house()
    made.update(condition("pressure", HYPERTENSION))
    return made


def clear(actor: Actor, label: str, **facts: Any) -> None:
    with changing():
        Clearance.objects.create(actor=actor.id, label=label, reason="tested", given_by="test", **{"tenant": 1, **facts})


class TestByRule:
    @pytest.mark.parametrize(
        ("system", "code", "expected"),
        [
            (ICD, "F11.20", {"ETH"}),
            (ICD, "F17.210", set()),  # tobacco is no Part 2 matter
            (ICD, "F32.A", {"PSY"}),
            (ICD, "B20", {"HIV"}),
            (ICD, "I10", set()),
            ("http://snomed.info/sct", "86406008", {"HIV"}),
            ("http://example.org/own", "F11.20", set()),
        ],
    )
    def test_a_code_has_the_label_of_its_list(self, system: str, code: str, expected: set[str]) -> None:
        assert implied({"resourceType": "Condition", "code": {"coding": [{"system": system, "code": code}]}}) == expected

    @pytest.mark.parametrize(
        "resource",
        [
            {"resourceType": "Observation", "component": [{"code": {"coding": [{"system": ICD, "code": "B20"}]}}]},
            {"resourceType": "Observation", "component": [{"valueCodeableConcept": {"coding": [{"system": ICD, "code": "B20"}]}}]},
            {
                "resourceType": "MedicationRequest",
                "contained": [{"resourceType": "Medication", "code": {"coding": [{"system": ICD, "code": "B20"}]}}],
            },
            {"resourceType": "CarePlan", "activity": [{"detail": {"reasonCode": [{"coding": [{"system": ICD, "code": "B20"}]}]}}]},
            {"resourceType": "CareTeam", "reasonCode": [{"coding": [{"system": ICD, "code": "B20"}]}]},
            {"resourceType": "Goal", "description": {"coding": [{"system": ICD, "code": "B20"}]}},
            {"resourceType": "Flag", "code": {"coding": [{"system": ICD, "code": "B20"}]}},
            {"resourceType": "DocumentReference", "context": {"event": [{"coding": [{"system": ICD, "code": "B20"}]}]}},
            {"resourceType": "Composition", "section": [{"code": {"coding": [{"system": ICD, "code": "B20"}]}}]},
        ],
        ids=lambda resource: resource["resourceType"],
    )
    def test_a_code_counts_wherever_it_says_what_something_is_about(self, resource: dict[str, Any]) -> None:
        """42 CFR 2.11: what says that someone has the disorder, in whatever resource it is said."""
        assert implied(resource) == {"HIV"}

    @pytest.mark.parametrize("type", ["Encounter", "Appointment"])
    def test_a_visit_stays_on_the_board_whatever_its_reason(self, type: str) -> None:
        assert implied({"resourceType": type, "reasonCode": [{"coding": [{"system": ICD, "code": "B20"}]}]}) == set()

    def test_what_is_coded_as_sensitive_is_stored_with_its_label(self, store: Store) -> None:
        assert labels_of(store.update(condition("opioids", OPIOIDS)).data) == {"ETH"}

    def test_the_writer_need_not_be_cleared(self) -> None:
        made = open_store(CLIENT).update(condition("opioids", OPIOIDS))
        assert labels_of(made.data) == {"ETH"}
        assert "opioids" not in seen(CLIENT)

    def test_a_label_that_was_taken_away_by_hand_does_not_come_back_with_the_next_change(self, store: Store) -> None:
        store.update(condition("opioids", OPIOIDS))
        store.update(condition("opioids", OPIOIDS))
        assert labels_of(store.update(condition("opioids", OPIOIDS, onsetString="last year")).data) == frozenset()

    def test_a_changed_code_is_looked_at_anew(self, store: Store) -> None:
        store.update(condition("was-pressure", HYPERTENSION))
        assert labels_of(store.update(condition("was-pressure", DEPRESSION)).data) == {"PSY"}

    def test_the_label_is_known_to_be_in_use_before_anybody_asks(self, store: Store) -> None:
        store.update(condition("opioids", OPIOIDS))
        assert LabelInUse.objects.filter(label="ETH").exists()


class TestWhoIsNotCleared:
    @pytest.fixture(autouse=True)
    def sensitive(self, store: Store) -> None:
        store.update(condition("opioids", OPIOIDS, note=[{"text": "methadone clinic"}]))

    def test_finds_nothing(self) -> None:
        assert seen(CLIENT) == {"pressure"}
        assert open_store(CLIENT).search("Condition", {"_total": "accurate"}).total == 1

    def test_reads_nothing(self) -> None:
        with pytest.raises(NotFound):
            open_store(CLIENT).read("Condition", "opioids")
        with pytest.raises(NotFound):
            open_store(CLIENT).vread("Condition", "opioids", 1)
        with pytest.raises(NotFound):
            open_store(CLIENT).history("Condition", "opioids")

    @pytest.mark.parametrize("id", ["opioids", "never-was"])
    def test_leaves_the_try_on_the_trail(self, id: str) -> None:
        """Whether it is hidden or not there: the same refusal, told by number alone."""
        with pytest.raises(NotFound):
            open_store(CLIENT).read("Condition", id)
        event = AuditEvent.objects.get(outcome=4)
        assert (event.interaction, event.rkey, event.actor, event.patient) == ("read", key("Condition", id), CLIENT.id, None)

    def test_sees_no_history(self) -> None:
        assert {version.id for version in open_store(CLIENT).history("Condition")} == {"pressure"}

    def test_learns_nothing_by_asking_for_it(self) -> None:
        asked = {"_has:Condition:patient:code": f"{ICD}|{OPIOIDS}"}
        assert open_store(CLIENT).search("Patient", asked).resources == []
        assert {one.id for one in open_store(CLIENT).search("Patient", {"_revinclude": "Condition:subject"}).included} == {"pressure"}

    def test_cannot_overwrite_or_delete_it(self) -> None:
        with pytest.raises(NotFound):
            open_store(CLIENT).update(condition("opioids", HYPERTENSION))
        with pytest.raises(NotFound):
            open_store(CLIENT).delete("Condition", "opioids")

    def test_does_not_see_it_after_it_was_deleted_either(self, store: Store) -> None:
        store.delete("Condition", "opioids")
        with pytest.raises(NotFound):
            open_store(CLIENT).vread("Condition", "opioids", 1)
        assert {version.id for version in open_store(CLIENT).history("Condition")} == {"pressure"}
        with pytest.raises(Gone):
            store.read("Condition", "opioids")

    def test_sees_it_once_cleared(self) -> None:
        clear(CLIENT, "ETH")
        assert seen(CLIENT) == {"pressure", "opioids"}

    @pytest.mark.parametrize(
        ("begins", "ends", "sees"),
        [(-2, 1, True), (-2, None, True), (-2, -1, False), (1, 2, False)],
        ids=["now", "without an end", "over", "not yet"],
    )
    def test_sees_it_while_the_clearance_holds(self, begins: int, ends: int | None, sees: bool) -> None:
        now = timezone.now()
        clear(CLIENT, "ETH", since=now + dt.timedelta(hours=begins), until=now + dt.timedelta(hours=ends) if ends is not None else None)
        assert ("opioids" in seen(CLIENT)) is sees

    def test_sees_it_by_no_clearance_of_another_practice(self) -> None:
        clear(CLIENT, "ETH", tenant=2)
        assert seen(CLIENT) == {"pressure"}

    def test_sees_it_no_longer_than_the_clearance_holds_whatever_is_remembered(self) -> None:
        clear(CLIENT, "ETH", until=timezone.now() + dt.timedelta(seconds=2))
        assert "opioids" in seen(CLIENT)
        remembered = [until - time.monotonic() for place, (_, until, _) in known._kept.items() if place[0] == "standing" and CLIENT.id in place[1]]
        assert [seconds <= 2.0 for seconds in remembered] == [True]


class TestInCare:
    def test_a_clinician_sees_what_treating_takes_of_anyone(self, store: Store) -> None:
        store.update(condition("depression", DEPRESSION))
        assert seen(CLINICIAN) == {"pressure", "depression"}

    def test_and_substance_use_of_their_own_patients_only(self, store: Store) -> None:
        store.update(condition("opioids", OPIOIDS))
        store.update(condition("other-opioids", OPIOIDS, cast.OTHER_PATIENT_ID))
        assert seen(CLINICIAN) == {"pressure"}
        store.update(encounter("visit"))
        assert seen(CLINICIAN) == {"pressure", "opioids"}

    @pytest.mark.parametrize(("hours", "sees"), [(1, True), (-1, False)], ids=["still", "no longer"])
    def test_in_whose_care_they_are(self, store: Store, hours: int, sees: bool) -> None:
        store.update(condition("opioids", OPIOIDS))
        whose, until = key("Patient", cast.PATIENT_ID), timezone.now() + dt.timedelta(hours=hours)
        Tie.objects.create(tenant=1, holder=key("Practitioner", cast.PRACTITIONER_ID), patient=whose, until=until)
        assert ("opioids" in seen(CLINICIAN)) is sees
        assert AccessPolicy().allows(CLINICIAN, "update", "Condition", {**condition("opioids", OPIOIDS), **labelled("ETH")}, whose) is sees

    def test_a_role_that_does_not_treat_sees_neither(self, store: Store) -> None:
        store.update(condition("opioids", OPIOIDS))
        store.update(encounter("visit"))
        assert seen(cast.staff("biller")) == {"pressure"}


class TestAPatientsOwnLabel:
    def test_covers_the_whole_record(self, store: Store) -> None:
        patient = store.read("Patient", cast.OTHER_PATIENT_ID)
        store.update(condition("other-pressure", HYPERTENSION, cast.OTHER_PATIENT_ID))
        store.update({**patient.data, **labelled("V")})
        assert seen(CLINICIAN) == {"pressure"}
        assert seen(CLINICIAN, "Patient") == {cast.PATIENT_ID}
        assert seen(cast.patient(cast.OTHER_PATIENT_ID)) == {"other-pressure"}

    def test_keeps_writers_out_too(self, store: Store) -> None:
        patient, whose = store.read("Patient", cast.OTHER_PATIENT_ID), key("Patient", cast.OTHER_PATIENT_ID)
        written = condition("new", HYPERTENSION, cast.OTHER_PATIENT_ID)
        assert AccessPolicy().allows(CLINICIAN, "create", "Condition", written, whose)
        store.update({**patient.data, **labelled("V")})
        known.forget()
        assert not AccessPolicy().allows(CLINICIAN, "create", "Condition", written, whose)


class TestChangingALabel:
    def test_is_refused_to_a_client_without_the_right(self, store: Store) -> None:
        store.update({**condition("secret", HYPERTENSION), **labelled("PSY")})
        clear(CLIENT, "PSY")
        with pytest.raises(LabelsStay):
            open_store(CLIENT).update(condition("secret", HYPERTENSION))
        with pytest.raises(LabelsStay):
            open_store(CLIENT).update({**condition("pressure", HYPERTENSION), **labelled("PSY")})

    def test_is_allowed_to_one_with_it(self, store: Store) -> None:
        store.update({**condition("secret", HYPERTENSION), **labelled("PSY")})
        clear(CLIENT, "PSY")
        clear(CLIENT, RELABEL)
        assert labels_of(open_store(CLIENT).update(condition("secret", HYPERTENSION)).data) == frozenset()

    def test_a_page_that_does_not_speak_of_labels_loses_none(self, store: Store) -> None:
        observed = {
            "resourceType": "Observation",
            "status": "preliminary",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{cast.PATIENT_ID}"},
        }
        store.update({**observed, "id": "o", **labelled("PSY")})
        assert labels_of(open_store(cast.staff("nurse")).update({**observed, "id": "o", "status": "final"}).data) == {"PSY"}

    def test_every_label_is_explained(self) -> None:
        assert all(label.title and label.sentence for label in LABELS.values())
