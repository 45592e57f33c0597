"""Writes held to their profiles, as the policy says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openward.fhir.errors import Invalid
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
