"""Every role, and nobody, at every door of the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from openward.access.actor import Actor
from openward.access.policy import LETTERS, AccessPolicy
from openward.access.roles import ROLES
from openward.access.sight import Sight
from openward.access.standing import Said, Standing
from openward.fhir.definitions import RESOURCE_TYPES, type_number
from openward.fhir.errors import FhirError, NotFound
from openward.fhir.ids import key
from openward.fhir.protocols import Interaction
from openward.fhir.resources import CodeableConcept, Coding, Composition, HumanName, Meta, Observation, Patient, Reference
from openward.record import open_store
from tests import cast

POLICY = AccessPolicy()


def every_door() -> Iterator[tuple[str, str]]:
    for type in RESOURCE_TYPES:
        for interaction in LETTERS:
            yield type, interaction


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_a_role_passes_exactly_the_doors_its_grants_name(role: str) -> None:
    actor = cast.patient() if role == "patient" else cast.staff(role)
    for type, interaction in every_door():
        granted = interaction != "export" and LETTERS[interaction] in ROLES[role].grants.get(type, "")  # type: ignore[index]
        assert (POLICY.where(actor, interaction, type) is not None) == granted, (type, interaction)  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "actor",
    [
        Actor("x", "X", "staff", 1),
        Actor("x", "X", "staff", 1, role="no-such-role"),
        Actor("x", "X", "client", 1),
        Actor("x", "X", "patient", 1, role="patient"),
    ],
)
def test_an_actor_without_role_scopes_or_record_passes_no_door_to_a_patient(actor: Actor) -> None:
    assert [door for door in every_door() if door[0] == "Observation" and POLICY.where(actor, door[1], door[0]) is not None] == []  # type: ignore[arg-type]


@pytest.mark.django_db
def test_no_person_takes_out_a_copy_of_the_record() -> None:
    everyone = [cast.patient(), *(cast.staff(role) for role in ROLES)]
    assert [actor.id for actor in everyone for type in RESOURCE_TYPES if POLICY.where(actor, "export", type) is not None] == []


@pytest.mark.django_db
def test_a_client_takes_out_the_types_of_its_scope() -> None:
    actor = cast.client("system/Patient.rs system/Observation.r")
    assert [type for type in RESOURCE_TYPES if POLICY.where(actor, "export", type) is not None] == ["Patient"]


@pytest.mark.django_db
def test_two_tokens_of_one_client_open_each_what_its_own_scopes_say() -> None:
    """Asked one after the other in the same moment: what was answered to the wider one is not remembered for the narrower one."""
    wide, narrow = cast.client("system/*.rs"), cast.client("system/Patient.rs")
    for interaction in ("read", "search", "history"):
        assert POLICY.where(wide, interaction, "Observation") is not None  # type: ignore[arg-type]
        assert POLICY.where(narrow, interaction, "Observation") is None, interaction  # type: ignore[arg-type]
        assert POLICY.where(wide, interaction, "Observation") is not None  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize("interaction", ["create", "update", "delete"])
def test_a_patient_writes_into_their_own_compartment_and_no_other(interaction: Interaction) -> None:
    own, other = key("Patient", cast.PATIENT_ID), key("Patient", cast.OTHER_PATIENT_ID)
    granted = LETTERS[interaction] in ROLES["patient"].grants["Appointment"]
    assert POLICY.allows(cast.patient(), interaction, "Appointment", {"resourceType": "Appointment"}, own) is granted
    for whose in (other, None):
        assert not POLICY.allows(cast.patient(), interaction, "Appointment", {"resourceType": "Appointment"}, whose)


@pytest.mark.django_db
def test_nobody_opens_no_store() -> None:
    with pytest.raises((TypeError, AttributeError)):
        open_store(None)  # type: ignore[arg-type]


@pytest.mark.django_db
class TestAPatientSeesTheirOwnRecordOnly:
    @pytest.fixture(autouse=True)
    def record(self) -> None:
        store = open_store(cast.system())
        for id in (cast.PATIENT_ID, cast.OTHER_PATIENT_ID):
            store.update(Patient(id=id, name=[HumanName(family="Example")]))
            store.update(observation(f"lab-{id[-2:]}", id, "laboratory"))
            store.update(observation(f"vital-{id[-2:]}", id, "vital-signs"))
            store.update(observation(f"released-{id[-2:]}", id, "laboratory", released=True))
            store.update(note(f"draft-{id[-2:]}", id, "preliminary"))
            store.update(note(f"note-{id[-2:]}", id, "final"))

    def test_in_searches(self) -> None:
        store = open_store(cast.patient())
        assert [found.id for found in store.search("Patient", {})] == [cast.PATIENT_ID]
        assert {found.id for found in store.search("Observation", {})} == {"vital-a1", "released-a1"}
        assert {found.id for found in store.search("Composition", {})} == {"note-a1"}

    def test_in_counts(self) -> None:
        assert open_store(cast.patient()).search("Observation", {"_total": "accurate"}).total == 2

    def test_in_reads(self) -> None:
        store = open_store(cast.patient())
        assert store.read("Observation", "vital-a1").id == "vital-a1"
        for type, id in (("Observation", "vital-b2"), ("Observation", "lab-a1"), ("Patient", cast.OTHER_PATIENT_ID), ("Composition", "draft-a1")):
            with pytest.raises(NotFound):
                store.read(type, id)

    def test_in_versions_and_histories(self) -> None:
        store = open_store(cast.patient())
        with pytest.raises(FhirError):
            store.vread("Observation", "vital-b2", 1)
        assert all(cast.OTHER_PATIENT_ID not in str(version) for version in store.history("Patient").__dict__.values())

    def test_through_includes_and_chains(self) -> None:
        store = open_store(cast.patient())
        page = store.search("Patient", {"_revinclude": "Observation:subject"})
        assert {found.id for found in page.included} == {"vital-a1", "released-a1"}
        assert [found.id for found in store.search("Observation", {"subject:Patient.name": "Example"})] != []
        assert {found.id for found in store.search("Patient", {"_has:Observation:subject:status": "final"})} == {cast.PATIENT_ID}

    def test_and_writes_nothing_of_others(self) -> None:
        from openward.fhir.resources import Communication

        store = open_store(cast.patient())
        with pytest.raises(FhirError):
            store.create(Communication(status="completed", subject=Reference(reference=f"Patient/{cast.OTHER_PATIENT_ID}")))
        with pytest.raises(FhirError):
            store.update(observation("vital-a1", cast.PATIENT_ID, "vital-signs"))


def observation(id: str, patient: str, category: str, *, released: bool = False) -> Observation:
    kind = CodeableConcept(coding=[Coding(system="http://terminology.hl7.org/CodeSystem/observation-category", code=category)])
    made = Observation(id=id, status="final", category=[kind], code=CodeableConcept(text="x"), subject=Reference(reference=f"Patient/{patient}"))
    if released:
        made.meta = Meta(tag=[Coding(system="urn:openward:tag", code="released")])
    return made


def note(id: str, patient: str, status: str) -> Composition:
    return Composition(
        id=id, status=status, type=CodeableConcept(text="note"), subject=Reference(reference=f"Patient/{patient}"),
        date="2026-11-03", author=[Reference(reference=f"Patient/{patient}")], title="Note",
    )  # fmt: skip


@pytest.mark.django_db
class TestAPatientsUscdi:
    """45 CFR 170.315(g)(10)(i)(A): all of USCDI for a single patient, with the token of that patient's app."""

    STORED: ClassVar[Mapping[str, tuple[str, dict[str, Any]]]] = {
        "CareTeam": ("subject", {}),
        "Goal": ("subject", {"lifecycleStatus": "active", "description": {"text": "Walk more"}}),
        "Device": ("patient", {}),
        "MedicationStatement": ("subject", {"status": "active", "medicationCodeableConcept": {"text": "Aspirin"}}),
        "MedicationDispense": ("subject", {"status": "completed", "medicationCodeableConcept": {"text": "Aspirin"}}),
        "RelatedPerson": ("patient", {}),
        "Specimen": ("subject", {}),
        "QuestionnaireResponse": ("subject", {"status": "completed"}),
        "Provenance": ("target", {"recorded": "2026-01-02T03:04:05Z", "agent": [{"who": {"display": "Somebody"}}]}),
    }

    @pytest.mark.parametrize("type", STORED)
    def test_is_read_and_only_their_own(self, type: str) -> None:
        store, whose, (name, rest) = open_store(cast.system()), [cast.PATIENT_ID, cast.OTHER_PATIENT_ID], self.STORED[type]
        for patient in whose:
            store.update(Patient(id=patient, name=[HumanName(family="Example")]))
            of = {"reference": f"Patient/{patient}"}
            store.update({"resourceType": type, "id": f"of-{patient[-2:]}", name: [of] if type == "Provenance" else of, **rest})
        mine = open_store(cast.patient())
        assert [found.id for found in mine.search(type, {})] == [f"of-{cast.PATIENT_ID[-2:]}"]
        with pytest.raises(NotFound):
            mine.read(type, f"of-{cast.OTHER_PATIENT_ID[-2:]}")

    def test_names_the_medication_a_prescription_refers_to(self) -> None:
        open_store(cast.system()).update({"resourceType": "Medication", "id": "aspirin", "code": {"text": "Aspirin"}})
        assert open_store(cast.patient()).read("Medication", "aspirin")


