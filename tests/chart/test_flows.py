"""What people do on the pages, by their forms: with htmx and without."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from openward.chart.actions import confirm_no_allergies, open_note, record_allergy, save_draft, send_message
from openward.chart.actions.notes import texts_of
from openward.chart.drugs import knowledge as files
from openward.fhir.resources import (
    AllergyIntolerance,
    Communication,
    Composition,
    Condition,
    DetectedIssue,
    Encounter,
    List,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Patient,
    ServiceRequest,
    Task,
)
from tests.cast import PATIENT_ID

HTMX = {"headers": {"HX-Request": "true"}}
CHART = f"/chart/{PATIENT_ID}"


@pytest.fixture
def doctor(sign_in) -> Client:
    browser: Client = sign_in("clinician")
    return browser


@pytest.fixture
def me(clinic):
    """The actor behind the signed-in clinician."""
    from openward.accounts.models import User

    return User.objects.get(sign_in="clinician@example").actor()


class TestVitals:
    def test_are_saved_and_the_card_reloads(self, clinic, sign_in):
        answer = sign_in("nurse").post(f"{CHART}/vitals/new/", {"pulse": "72", "temperature": "98.6", "temperature_unit": "°F"}, **HTMX)
        assert "refresh-vitals" in answer.headers["HX-Trigger"]
        assert sorted(str(one.valueQuantity.value) for one in clinic.all(Observation)) == ["37.0", "72"]

    def test_without_javascript_lead_back_to_the_chart(self, clinic, sign_in):
        answer = sign_in("nurse").post(f"{CHART}/vitals/new/", {"pulse": "72"})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{CHART}/")

    def test_that_are_unlikely_ask_again(self, clinic, sign_in):
        answer = sign_in("nurse").post(f"{CHART}/vitals/new/", {"pulse": "160"}, **HTMX)
        assert (answer.status_code, b'name="confirm"' in answer.content) == (422, True)
        assert clinic.all(Observation) == []


class TestLists:
    def test_an_allergy_in_ones_own_words(self, clinic, sign_in):
        sign_in("nurse").post(f"{CHART}/allergies/new/", {"q": "Grandmother's salve", "substance": "", "kind": "allergy"}, **HTMX)
        assert clinic.all(AllergyIntolerance)[0].code.text == "Grandmother's salve"

    def test_no_known_allergies_in_one_press(self, clinic, sign_in):
        sign_in("nurse").post(f"{CHART}/allergies/reviewed/", {"none": "1"})
        assert clinic.all(List)[0].emptyReason.coding[0].code == "nilknown"

    def test_a_problem_by_its_code(self, clinic, doctor):
        doctor.post(f"{CHART}/problems/new/", {"code": "I10", "q": "Essential (primary) hypertension"}, **HTMX)
        assert clinic.all(Condition)[0].code.coding[0].code == "I10"

    @pytest.mark.parametrize(
        ("page", "sent"),
        [("problems/new", {"code": "I10", "onset": "2062-01-01"}), ("medications/reported", {"q": "aspirin", "since": "2062-01-01"})],
    )
    def test_nothing_began_on_a_day_that_has_not_come(self, clinic, doctor, page, sent):
        answer = doctor.post(f"{CHART}/{page}/", sent, **HTMX)
        assert (answer.status_code, "has not come yet" in answer.content.decode()) == (422, True)
        assert (clinic.all(Condition), clinic.all(MedicationStatement)) == ([], [])

    def test_nothing_is_prescribed_in_the_quantity_of_none(self, clinic, doctor):
        sent = {"drug": "lisinopril|10 mg|tablet", "dose": "10 mg", "route": "oral", "frequency": "daily", "quantity": "0", "refills": "0"}
        assert doctor.post(f"{CHART}/medications/new/", sent, **HTMX).status_code == 422
        assert clinic.all(MedicationRequest) == []

    def test_a_panel_over_the_banner_says_that_the_patient_died(self, clinic, doctor):
        """On a phone the panel lies over the banner, and the word stood only there."""
        clinic.put(**{**clinic.read(Patient, clinic.patient).data, "deceasedDateTime": "2026-11-01"})
        panel = doctor.get(f"{CHART}/medications/new/", **HTMX).content.decode()
        assert re.search(r'class="panel-patient">.*Deceased.*</p>', panel)

    def test_diagnoses_of_the_visit_in_the_order_of_their_ranks(self, clinic, doctor):
        sent = {"code": ["I10", "E11.9"], "rank-I10": "2", "rank-E11.9": "1", "added": "J06.9"}
        doctor.post(f"{CHART}/visits/{clinic.visit}/diagnoses/", sent)
        assert [one.condition.display[:6] for one in clinic.read(Encounter, clinic.visit).diagnosis] == ["Type 2", "Essent", "Acute "]

    def test_diagnoses_are_saved_again_from_their_own_panel(self, clinic, doctor):
        address = f"{CHART}/visits/{clinic.visit}/diagnoses/"
        doctor.post(address, {"added": "I10"})
        shown = re.findall(r'name="shown" value="([^"]+)"', doctor.get(address).content.decode())
        doctor.post(address, {"shown": shown, "code": ["I10"], "added": "J06.9"})
        assert len(clinic.read(Encounter, clinic.visit).diagnosis) == 2


def test_what_the_patient_takes_is_told_and_ended(clinic, sign_in):
    nurse = sign_in("nurse")
    nurse.post(f"{CHART}/medications/reported/", {"drug": "ibuprofen|400 mg|tablet", "taken": "when it hurts"}, **HTMX)
    (told,) = clinic.all(MedicationStatement)
    assert (told.medicationCodeableConcept.text, told.medicationCodeableConcept.coding[0].code) == ("ibuprofen 400 mg tablet", "5640")
    nurse.post(f"{CHART}/medications/reported/{told.id}/ended/", {}, **HTMX)
    assert clinic.read(MedicationStatement, told.id).status == "stopped"


class TestSearchFields:
    @pytest.mark.parametrize(
        ("field", "typed", "expected"),
        [
            ("diagnosis", "htn", "I10"),
            ("drug", "zestril 10", "lisinopril|10 mg|tablet"),
            ("drug", "lisin 20", "lisinopril|20 mg|tablet"),
            ("substance", "penic", "penicillins"),
        ],
    )
    def test_find_as_one_types(self, doctor, field, typed, expected):
        assert f'data-value="{expected}"' in doctor.post(f"/chart/find/{field}/", {"q": typed}).content.decode()

    @pytest.mark.parametrize("field", ["diagnosis", "drug", "substance"])
    def test_take_what_is_typed_by_post_only(self, doctor, field):
        assert doctor.get(f"/chart/find/{field}/?q=penicillin").status_code == 405


WARFARIN = {"drug": "warfarin|5 mg|tablet", "dose": "5 mg", "route": "oral", "frequency": "daily", "quantity": "30", "refills": "0"}


class TestPrescribing:
    def test_shows_what_the_check_found_before_anything_is_signed(self, clinic, doctor, full_chart):
        page = doctor.post(f"{CHART}/medications/new/details/", {"drug": "metronidazole|500 mg|tablet"}, **HTMX).content.decode()
        assert "Bleeding" in page
        assert "Prescribe all the same" in page

    def test_is_signed_with_one_press(self, clinic, doctor, me):
        confirm_no_allergies(patient=clinic.patient, by=me)
        doctor.post(f"{CHART}/medications/new/", WARFARIN, **HTMX)
        assert clinic.all(MedicationRequest)[0].medicationCodeableConcept.text == "warfarin 5 mg tablet"

    def test_a_severe_finding_needs_a_reason(self, clinic, doctor, me):
        record_allergy(patient=clinic.patient, substance="warfarin", by=me)
        answer = doctor.post(f"{CHART}/medications/new/", WARFARIN, **HTMX)
        assert (answer.status_code, "Say why" in answer.content.decode(), clinic.all(MedicationRequest)) == (422, True, [])

    def test_with_a_reason_it_is_done_and_kept(self, clinic, doctor, me):
        record_allergy(patient=clinic.patient, substance="warfarin", by=me)
        doctor.post(f"{CHART}/medications/new/", {**WARFARIN, "reason": "Desensitized"}, **HTMX)
        assert clinic.all(DetectedIssue)[0].mitigation[0].action.text == "Desensitized"

    def test_is_loud_when_the_check_cannot_run(self, clinic, doctor, monkeypatch, tmp_path):
        monkeypatch.setattr(files, "CONTENT", tmp_path)
        page = doctor.post(f"{CHART}/medications/new/details/", {"drug": "", "q": "lisinopril"}, **HTMX).content.decode()
        assert "THE DRUG CHECK IS UNAVAILABLE" in page
        assert "is missing" in page

    def test_is_loud_when_a_drug_is_not_known(self, clinic, doctor):
        assert (
            "THE DRUG CHECK IS UNAVAILABLE"
            in doctor.post(f"{CHART}/medications/new/details/", {"drug": "", "q": "moonwort"}, **HTMX).content.decode()
        )

    def test_renewed_with_two_presses(self, clinic, doctor, full_chart):
        page = doctor.get(f"{CHART}/medications/med-1/renew/", **HTMX).content.decode()
        assert "warfarin sodium" in page
        doctor.post(f"{CHART}/medications/med-1/renew/", {}, **HTMX)
        assert sorted(one.status for one in clinic.all(MedicationRequest)) == ["active", "completed"]

    def test_stopped_with_a_reason(self, clinic, doctor, full_chart):
        doctor.post(f"{CHART}/medications/med-1/stop/", {"reason": "Side effect", "detail": "bruises"}, **HTMX)
        assert clinic.read(MedicationRequest, "med-1").statusReason.text == "Side effect: bruises"


def test_a_basket_of_tests_is_signed_once(clinic, doctor):
    doctor.post(f"{CHART}/orders/new/", {"tests": ["cmp", "a1c"], "urgent": "on"}, **HTMX)
    assert sorted((one.code.text, one.priority) for one in clinic.all(ServiceRequest)) == [
        ("Comprehensive metabolic panel", "urgent"),
        ("Hemoglobin A1c", "urgent"),
    ]


class TestNotes:
    @pytest.fixture
    def draft(self, clinic, doctor, me) -> Composition:
        made: Composition = open_note(patient=clinic.patient, template="soap", by=me)
        return made

    def address(self, draft: Composition, verb: str = "") -> str:
        return f"{CHART}/notes/{draft.id}/{verb}"

    def test_begin_from_a_template(self, clinic, doctor):
        answer = doctor.post(f"{CHART}/notes/new/", {"template": "follow-up"})
        (made,) = clinic.all(Composition)
        assert (answer.headers["Location"], made.title) == (f"{CHART}/notes/{made.id}/", "Follow-up")

    def test_save_themselves_and_answer_with_the_version(self, clinic, doctor, draft):
        answer = doctor.post(self.address(draft, "draft/"), {"version": "1", "section-plan": "Rest"}, **HTMX)
        assert (answer.status_code, answer.headers["X-Openward-Version"], texts_of(clinic.read(Composition, draft.id))["plan"]) == (204, "2", "Rest")

    def test_do_not_save_over_another_window(self, clinic, doctor, draft, me):
        save_draft(note=str(draft.id), texts={"plan": "theirs"}, version=1, by=me)
        answer = doctor.post(self.address(draft, "draft/"), {"version": "1", "section-plan": "mine"}, **HTMX)
        assert (answer.status_code, texts_of(clinic.read(Composition, draft.id))["plan"]) == (409, "theirs")

    def test_show_both_when_one_signs_what_moved_on_elsewhere(self, clinic, doctor, draft, me):
        save_draft(note=str(draft.id), texts={"plan": "theirs"}, version=1, by=me)
        answer = doctor.post(self.address(draft, "sign/"), {"version": "1", "section-plan": "mine"})
        page = answer.content.decode()
        assert (answer.status_code, "mine" in page, "theirs" in page, clinic.read(Composition, draft.id).status) == (409, True, True, "preliminary")

    def test_are_there_after_signing_out_and_in(self, doctor, draft, me):
        save_draft(note=str(draft.id), texts={"plan": "Rest and fluids"}, version=1, by=me)
        doctor.logout()
        assert doctor.get(self.address(draft)).status_code == 302
        from openward.accounts.models import User

        doctor.force_login(User.objects.get(sign_in="clinician@example"))
        assert "Rest and fluids" in doctor.get(self.address(draft)).content.decode()

    def test_are_signed_in_one_press_and_can_then_be_read_only(self, clinic, doctor, draft):
        doctor.post(self.address(draft, "sign/"), {"version": "1", "section-plan": "Rest"})
        page = doctor.get(self.address(draft)).content.decode()
        assert ("Signed by The clinician" in page, "<textarea" in page) == (True, False)

    def test_refuse_to_be_signed_empty(self, clinic, doctor, draft):
        answer = doctor.post(self.address(draft, "sign/"), {"version": "1"})
        assert (answer.status_code, "cannot be signed" in answer.content.decode()) == (422, True)

    def test_of_a_signed_note_cannot_be_saved_any_more(self, clinic, doctor, draft):
        doctor.post(self.address(draft, "sign/"), {"version": "1", "section-plan": "Rest"})
        assert doctor.post(self.address(draft, "draft/"), {"version": "2", "section-plan": "other"}, **HTMX).status_code == 409
        assert texts_of(clinic.read(Composition, draft.id))["plan"] == "Rest"

    def test_take_addenda(self, clinic, doctor, draft):
        doctor.post(self.address(draft, "sign/"), {"version": "1", "section-plan": "Rest"})
        doctor.post(self.address(draft, "addendum/"), {"text": "Left, not right."})
        assert "Left, not right." in doctor.get(self.address(draft)).content.decode()

    def test_escape_what_is_written_in_them(self, clinic, doctor, draft):
        doctor.post(self.address(draft, "sign/"), {"version": "1", "section-plan": "<script>alert(1)</script>"})
        assert "<script>alert(1)" not in doctor.get(self.address(draft)).content.decode()

    def test_of_a_draft_are_read_by_others_and_not_changed(self, sign_in, draft):
        nurse = sign_in("nurse")
        page = nurse.get(self.address(draft)).content.decode()
        assert ("Only The clinician can change it" in page, "<textarea" in page) == (True, False)
        assert nurse.post(self.address(draft, "draft/"), {"section-plan": "x"}).status_code == 404


class TestTheInbox:
    def test_shows_messages_and_takes_answers(self, clinic, doctor, patient_actor):
        question = send_message(patient=clinic.patient, topic="Cough", text="It will not go away.", by=patient_actor)
        assert "Cough" in doctor.get("/chart/inbox/").content.decode()
        doctor.post(f"/chart/inbox/messages/{question.id}/", {"text": "Come in."})
        assert len(clinic.all(Communication)) == 2
        assert "Nothing waits for you here" in doctor.get("/chart/inbox/").content.decode()

    def test_lets_nurses_see_and_not_finish_what_clinicians_answer(self, clinic, sign_in, patient_actor):
        send_message(patient=clinic.patient, topic="Cough", text="It will not go away.", by=patient_actor)
        (task,) = clinic.all(Task)
        nurse = sign_in("nurse")
        assert "Cough" in nurse.get("/chart/inbox/").content.decode()
        assert nurse.post(f"/chart/inbox/tasks/{task.id}/done/").status_code == 404
        assert clinic.read(Task, task.id).status == "requested"

    def test_takes_back_what_was_done(self, clinic, doctor, patient_actor):
        send_message(patient=clinic.patient, topic="Cough", text="It will not go away.", by=patient_actor)
        (task,) = clinic.all(Task)
        done = doctor.post(f"/chart/inbox/tasks/{task.id}/done/", {}, **HTMX)
        assert f"/chart/inbox/tasks/{task.id}/reopen/" in done.headers["HX-Trigger"]
        doctor.post(f"/chart/inbox/tasks/{task.id}/reopen/", {}, **HTMX)
        assert clinic.read(Task, task.id).status == "requested"

    @pytest.mark.parametrize("shown", ["all", "today", "results", "messages", "tasks", "everyone", "nonsense"])
    def test_filters(self, doctor, shown):
        assert doctor.get(f"/chart/inbox/?show={shown}").status_code == 200

    def test_overdue_orders_have_a_page(self, doctor):
        assert doctor.get("/chart/inbox/overdue/").status_code == 200

    def test_is_not_for_the_front_desk(self, sign_in):
        assert sign_in("front-desk").get("/chart/inbox/").status_code == 404


class TestTheVisitSummary:
    def test_is_in_plain_words_and_never_of_a_draft(self, clinic, doctor, me):
        note = open_note(patient=clinic.patient, template="soap", by=me)
        save_draft(note=str(note.id), texts={"plan": "Unfinished thought"}, version=1, by=me)
        page = doctor.get(f"/chart/visits/{clinic.visit}/summary/").content.decode()
        assert ("NAKAMURA, Ada" in page, "Unfinished thought" in page, "has not signed" in page) == (True, False, True)

    def test_is_a_pdf_too(self, clinic, doctor):
        answer = doctor.get(f"/chart/visits/{clinic.visit}/summary.pdf")
        assert (answer.headers["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")


class TestHome:
    def test_of_a_clinician_shows_their_day_and_inbox(self, doctor):
        page = doctor.get("/").content.decode()
        assert "My patients today" in page
        assert "No new results today." in page

    def test_of_a_nurse_shows_who_waits_for_vital_signs(self, sign_in):
        assert "Waiting for vital signs" in sign_in("nurse").get("/").content.decode()

    def test_cards_reload_for_their_people_only(self, doctor, sign_in):
        assert doctor.get("/chart/home/my-patients/").status_code == 200
        assert sign_in("nurse").get("/chart/home/my-patients/").status_code == 404
