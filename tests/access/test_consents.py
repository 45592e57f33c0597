"""What a patient's Consent says holds in every query, from its commit on."""

from __future__ import annotations

from typing import Any

import pytest

from openward.access.directives import of
from openward.access.models import Directive
from openward.fhir.errors import NotFound
from openward.fhir.store import Store
from openward.record import open_store
from tests import cast
from tests.access.people import DEPRESSION, HYPERTENSION, OPIOIDS, condition, house, seen

pytestmark = pytest.mark.django_db
ROLE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
ME = {"role": ROLE, "reference": {"reference": f"Practitioner/{cast.PRACTITIONER_ID}"}}
PSY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
ETH = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "ETH"}


def consent(provision: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Consent", "id": "c", "status": "active", "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"text": "privacy"}],
        "patient": {"reference": f"Patient/{cast.PATIENT_ID}"}, "policyRule": {"text": "house"}, "provision": provision, **more,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def store() -> Store:
    made = house()
    for id, code in (("pressure", HYPERTENSION), ("depression", DEPRESSION)):
        made.update(condition(id, code))
    return made


CLINICIAN, NURSE, BILLER = cast.staff("clinician"), cast.staff("nurse"), cast.staff("biller")


class TestARefusal:
    def test_of_one_person_hides_the_whole_record_from_them_alone(self, store: Store) -> None:
        store.update(consent({"type": "deny", "actor": [ME]}))
        assert seen(CLINICIAN) == set()
        assert cast.PATIENT_ID not in seen(CLINICIAN, "Patient")
        assert seen(NURSE) == {"pressure", "depression"}

    @pytest.mark.parametrize("whom", ["PractitionerRole/works-here", "Organization/clinic"])
    def test_of_where_someone_works_hides_it_from_who_works_there(self, store: Store, whom: str) -> None:
        store.update({"resourceType": "Organization", "id": "clinic", "name": "Clinic"})
        role = {"resourceType": "PractitionerRole", "id": "works-here", "organization": {"reference": "Organization/clinic"}}
        store.update({**role, "practitioner": {"reference": f"Practitioner/{cast.PRACTITIONER_ID}"}})
        store.update(consent({"type": "deny", "actor": [{"role": ROLE, "reference": {"reference": whom}}]}))
        assert (seen(CLINICIAN), seen(NURSE)) == (set(), {"pressure", "depression"})

    def test_of_a_purpose_hides_it_from_who_works_for_that(self, store: Store) -> None:
        store.update(consent({"type": "deny", "purpose": [{"code": "HPAYMT"}]}))
        assert (seen(BILLER), seen(NURSE)) == (set(), {"pressure", "depression"})

    def test_of_a_label_hides_only_that(self, store: Store) -> None:
        store.update(consent({"type": "deny", "securityLabel": [PSY]}))
        assert seen(NURSE) == {"pressure"}

    def test_of_a_type_hides_only_that(self, store: Store) -> None:
        store.update(consent({"type": "deny", "class": [{"code": "Condition"}]}))
        assert seen(NURSE) == set()
        assert cast.PATIENT_ID in seen(NURSE, "Patient")

    def test_never_hides_the_record_from_the_patient(self, store: Store) -> None:
        store.update(consent({"type": "deny"}))
        assert seen(cast.patient()) == {"pressure", "depression"}

    def test_refuses_writing_too(self, store: Store) -> None:
        store.update(consent({"type": "deny", "actor": [ME]}))
        with pytest.raises(NotFound):
            open_store(CLINICIAN).update(condition("pressure", HYPERTENSION))

    def test_with_an_exception_lets_the_exception_through(self, store: Store) -> None:
        store.update(consent({"type": "deny", "provision": [{"type": "permit", "actor": [ME]}]}))
        assert (seen(CLINICIAN), seen(NURSE)) == ({"pressure", "depression"}, set())


class TestAPermission:
    def test_of_a_label_opens_it_to_the_one_named(self, store: Store) -> None:
        store.update(condition("opioids", OPIOIDS))
        named = {"role": ROLE, "reference": {"identifier": {"system": "urn:openward:client", "value": "clinic-app"}}}
        store.update(consent({"type": "permit", "actor": [named], "securityLabel": [ETH]}))
        assert seen(cast.client("system/Condition.rs", "clinic-app")) == {"pressure", "opioids"}
        assert seen(cast.client("system/Condition.rs", "other-app")) == {"pressure"}

    def test_opens_nothing_of_what_the_role_has_not(self, store: Store) -> None:
        store.update(consent({"type": "permit"}))
        assert open_store(CLINICIAN).policy.where(cast.staff("front-desk"), "search", "Condition") is None


class TestAConsentThatDoesNotCount:
    @pytest.mark.parametrize("more", [{"status": "rejected"}, {"status": "inactive"}, {"scope": {"coding": [{"code": "research"}]}}])
    def test_for_its_state_or_scope(self, store: Store, more: dict[str, Any]) -> None:
        store.update(consent({"type": "deny"}, **more))
        assert seen(NURSE) == {"pressure", "depression"}

    @pytest.mark.parametrize("period", [{"end": "2020-01-01"}, {"start": "2999-01-01"}])
    def test_for_its_period(self, store: Store, period: dict[str, str]) -> None:
        store.update(consent({"type": "deny", "period": period}))
        assert seen(NURSE) == {"pressure", "depression"}

    def test_once_withdrawn(self, store: Store) -> None:
        store.update(consent({"type": "deny"}))
        store.update(consent({"type": "deny"}, status="inactive"))
        assert seen(NURSE) == {"pressure", "depression"}

    def test_once_deleted(self, store: Store) -> None:
        store.update(consent({"type": "deny"}))
        store.delete("Consent", "c")
        assert not Directive.objects.exists()

    def test_for_whom_it_names_nobody_known(self, store: Store) -> None:
        store.update(consent({"type": "deny", "actor": [{"role": ROLE, "reference": {"display": "my cousin"}}]}))
        assert seen(NURSE) == {"pressure", "depression"}

    def test_for_a_label_this_house_does_not_know(self, store: Store) -> None:
        store.update(consent({"type": "deny", "securityLabel": [{"system": "http://example.org/own", "code": "PSY"}]}))
        assert seen(NURSE) == {"pressure", "depression"}


def test_an_exception_holds_no_longer_than_what_it_is_an_exception_of() -> None:
    """Of nested provisions each is within its parent. https://hl7.org/fhir/R4/consent.html#6.2.5.1"""
    limited = {"type": "deny", "period": {"start": "2026-01-01", "end": "2026-06-30"}, "provision": [{"type": "permit"}]}
    whole, exception = of(consent(limited))
    assert (exception["since"], exception["until"]) == (whole["since"], whole["until"])
    wider = {**limited, "provision": [{"type": "permit", "period": {"start": "2020-01-01", "end": "2030-01-01"}}]}
    assert (of(consent(wider))[1]["since"], of(consent(wider))[1]["until"]) == (whole["since"], whole["until"])


def test_opting_out_by_the_policy_rule_is_a_refusal() -> None:
    rule = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]}
    assert [row["permits"] for row in of(consent({}, policyRule=rule))] == [False]


def test_an_endless_consent_is_cut_short() -> None:
    provision: dict[str, Any] = {"type": "deny"}
    for _ in range(40):
        provision = {"type": "permit", "provision": [provision] * 2}
    assert len(of(consent(provision))) <= 200