ANN, DOCTOR = uuid4(), uuid4()
ETH_HERE = {type_number("Observation"): frozenset({"ETH"})}
DENIED = ((ANN, (Said(permits=False, labels=frozenset(), types=frozenset()),)),)


@pytest.mark.parametrize(
    ("standing", "hides_labelled_alone"),
    [
        (Standing(1, ETH_HERE, frozenset()), True),
        (Standing(1, ETH_HERE, frozenset(), glass=frozenset({ANN})), True),
        (Standing(1, ETH_HERE, frozenset(), in_care=frozenset({"ETH"}), me=DOCTOR), True),
        (Standing(1, ETH_HERE, frozenset(), reach="patients", me=DOCTOR), False),
        (Standing(1, ETH_HERE, frozenset(), marked={"PSY": frozenset({ANN})}), False),
        (Standing(1, ETH_HERE, frozenset(), consents=DENIED), False),
        (Standing(1, {}, frozenset(), consents=DENIED), False),
        (Standing(1, {}, frozenset()), False),
    ],
    ids=["labels", "labels and broken glass", "labels, but in care", "reach", "marked patients", "consents and labels", "consents", "nothing"],
)
def test_only_where_labels_alone_decide_does_the_condition_say_so(standing: Standing, hides_labelled_alone: bool) -> None:
    assert Sight("Observation", standing).where().hides_labelled_alone is hides_labelled_alone
