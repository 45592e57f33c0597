"""Writes held to their profiles, as the policy says."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

import pytest

from openward.fhir.errors import Invalid
from openward.fhir.json import loads
from openward.fhir.profiles import policy
from openward.fhir.profiles.policy import WritePolicy, parse, use

US_CORE_PATIENT = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = policy.current()
    yield
    use(before)


def claiming(*profiles: str, **more):
    return {"resourceType": "Patient", "meta": {"profile": list(profiles)}, **more}


@pytest.mark.parametrize(
    ("mode", "profile", "is_refused"),
    [
        ("off", f"{US_CORE_PATIENT}|6.1.0", False),
        ("versioned", f"{US_CORE_PATIENT}|6.1.0", True),
        ("versioned", US_CORE_PATIENT, False),
        ("versioned", f"{US_CORE_PATIENT}|3.1.1", False),
        ("declared", US_CORE_PATIENT, True),
        ("declared", f"{US_CORE_PATIENT}|8.0.0", True),
        ("declared", f"{US_CORE_PATIENT}|3.1.1", False),
        ("declared", "http://example.org/unknown", False),
    ],
)
def test_a_claim_is_held_to_as_the_mode_says(store, mode, profile, is_refused):
    use(WritePolicy(mode))
    if is_refused:
        with pytest.raises(Invalid) as refused:
            store.create(claiming(profile))
        assert {"Patient.identifier", "Patient.name"} <= {issue.expression for issue in refused.value.issues}
    else:
        store.create(claiming(profile))


def test_a_type_is_held_to_the_profiles_configured_for_it(store):
    use(parse("off", [f"Patient={US_CORE_PATIENT}|6.1.0"], []))
    with pytest.raises(Invalid):
        store.create({"resourceType": "Patient"})
    store.create({"resourceType": "Organization", "name": "A"})


def test_warnings_refuse_nothing(store):
    use(WritePolicy("declared"))
    store.create(
        claiming(
            US_CORE_PATIENT,
            identifier=[{"system": "urn:x", "value": "1"}],
            name=[{"family": "Wu"}],
            gender="female",
            maritalStatus={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "nonsense"}]},
            extension=[{"url": "http://example.org/unknown", "valueInteger": 1}],
        )
    )


def test_an_update_is_held_too(store):
    good = claiming(f"{US_CORE_PATIENT}|6.1.0", identifier=[{"system": "urn:x", "value": "1"}], name=[{"family": "Wu"}], gender="female")
    stored = store.create(good)
    with pytest.raises(Invalid):
        store.update({**stored.data, "gender": None} | {"name": [{"text": "Wu"}]})


def test_a_bundle_with_one_broken_claim_is_refused_whole(store):
    entry = {"resource": claiming(f"{US_CORE_PATIENT}|6.1.0"), "request": {"method": "POST", "url": "Patient"}}
    fine = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    with pytest.raises(Invalid):
        store.bundle({"resourceType": "Bundle", "type": "transaction", "entry": [fine, entry]})
    assert not store.search("Patient").matches


@pytest.mark.parametrize(("mode", "by_type"), [("sometimes", []), ("off", ["Patient"]), ("off", ["Patient="])])
def test_settings_that_say_nothing_sensible_are_refused(mode, by_type):
    with pytest.raises(ValueError, match="profile|Profile"):
        parse(mode, by_type, [])


class TestSyntheaWithTheClaimsOfItsDay:
    """Synthea of 2020 keeps US Core 3.1.1, and later bundles say so by addresses without a version."""

    @pytest.fixture
    def bundle(self, outside_data):
        with tarfile.open(outside_data("synthea/r4-100-patients-2020.tar.xz")) as files:
            bodies = (files.extractfile(member).read() for member in files if member.name.endswith(".json"))
            bundle = next(found for body in bodies if len(found := loads(body)["entry"]) < 150 and found[0]["resource"]["resourceType"] == "Patient")
        for entry in bundle:
            address = CLAIMED.get(entry["resource"]["resourceType"])
            if address:
                entry["resource"]["meta"] = {"profile": [f"http://hl7.org/fhir/us/core/StructureDefinition/{address}"]}
        return {"resourceType": "Bundle", "type": "transaction", "entry": bundle}

    def test_goes_in(self, house, bundle):
        use(WritePolicy())
        answer = house.store(strict=False).bundle(bundle)
        assert {entry["response"]["status"].split()[0] for entry in answer["entry"]} == {"201"}

    def test_does_not_where_every_claim_is_held_to(self, house, bundle):
        use(WritePolicy("declared"))
        with pytest.raises(Invalid):
            house.store(strict=False).bundle(bundle)


CLAIMED = {
    "Patient": "us-core-patient", "Encounter": "us-core-encounter", "Observation": "us-core-observation-lab", "Procedure": "us-core-procedure",
    "Immunization": "us-core-immunization", "MedicationRequest": "us-core-medicationrequest", "Condition": "us-core-condition",
}  # fmt: skip
