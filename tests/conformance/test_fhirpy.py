"""fhirpy, a client that builds searches and saves only what changed, against the running server. https://pypi.org/project/fhirpy/"""

from __future__ import annotations

from uuid import uuid4

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

from tests.conformance.conftest import Surface


@pytest.fixture
def client(surface: Surface) -> SyncFHIRClient:
    return SyncFHIRClient(surface.base, authorization=f"Bearer {surface.token}")


@pytest.fixture
def family() -> str:
    return f"Py{uuid4().hex[:8]}"


class TestFhirpy:
    def test_saves_reads_and_changes_a_resource(self, client: SyncFHIRClient, family: str) -> None:
        patient = client.resource("Patient", name=[{"family": family, "given": ["Ada"]}])
        patient.save()
        patient["gender"] = "female"
        patient.save()
        again = client.reference("Patient", patient.id).to_resource()
        assert (again["gender"], again["meta"]["versionId"]) == ("female", "2")

    def test_searches_sorts_counts_and_pages(self, client: SyncFHIRClient, family: str) -> None:
        for given in ("Ada", "Ben", "Cora"):
            client.resource("Patient", name=[{"family": family, "given": [given]}]).save()
        search = client.resources("Patient").search(family=family).sort("-given").limit(2)
        assert [one["name"][0]["given"][0] for one in search.fetch_all()] == ["Cora", "Ben", "Ada"]
        assert client.resources("Patient").search(family=family).count() == 3
        with pytest.raises(MultipleResourcesFound):
            client.resources("Patient").search(family=family).get()

    def test_includes_what_a_resource_refers_to(self, client: SyncFHIRClient, family: str) -> None:
        patient = client.resource("Patient", name=[{"family": family}])
        patient.save()
        client.resource("Observation", status="final", code={"text": "weight"}, subject=patient.to_reference()).save()
        bundle = client.resources("Observation").search(patient=patient.id).include("Observation", "subject").fetch_raw()
        assert sorted(entry.resource.resource_type for entry in bundle["entry"]) == ["Observation", "Patient"]

    def test_puts_by_a_condition_and_creates_once(self, client: SyncFHIRClient, family: str) -> None:
        for expected in (True, False):
            patient = client.resource("Patient", identifier=[{"system": "urn:test:fhirpy", "value": family}])
            _, created = client.resources("Patient").search(identifier=f"urn:test:fhirpy|{family}").update(patient)
            assert bool(created) is expected

    def test_is_told_what_is_wrong(self, client: SyncFHIRClient) -> None:
        with pytest.raises(OperationOutcome, match="birthDate"):
            client.resource("Patient", birthDate="yesterday").save()

    def test_does_not_find_what_was_deleted(self, client: SyncFHIRClient, family: str) -> None:
        patient = client.resource("Patient", name=[{"family": family}])
        patient.save()
        patient.delete()
        with pytest.raises((ResourceNotFound, OperationOutcome)):
            client.reference("Patient", patient.id).to_resource()
