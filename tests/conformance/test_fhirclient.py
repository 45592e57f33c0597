"""The SMART Health IT Python client does a day's work against the running server. https://pypi.org/project/fhirclient/"""

from __future__ import annotations

from uuid import uuid4

import pytest
from fhirclient.models.codeableconcept import CodeableConcept
from fhirclient.models.coding import Coding
from fhirclient.models.fhirdate import FHIRDate
from fhirclient.models.fhirreference import FHIRReference
from fhirclient.models.humanname import HumanName
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.models.quantity import Quantity
from fhirclient.server import FHIRNotFoundException, FHIRServer
from requests import HTTPError

from tests.conformance.conftest import Surface


@pytest.fixture
def server(surface: Surface) -> FHIRServer:
    made = FHIRServer(None, base_uri=surface.base)
    made.session.headers["Authorization"] = f"Bearer {surface.token}"
    return made


def patient(family: str, given: str = "Client") -> Patient:
    made = Patient()
    name = HumanName()
    name.family, name.given = family, [given]
    made.name, made.birthDate = [name], FHIRDate("1975-04-30")
    return made


@pytest.fixture
def stored(server: FHIRServer) -> Patient:
    made = patient(f"Stored{uuid4().hex[:8]}")
    return Patient(made.create(server))


def weight(of: Patient, kilograms: float) -> Observation:
    made = Observation()
    coding = Coding()
    coding.system, coding.code = "http://loinc.org", "29463-7"
    made.code, made.status, made.subject = CodeableConcept(), "final", FHIRReference()
    made.code.coding, made.subject.reference = [coding], f"Patient/{of.id}"
    made.valueQuantity = Quantity()
    made.valueQuantity.value, made.valueQuantity.unit = kilograms, "kg"
    return made


class TestAClientNobodyHereWrote:
    def test_reads_what_the_server_can_do(self, server: FHIRServer) -> None:
        rest = server.capabilityStatement.rest[0]
        assert {"Patient", "Observation", "DiagnosticReport"} <= {resource.type for resource in rest.resource}

    def test_reads_back_what_it_created(self, server: FHIRServer, stored: Patient) -> None:
        found = Patient.read(stored.id, server)
        assert found.name[0].family == stored.name[0].family
        assert found.birthDate.isostring == "1975-04-30"

    def test_updates(self, server: FHIRServer, stored: Patient) -> None:
        stored.gender = "female"
        stored.update(server)
        found = Patient.read(stored.id, server)
        assert (found.gender, found.meta.versionId) == ("female", "2")

    def test_deletes(self, server: FHIRServer, stored: Patient) -> None:
        stored.delete(server)
        with pytest.raises(HTTPError) as gone:
            Patient.read(stored.id, server)
        assert gone.value.response.status_code == 410

    def test_is_told_what_never_was(self, server: FHIRServer) -> None:
        with pytest.raises(FHIRNotFoundException):
            Patient.read("never-was", server)

    def test_searches_by_name(self, server: FHIRServer, stored: Patient) -> None:
        found = list(Patient.where({"family": stored.name[0].family}).perform_resources_iter(server))
        assert [one.id for one in found] == [stored.id]

    def test_walks_every_page_of_a_search(self, server: FHIRServer) -> None:
        family = f"Paged{uuid4().hex[:8]}"
        made = {patient(family, f"Number{n}").create(server)["id"] for n in range(12)}
        pages = list(Patient.where({"family": family, "_count": "5"}).perform_iter(server))
        assert [len(page.entry) for page in pages] == [5, 5, 2]
        assert {entry.resource.id for page in pages for entry in page.entry} == made

    def test_finds_a_patient_s_weights_newest_value_first_with_the_patient_beside(self, server: FHIRServer, stored: Patient) -> None:
        weight(stored, 70.5).create(server)
        search = Observation.where({"subject": f"Patient/{stored.id}", "code": "http://loinc.org|29463-7"}).include("subject", Observation)
        found = list(search.perform_resources_iter(server))
        assert [one.resource_type for one in found] == ["Observation", "Patient"]
        assert found[0].valueQuantity.value == 70.5
