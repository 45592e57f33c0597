"""One visit, from the phone call to the paid bill: five people in five browsers at once, over a server started as the README says."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.house import House, open_all_day
from tests.browser.payer import laboratory_result, remittance_for
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser

NAME, FULL = "OKONKWO, Marisol", "Marisol Okonkwo"
PASSWORD = "a garden of seven stones"
FACILITY = "Maple Hollow Clinic (demo)"
CLINICIAN = "LINDQVIST, Mara (Dr.)"


def test_one_visit_from_the_phone_call_to_the_paid_bill(clinic: House, browser: Browser, pictures: Path | None) -> None:
    lindqvist = next(one["id"] for one in clinic.all("Practitioner?family=Lindqvist"))
    open_all_day(clinic, lindqvist)
    visit = Visit(clinic, browser, pictures)
    visit.the_front_desk_registers_and_books()
    visit.the_patient_checks_in()
    visit.the_nurse_takes_vital_signs()
    visit.the_clinician_sees_the_patient()
    visit.the_result_comes_and_is_released()
    visit.the_patient_leaves()
    visit.the_biller_sends_the_claim_and_posts_the_answer()
    visit.the_patient_reads_pays_and_books_again()
    visit.a_problem_is_reported_and_answered()
    visit.the_privacy_officer_reads_who_opened_the_chart()
    for person in visit.people:
        person.had_no_trouble()


class Visit:
    """The people and what they hand to each other."""

    def __init__(self, clinic: House, browser: Browser, pictures: Path | None) -> None:
        self.clinic, self.browser, self.pictures = clinic, browser, pictures
        self.desk, self.nurse, self.clinician, self.biller = (
            signs_in(browser, clinic.url, who) for who in ("frontdesk", "nurse", "clinician", "biller")
        )
        self.patient = Person(clinic.url, browser.new_context(viewport={"width": 390, "height": 844}).new_page())
        self.people = [self.desk, self.nurse, self.clinician, self.biller, self.patient]
        self.id = ""

    # -- 1, 2: the phone call ---------------------------------------------------------------------------------------

    def the_front_desk_registers_and_books(self) -> None:
        desk = self.desk.goes_to("/patients/new")
        desk.types("Family name", "Okonkwo").types("Given names", "Marisol").types("Birth date", "3/27/1985")
        desk.page.get_by_label("Female").check()
        desk.types("Telephone", "(212) 555-0142").types("E-mail", "marisol@example.org")
        desk.types("Street and number", "12 Sample Lane").types("City", "Maple Hollow").types("State", "NY").types("ZIP code", "10001")
        desk.finds_no_accessibility_fault().clicks_on("Register")
        desk.page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}$"))
        self.id = desk.page.url.rsplit("/", 1)[1]
        self._records_coverage(desk)
        self._books(desk)
        self._finds_again_by_a_misspelt_name(desk)

    def _records_coverage(self, desk: Person) -> None:
        desk.page.get_by_role("region", name="Insurance").get_by_role("link", name="Add").click()
        desk.panel.get_by_label("Insurer").select_option(label="Juniper Mutual Health (demo)")
        desk.types("Member number", "JMH123456789").clicks_on("Save", within=desk.panel)
        desk.sees("Member JMH123456789").photographs(self.pictures, "1-registered").finds_no_accessibility_fault()

    def _books(self, desk: Person) -> None:
        desk.goes_to(f"/patients/{self.id}")
        desk.clicks = 0
        desk.follows("Book")
        desk.page.get_by_label("Facility").select_option(label=FACILITY)
        desk.follows(re.compile("^Follow-up visit"))
        desk.page.get_by_role("row").filter(has_text=CLINICIAN).locator("a.time").first.click()
        desk.clicks += 1
        desk.finds_no_accessibility_fault().clicks_on("Book", within=desk.panel)
        desk.page.wait_for_url(re.compile(f"/patients/{self.id}"))
        assert desk.clicks <= 4
        desk.sees("Follow-up visit").photographs(self.pictures, "2-booked")
        self._until(lambda: any("To: marisol@example.org" in message for message in self.clinic.outbox()))
        assert not any("Follow-up" in message or "Okonkwo" in message for message in self.clinic.outbox())

    def _finds_again_by_a_misspelt_name(self, desk: Person) -> None:
        desk.goes_to("/patients/").types(re.compile("Name, birth date"), "okonkow maris").sees(NAME)

    # -- 3: the door ------------------------------------------------------------------------------------------------

    def the_patient_checks_in(self) -> None:
        self.nurse.goes_to("/schedule/board")
        self.nurse.page.get_by_label("Facility").select_option(label=FACILITY)
        self.nurse.sees("Waiting")
        desk = self.desk.goes_to("/schedule/")
        desk.page.get_by_label("Facility").select_option(label=FACILITY)
        desk.follows(re.compile(NAME))
        desk.panel.get_by_text("Check in", exact=True).first.click()
        desk.panel.get_by_label(re.compile("still right")).check()
        desk.clicks_on("Check in", within=desk.panel)
        began = time.monotonic()
        expect(self.nurse.page.get_by_label(f"Room of {NAME}")).to_be_visible()
        assert time.monotonic() - began < 10, "the board in the other browser did not move by itself"
        self.nurse.photographs(self.pictures, "3-board").finds_no_accessibility_fault()

    # -- 4: the nurse -----------------------------------------------------------------------------------------------

    def the_nurse_takes_vital_signs(self) -> None:
        nurse = self.nurse
        rooms = nurse.page.get_by_label(f"Room of {NAME}")
        free = [option for option in rooms.locator("option:not([disabled])").all_inner_texts() if option.startswith("Room")]
        rooms.select_option(label=free[0])
        expect(nurse.page.get_by_role("button", name=f"Move {NAME} on to With clinician")).to_be_visible()
        nurse.goes_to(f"/chart/{self.id}/vitals/new/").types("Systolic", "480").types("Diastolic", "92")
        nurse.clicks_on("Save", within=nurse.panel)
        expect(nurse.panel.get_by_text(re.compile("problem", re.I)).first).to_be_visible()
        nurse.types("Systolic", "148").types("Pulse", "78").types("Temperature", "98.6").types("Oxygen", "98").types("Weight", "165").types(
            "Height", "64"
        )
        nurse.finds_no_accessibility_fault().clicks_on("Save", within=nurse.panel)
        nurse.sees("148/92").sees(re.compile("high"))
        nurse.goes_to(f"/chart/{self.id}/allergies/new/")
        self._chooses(nurse, "penicillins", "penicillins")
        nurse.types(re.compile("Reaction"), "Hives").clicks_on("Save", within=nurse.panel)
        card = nurse.page.get_by_role("region", name="Allergies")
        card.get_by_role("button", name="Reviewed").click()
        expect(card.get_by_text(re.compile("Reviewed .*Ferrara"))).to_be_visible()
        nurse.photographs(self.pictures, "4-chart").finds_no_accessibility_fault()

    # -- 5: the clinician -------------------------------------------------------------------------------------------

    def the_clinician_sees_the_patient(self) -> None:
        clinician = self.clinician
        self.nurse.goes_to("/schedule/board")
        self.nurse.page.get_by_label("Facility").select_option(label=FACILITY)
        self.nurse.clicks_on(f"Move {NAME} on to With clinician")
        visit = self.clinic.all(f"Encounter?patient={self.id}")[0]["id"]
        clinician.goes_to(f"/chart/{self.id}/visits/{visit}/diagnoses/")
        self._chooses(clinician, "essential hypertension", "Essential")
        clinician.clicks_on("Save", within=clinician.panel).sees("Essential (primary) hypertension")
        self._prescribes(clinician)
        clinician.goes_to(f"/chart/{self.id}/orders/new/").panel.get_by_label(re.compile("Hemoglobin A1c")).check()
        clinician.clicks_on("Sign orders", within=clinician.panel).sees(re.compile("Hemoglobin A1c"))
        self._writes_and_signs(clinician)

    def _prescribes(self, clinician: Person) -> None:
        """Amoxicillin is stopped by the allergy; lisinopril is prescribed."""
        clinician.goes_to(f"/chart/{self.id}/medications/new/")
        self._chooses(clinician, "amoxicillin 500", "amoxicillin 500 mg")
        clinician.sees(re.compile("Severe: allergy"))
        clinician.photographs(self.pictures, "5-allergy").finds_no_accessibility_fault()
        clinician.goes_to(f"/chart/{self.id}/medications/new/")
        self._chooses(clinician, "lisinopril 10", "lisinopril 10 mg")
        clinician.clicks_on("Sign prescription", within=clinician.panel)
        expect(clinician.page.get_by_role("region", name="Medications").get_by_text("lisinopril").first).to_be_visible()

    def _writes_and_signs(self, clinician: Person) -> None:
        clinician.goes_to(f"/chart/{self.id}/notes/new/").clicks_on("Follow-up", within=clinician.panel)
        clinician.types("Since the last visit", "Headaches in the morning for two weeks.")
        clinician.page.context.set_offline(True)
        clinician.types("Assessment and plan", "High blood pressure. Start lisinopril, see again in four weeks.")
        clinician.sees(re.compile("[Oo]ffline|not saved", re.I))
        clinician.page.context.set_offline(False)
        clinician.sees(re.compile(r"Saved|saved"))
        address = clinician.page.url
        clinician.page.goto(address)
        expect(clinician.page.get_by_label("Assessment and plan")).to_have_value(re.compile("Start lisinopril"))
        clinician.clicks = 0
        clinician.clicks_on("Sign", exact=True)
        clinician.sees(re.compile("Signed by Dr. Mara Lindqvist"))
        assert clinician.clicks <= 3
        clinician.photographs(self.pictures, "5-signed").finds_no_accessibility_fault()

    # -- 6: the result ----------------------------------------------------------------------------------------------

    def the_result_comes_and_is_released(self) -> None:
        order = self.clinic.all(f"ServiceRequest?patient={self.id}")[0]
        self.clinician.goes_to("/chart/inbox/")
        self.clinic.fhir("POST", "", laboratory_result(order, "8.1"))
        row = self.clinician.page.get_by_role("row").filter(has_text=NAME)
        expect(row).to_be_visible()
        row.get_by_role("link").first.click()
        self.clinician.sees("8.1").sees(re.compile("high")).types(
            re.compile("Your words to the patient"), "Your blood sugar is too high. Please come and see me."
        )
        self.clinician.photographs(self.pictures, "6-result").finds_no_accessibility_fault()
        self.clinician.clicks_on("Release to the patient")
        self.clinician.page.wait_for_load_state()

    def the_patient_leaves(self) -> None:
        desk = self.desk.goes_to("/schedule/board")
        desk.page.get_by_label("Facility").select_option(label=FACILITY)
        desk.clicks_on(f"Move {NAME} on to Leaving").clicks_on(f"Check {NAME} out").sees("Checked out")
        desk.clicks_on("Undo", within=desk.page.locator(".toast").filter(has_text="Checked out"))
        desk.sees("The visit is open again").clicks_on(f"Check {NAME} out")
        expect(desk.page.get_by_role("button", name=f"Check {NAME} out")).to_have_count(0)

    # -- 7: the money -----------------------------------------------------------------------------------------------

    def the_biller_sends_the_claim_and_posts_the_answer(self) -> None:
        biller = self.biller
        claim = self.clinic.all(f"Claim?patient={self.id}")[0]
        biller.goes_to(f"/billing/claims/{claim['id']}").sees("Essential (primary) hypertension").finds_no_accessibility_fault()
        biller.photographs(self.pictures, "7-claim").clicks_on(re.compile("^Send|^Submit")).sees(re.compile("Sent"))
        [file] = self._newest_claim_file()
        answer = remittance_for(file, payer="JUNIPER MUTUAL HEALTH", share=Decimal("25.00"), trace="STORY1")
        for name in ("answer.835", "answer-again.835"):
            (self.clinic.data / "clearinghouse" / "in").mkdir(exist_ok=True)
            (self.clinic.data / "clearinghouse" / "in" / name).write_bytes(answer)
            time.sleep(2.5)
            biller.goes_to("/billing/remittances").clicks_on(re.compile("[Cc]ollect|[Ll]ook"))
            biller.page.wait_for_load_state()
        biller.goes_to(f"/billing/claims/{claim['id']}").sees(re.compile("Answered|Paid"))
        biller.goes_to(f"/billing/accounts/{self.id}").sees("$25.00").photographs(self.pictures, "7-account").finds_no_accessibility_fault()
        biller.sees(re.compile("Lowered to the price your insurance agreed")).clicks_on("Send statement").sees(re.compile(r"ST\d+"))

    def _newest_claim_file(self) -> list[Path]:
        files = sorted((self.clinic.data / "clearinghouse" / "out").iterdir(), key=lambda file: file.stat().st_mtime)
        return files[-1:]

    # -- 8: the portal ----------------------------------------------------------------------------------------------

    def the_patient_reads_pays_and_books_again(self) -> None:
        self._accepts_the_invitation()
        patient = self.patient
        patient.goes_to("/portal/results").follows(re.compile("Hemoglobin")).sees(re.compile("higher than the usual range")).sees(
            "Please come and see me"
        )
        patient.photographs(self.pictures, "8-result").finds_no_accessibility_fault()
        patient.goes_to("/portal/medications").sees(re.compile("lisinopril", re.I))
        patient.goes_to("/portal/visits").follows(re.compile("Follow-up visit")).sees(
            "Essential (primary) hypertension"
        ).finds_no_accessibility_fault()
        self._writes_and_is_answered(patient)
        self._pays(patient)
        patient.goes_to("/portal/book").follows(re.compile("^Follow-up visit")).follows(re.compile("Lindqvist"))
        patient.page.get_by_role("button", name=re.compile(r"\d:\d\d")).first.click()
        patient.finds_no_accessibility_fault().clicks_on("Yes, book it").sees("Your visit is booked").finds_no_accessibility_fault()

    def _accepts_the_invitation(self) -> None:
        self.desk.goes_to(f"/patients/{self.id}").clicks_on(re.compile("Invite to the portal"))
        self._until(lambda: self._invitation() is not None)
        patient = self.patient
        patient.page.goto(self._invitation() or "")
        patient.types("Month", "3").types("Day", "27").types("Year", "1985").types("Your e-mail address", "marisol@example.org")
        patient.types("New password", PASSWORD).types("The same password again", PASSWORD).finds_no_accessibility_fault()
        patient.clicks_on("Make my sign-in").sees("Hello Marisol").photographs(self.pictures, "8-portal").finds_no_accessibility_fault()

    def _invitation(self) -> str | None:
        links = [found[0] for message in self.clinic.outbox() if (found := re.search(r"http\S+/account/invitation/\S+", message))]
        return links[-1] if links else None

    def _writes_and_is_answered(self, patient: Person) -> None:
        patient.goes_to("/portal/messages/write")
        patient.page.get_by_label("A medication or a refill").check()
        patient.types("Your message", "May I take it in the evening?").clicks_on("Send").sees("waits for an answer")
        clinician = self.clinician.goes_to("/chart/inbox/")
        row = clinician.page.get_by_role("row").filter(has_text=NAME)
        row.get_by_role("link").first.click()
        reply = clinician.page.get_by_role("region", name=re.compile("Reply|Answer"))
        reply.get_by_role("textbox").fill("Yes, the time of day does not matter.")
        clinician.clicks_on(re.compile("Send|Answer|Reply"), within=reply)
        clinician.page.wait_for_load_state()
        patient.goes_to("/portal/messages").sees("answered")

    def _pays(self, patient: Person) -> None:
        patient.goes_to("/portal/bills").sees("$25.00").follows("Pay now")
        patient.types("Card number", "4242 4242 4242 4242").types("Expiry month", "12").types("Expiry year", "2030")
        patient.types("Security code", "123").types("Name on the card", FULL).finds_no_accessibility_fault().clicks_on("Pay", exact=True)
        patient.sees("You owe nothing").photographs(self.pictures, "8-paid").finds_no_accessibility_fault()
        self.biller.goes_to(f"/billing/accounts/{self.id}").sees(re.compile("Nothing is owed"))

    # -- 9 and the trail --------------------------------------------------------------------------------------------

    def a_problem_is_reported_and_answered(self) -> None:
        agent = signs_in(self.browser, self.clinic.url, "itagent")
        self.people.append(agent)
        nurse = self.nurse.goes_to(f"/chart/{self.id}/").follows("Report a problem")
        nurse.types("What went wrong?", "The label printer is silent").finds_no_accessibility_fault().clicks_on("Send the report")
        agent.goes_to("/desk/").follows("The label printer is silent").sees("chart:summary").does_not_see(re.compile("okonkwo", re.I))
        assert self.id not in agent.page.content()
        agent.types("Answer", "It has paper again.")
        agent.page.get_by_label("And then").select_option(label="Resolved")
        agent.clicks_on("Save").sees("It has paper again.").finds_no_accessibility_fault()
        nurse.goes_to("/desk/mine").follows("The label printer is silent").sees("It has paper again.")

    def the_privacy_officer_reads_who_opened_the_chart(self) -> None:
        officer = signs_in(self.browser, self.clinic.url, "privacy")
        self.people.append(officer)
        officer.types("Whose record?", "okonkwo").clicks_on("Find").follows(NAME)
        for name in ("Tess Marlowe", "Gina Ferrara", "Mara Lindqvist", "story"):
            officer.sees(re.compile(name))
        officer.photographs(self.pictures, "9-trail").finds_no_accessibility_fault()

    # -- small things -----------------------------------------------------------------------------------------------

    @staticmethod
    def _chooses(person: Person, typed: str, wanted: str) -> None:
        """Type into the first search field of the panel and take the option that begins so."""
        person.panel.get_by_role("combobox").first.press_sequentially(typed)
        person.panel.get_by_role("option", name=re.compile(f"^{re.escape(wanted)}")).first.click()

    @staticmethod
    def _until(condition: object, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():  # type: ignore[operator]
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.3)
