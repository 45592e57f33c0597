"""The pages of registration, as the front desk sees them, and closed to the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from openward.accounts.models import Invitation
from openward.fhir.resources import Coverage, HumanName, Identifier, Organization, Patient
from openward.outbox.models import Message
from openward.record import open_store, unit_of_work
from openward.registration import actions
from openward.registration.errors import OrderTaken, ProbableDuplicate, Unreachable
from tests import cast
from tests.cast import SignIn
from tests.registration.test_forms import ADA

pytestmark = pytest.mark.django_db
DESK = cast.staff("front-desk")


@pytest.fixture
def desk(signed_in: SignIn) -> Client:
    return signed_in("front-desk")


@pytest.fixture
def ada() -> Patient:
    with unit_of_work(by=cast.system()) as work:
        return work.store.create(
            Patient(
                name=[HumanName(family="Okafor", given=["Ada"])],
                birthDate="1980-02-03",
                gender="female",
            )
        )


@pytest.fixture
def payer() -> str:
    with unit_of_work(by=cast.system()) as work:
        return str(work.store.create(Organization(name="Juniper Mutual", identifier=[Identifier(system="urn:openward:payer", value="OWP01")])).id)


def text(response: Any) -> str:
    return str(response.content.decode())


class TestFinding:
    # what is typed
    @pytest.mark.parametrize("typed", ["okaf", "Ada", "okafor ada", "okafro", "ockafor", "1980-02-03", "02/03/1980", "3 feb 1980"])
    def test_a_patient_is_found(self, ada: Patient, desk: Client, typed: str) -> None:
        assert "OKAFOR, Ada" in text(desk.post(reverse("registration:found"), {"q": typed}))

    def test_a_patient_is_found_by_number(self, ada: Patient, desk: Client) -> None:
        number = next(entry.value for entry in ada.identifier)
        assert "OKAFOR, Ada" in text(desk.post(reverse("registration:found"), {"q": number}))

    def test_a_row_says_who_it_is(self, ada: Patient, desk: Client) -> None:
        page = text(desk.post(reverse("registration:found"), {"q": "okafor"}))
        assert "03-Feb-1980" in page
        assert "Female" in page
        assert "OW-" in page

    def test_nobody_found_offers_to_register(self, desk: Client) -> None:
        assert "Register a new patient" in text(desk.post(reverse("registration:found"), {"q": "zzyzx"}))

    def test_without_javascript_the_page_answers(self, ada: Patient, desk: Client) -> None:
        assert "OKAFOR, Ada" in text(desk.post(reverse("registration:find"), {"q": "okafor"}))

    def test_what_is_typed_never_stands_in_an_address(self, desk: Client) -> None:
        assert desk.get(reverse("registration:found"), {"q": "okafor"}).status_code == 405

    @pytest.mark.parametrize("role", ["manager", "it-agent", "administrator", "patient"])
    def test_it_is_closed_to_those_who_need_it_not(self, signed_in: SignIn, role: str) -> None:
        assert signed_in(role).post(reverse("registration:found"), {"q": "okafor"}).status_code == 404

    def test_nobody_is_sent_to_sign_in(self) -> None:
        assert Client().get(reverse("registration:find")).status_code == 302


class TestRegistering:
    URL = property(lambda self: reverse("registration:new"))

    def test_a_new_patient_is_registered(self, desk: Client) -> None:
        response = desk.post(self.URL, ADA)
        assert response.status_code == 303
        assert "OKAFOR" in text(desk.get(response["Location"]))

    def test_what_is_wrong_is_summed_up_and_said_beside_the_field(self, desk: Client) -> None:
        response = desk.post(self.URL, {**ADA, "family": ""})
        assert response.status_code == 422
        page = text(response)
        assert "There is a problem" in page
        assert "Error: " in page
        assert page.count("Enter the family name.") == 2

    def test_somebody_alike_is_shown_with_why_before_anything_is_saved(self, ada: Patient, desk: Client) -> None:
        page = text(desk.post(self.URL, {**ADA, "given": "Adah"}))
        assert "Is this person registered already?" in page
        assert "ame birth date" in page
        assert reverse("registration:patient", args=[ada.id]) in page
        assert len(open_store(DESK).search(Patient, {"family": "Okafor"}).resources) == 1

    def test_a_different_person_needs_a_reason(self, ada: Patient, desk: Client) -> None:
        response = desk.post(self.URL, {**ADA, "different": "", "shown": ada.id})
        assert response.status_code == 422
        assert "Say how you know" in text(response)

    def test_with_a_reason_the_different_person_is_registered_and_the_reason_kept(self, ada: Patient, desk: Client) -> None:
        response = desk.post(self.URL, {**ADA, "different": "Her cousin, showed a passport", "shown": ada.id})
        assert response.status_code == 303
        registered = open_store(DESK).read(Patient, response["Location"].split("/")[-1])
        assert registered.extension_value(actions.DIFFERENT_PERSON) == "Her cousin, showed a passport"

    def test_a_reason_given_for_one_does_not_hold_for_another(self, ada: Patient, desk: Client) -> None:
        response = desk.post(self.URL, {**ADA, "different": "Her cousin, showed a passport", "shown": "somebody-else"})
        assert response.status_code == 422
        assert "Is this person registered already?" in text(response)

    def test_a_slip_put_right_needs_no_reason(self, ada: Patient, desk: Client) -> None:
        corrected = {**ADA, "family": "Lindqvist", "given": "Maja", "birth_date": "1 May 1999", "phone": "", "texts": ""}
        assert desk.post(self.URL, {**corrected, "different": "", "shown": ada.id}).status_code == 303

    def test_the_action_itself_refuses_too(self, ada: Patient) -> None:
        again = Patient(name=[HumanName(family="Okafor", given=["Ada"])], birthDate="1980-02-03", gender="female")
        with pytest.raises(ProbableDuplicate):
            actions.register(by=DESK, patient=again)

    @pytest.mark.parametrize("role", ["nurse", "clinician", "biller", "patient"])
    def test_only_the_front_desk_registers(self, signed_in: SignIn, role: str) -> None:
        assert signed_in(role).post(self.URL, ADA).status_code == 404


class TestThePatientsPage:
    def test_it_states_what_is_not_known(self, ada: Patient, desk: Client) -> None:
        page = text(desk.get(reverse("registration:patient", args=[ada.id])))
        assert "No insurance recorded" in page
        assert "No appointment ahead" in page
        assert "Allergies not asked" in page

    def test_details_are_changed_in_the_side_panel(self, ada: Patient, desk: Client) -> None:
        url = reverse("registration:edit", args=[ada.id])
        assert "Okafor" in text(desk.get(url, headers={"HX-Request": "true"}))
        response = desk.post(url, {**ADA, "version": "1"}, headers={"HX-Request": "true"})
        assert "refresh-details" in response["HX-Trigger"]
        assert "(212) 555-0123" in text(desk.get(reverse("registration:details-card", args=[ada.id])))

    def test_a_change_over_somebody_elses_change_is_refused(self, ada: Patient, desk: Client) -> None:
        url = reverse("registration:edit", args=[ada.id])
        desk.post(url, {**ADA, "version": "1"})
        response = desk.post(url, {**ADA, "family": "Eze", "version": "1"})
        assert response.status_code == 422
        assert "Someone else changed this" in text(response)

    @pytest.mark.parametrize("nonsense", ["²", "one", "9" * 5000])
    def test_a_version_that_is_no_number_is_no_server_error(self, ada: Patient, desk: Client, nonsense: str) -> None:
        url = reverse("registration:edit", args=[ada.id])
        assert desk.post(url, {**ADA, "version": nonsense}, headers={"HX-Request": "true"}).status_code == 200

    def test_a_patient_of_whom_only_the_year_of_birth_is_known_can_be_changed(self, desk: Client) -> None:
        with unit_of_work(by=cast.system()) as work:
            abdi = work.store.create(Patient(name=[HumanName(family="Abdi", given=["Ayaan"])], birthDate="1980", gender="female"))
        url = reverse("registration:edit", args=[abdi.id])
        sent = {"family": "Abdi", "given": "Ayaan", "birth_date": "1980", "sex": "female", "phone": "(212) 555-0123", "version": "1"}
        assert "refresh-details" in desk.post(url, sent, headers={"HX-Request": "true"})["HX-Trigger"]
        assert open_store(DESK).read(Patient, str(abdi.id)).birthDate == "1980"

    def test_a_patient_who_does_not_exist_is_not_there(self, desk: Client) -> None:
        assert desk.get(reverse("registration:patient", args=["nobody"])).status_code == 404

    def test_the_invitation_leaves_through_the_outbox(self, ada: Patient, desk: Client) -> None:
        desk.post(reverse("registration:edit", args=[ada.id]), {**ADA, "version": "1"})
        desk.post(reverse("registration:invite", args=[ada.id]))
        message = Message.objects.get(kind="portal-invitation")
        assert (message.channel, message.to) == ("sms", "+12125550123")
        assert "/account/invitation/" in message.body
        assert Invitation.objects.count() == 1

    def test_a_patient_nobody_can_reach_is_not_invited(self, ada: Patient) -> None:
        with pytest.raises(Unreachable):
            actions.invite(by=DESK, patient=str(ada.id))
        assert Invitation.objects.count() == 0


class TestCoverage:
    def form(self, payer: str, **changed: str) -> dict[str, str]:
        return {"payer": payer, "subscriber_id": "XZ-1", "relationship": "self", "order": "1", **changed}

    def record(self, ada: Patient, desk: Client, payer: str, **changed: str) -> Any:
        return desk.post(reverse("registration:coverage-new", args=[ada.id]), self.form(payer, **changed))

    def coverage(self, ada: Patient) -> Coverage:
        return open_store(DESK).search(Coverage, {"beneficiary": f"Patient/{ada.id}"}).resources[0]

    def test_it_is_recorded_and_shown(self, ada: Patient, desk: Client, payer: str) -> None:
        self.record(ada, desk, payer)
        page = text(desk.get(reverse("registration:coverage-card", args=[ada.id])))
        assert "Juniper Mutual" in page
        assert "XZ-1" in page
        assert "Primary" in page

    def test_the_next_place_in_the_order_is_proposed(self, ada: Patient, desk: Client, payer: str) -> None:
        self.record(ada, desk, payer)
        assert '<option value="2" selected>' in text(desk.get(reverse("registration:coverage-new", args=[ada.id])))

    def test_two_primaries_are_refused(self, ada: Patient, desk: Client, payer: str) -> None:
        self.record(ada, desk, payer)
        response = self.record(ada, desk, payer, subscriber_id="XZ-2")
        assert response.status_code == 422
        assert "Juniper Mutual already has this place in the order." in text(response)

    def test_an_insurance_that_ended_frees_its_place(self, ada: Patient, desk: Client, payer: str) -> None:
        self.record(ada, desk, payer)
        desk.post(reverse("registration:coverage-end", args=[ada.id, self.coverage(ada).id]))
        assert self.record(ada, desk, payer, subscriber_id="XZ-2").status_code == 303

    def test_it_is_changed(self, ada: Patient, desk: Client, payer: str) -> None:
        self.record(ada, desk, payer)
        url = reverse("registration:coverage", args=[ada.id, self.coverage(ada).id])
        assert "XZ-1" in text(desk.get(url))
        desk.post(url, self.form(payer, subscriber_id="XZ-9", version="1"))
        assert self.coverage(ada).subscriberId == "XZ-9"

    def test_a_coverage_of_another_patient_is_not_there(self, ada: Patient, desk: Client, payer: str) -> None:
        self.record(ada, desk, payer)
        assert desk.get(reverse("registration:coverage", args=["somebody", self.coverage(ada).id])).status_code == 404

    def test_the_order_is_kept_by_the_action_too(self, ada: Patient, desk: Client, payer: str) -> None:
        self.record(ada, desk, payer)

        def primary(coverage: Coverage) -> Coverage:
            held = self.coverage(ada)
            coverage.payor, coverage.order, coverage.relationship = list(held.payor), 1, held.relationship
            return coverage

        with pytest.raises(OrderTaken):
            actions.record_coverage(by=DESK, patient=str(ada.id), apply=primary)

    @pytest.mark.parametrize(("role", "status"), [("biller", 200), ("nurse", 404), ("patient", 404)])
    def test_only_those_who_keep_coverage_may_change_it(self, ada: Patient, signed_in: SignIn, role: str, status: int) -> None:
        assert signed_in(role).get(reverse("registration:coverage-new", args=[ada.id])).status_code == status
