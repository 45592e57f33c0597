"""A settled record never changes, but two records of one patient are merged with all that is settled in them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openward.chart.actions import open_note, order_tests, prescribe, record_allergy, record_vitals, save_draft, sign_note
from openward.chart.errors import RecordMerged
from openward.chart.queries import banner
from openward.fhir.errors import FhirError
from openward.fhir.operations.parameters import Parameters
from openward.fhir.operations.registry import Call, named
from openward.fhir.resources import Composition, Observation, Patient
from openward.record import open_store, unit_of_work
from openward.web.components.clinical import patient_banner
from tests.cast import system
from tests.chart.test_prescribing import LISINOPRIL

OTHER = "0199c1f0-0000-7000-8000-0000000000f9"


def operate(name: str, **given: object) -> dict:
    with unit_of_work(by=system()) as work:
        call = Call(work.store, name, "Patient", None, Parameters([(key.replace("_", "-"), value) for key, value in given.items()]))
        return named(name, "type", "Patient")(call).resource


@pytest.fixture
def draft(clinic, clinician):
    return open_note(patient=clinic.patient, template="soap", by=clinician)


@pytest.fixture
def settled(clinic, clinician, draft) -> dict:
    """Another record of the same person, and of Ada a signed note and a final laboratory result; merged."""
    clinic.put(resourceType="Patient", id=OTHER, name=[{"family": "Nakamura", "given": ["Ada"]}], birthDate="1970-03-04")
    sign_note(note=draft.id, texts={"plan": "Fluids"}, version=1, by=clinician)
    category = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
    clinic.put(
        resourceType="Observation", id="potassium", status="final", code={"text": "Potassium"}, category=[category],
        subject={"reference": f"Patient/{clinic.patient}"}, valueString="4.1",
    )  # fmt: skip
    return operate("merge", source_patient=f"Patient/{clinic.patient}", target_patient=f"Patient/{OTHER}")


def subject(clinic, type, id) -> str:
    return clinic.read(type, id).subject.reference


def test_a_signed_note_and_a_final_result_go_with_their_patient(clinic, draft, settled):
    assert subject(clinic, Composition, draft.id) == f"Patient/{OTHER}"
    assert subject(clinic, Observation, "potassium") == f"Patient/{OTHER}"
    note = clinic.read(Composition, draft.id)
    assert (note.status, note.attester[0].mode) == ("final", "legal")


def test_the_record_number_of_the_source_is_an_old_one_of_the_target(clinic, settled):
    numbers = {one.value: one.use for one in clinic.read(Patient, OTHER).identifier}
    assert numbers["OW-000123"] == "old"
    assert len(numbers) == 2


def test_they_come_back_with_an_undo(clinic, draft, settled):
    task = next(one["resource"]["id"] for one in settled["parameter"] if one["name"] == "task")
    operate("undo-merge", task=f"Task/{task}")
    assert subject(clinic, Composition, draft.id) == f"Patient/{clinic.patient}"
    assert subject(clinic, Observation, "potassium") == f"Patient/{clinic.patient}"
    assert [one.value for one in clinic.read(Patient, clinic.patient).identifier] == ["OW-000123"]


def test_after_the_merge_a_signed_note_is_as_fixed_as_before(clinic, clinician, draft, settled):
    with pytest.raises(FhirError):
        save_draft(note=draft.id, texts={"plan": "Something else"}, version=3, by=clinician)


class TestTheRecordThatWent:
    """An old tab, a bookmark or an app opened a chart that said "allergies not asked" and "no current medications" of somebody who has both."""

    @pytest.fixture
    def stays(self, clinic):
        clinic.put(resourceType="Patient", id=OTHER, name=[{"family": "Nakamura", "given": ["Ada"]}], birthDate="1970-03-04")
        operate("merge", source_patient=f"Patient/{clinic.patient}", target_patient=f"Patient/{OTHER}")
        return OTHER

    def test_leads_to_the_chart_that_stays(self, clinic, sign_in, stays):
        answer = sign_in("clinician").get(f"/chart/{clinic.patient}/")
        assert (answer.status_code, answer["Location"]) == (303, f"/chart/{stays}/")

    def test_says_so_in_its_banner(self, clinic, clinician, stays):
        assert "Merged into another record" in patient_banner(banner(open_store(clinician), clinic.patient))

    @pytest.mark.parametrize(
        "write",
        [
            {"call": prescribe, "prescription": LISINOPRIL},
            {"call": order_tests, "tests": ["a1c"]},
            {"call": record_vitals, "values": {"pulse": Decimal(72)}},
            {"call": record_allergy, "substance": "Latex"},
            {"call": open_note, "template": "soap"},
        ],
        ids=["prescription", "order", "vitals", "allergy", "note"],
    )
    def test_takes_nothing_more(self, clinic, clinician, stays, write):
        asked = dict(write)
        call = asked.pop("call")
        with pytest.raises(RecordMerged):
            call(patient=clinic.patient, by=clinician, **asked)
