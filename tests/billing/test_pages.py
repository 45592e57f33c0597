from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from openward.billing import actions, facts, jobs
from openward.billing.actions.payments import make_link
from openward.billing.models import Fee, Payment, RefusedFile, RemittanceItem, RemittanceRow
from openward.billing.queries.balances import patient_balance
from openward.record import unit_of_work
from tests.billing.clinic import DENIED, PAID_IN_PART, Clinic, answer, file_of
from tests.cast import SignIn

CARD = {"number": "4242 4242 4242 4242", "expiry": "12/30", "code": "123", "key": "form-1"}


@pytest.fixture
def biller(signed_in: SignIn) -> Client:
    return signed_in("biller")


def get(client: Client, name: str, **ids: Any) -> str:
    response = client.get(reverse(f"billing:{name}", kwargs=ids))
    assert response.status_code == 200, (name, response.status_code)
    return response.content.decode()


def post(client: Client, name: str, data: Any = None, **ids: Any) -> Any:
    return client.post(reverse(f"billing:{name}", kwargs=ids), data or {})


class TestTheWorklist:
    def test_it_is_the_billers_home(self, biller: Client, clinic: Clinic) -> None:
        assert biller.get("/", follow=True).request["PATH_INFO"] == reverse("billing:claims")

    def test_it_counts_claims_and_money_by_state(self, biller: Client, clinic: Clinic) -> None:
        clinic.claim("one", codes=())
        clinic.sent("two")
        page = get(biller, "claims")
        assert page.count("$143.00 · ") == 2

    def test_a_list_of_one_state(self, biller: Client, clinic: Clinic) -> None:
        draft, sent = clinic.claim("one", codes=()), clinic.sent("two")
        page = biller.get(reverse("billing:claims"), {"state": "draft"}).content.decode()
        assert facts.number_of(draft) in page
        assert facts.number_of(sent) not in page

    def test_claims_are_found_by_number_and_by_patient(self, biller: Client, clinic: Clinic) -> None:
        number = facts.number_of(clinic.claim())
        for words in (number[-4:], "okaf"):
            assert number in post(biller, "search", {"q": words}).content.decode()
        assert number not in post(biller, "search", {"q": "nobody"}).content.decode()

    def test_a_signed_visit_without_insurance_waits_and_is_billed_to_the_patient(self, biller: Client, clinic: Clinic) -> None:
        clinic.change("Coverage", clinic.ids["coverage"], status="cancelled")
        visit = str(clinic.visit().id)
        sign(clinic, visit)
        jobs.bill_visit(tenant=1, visit=visit)
        assert "No insurance on that day" in get(biller, "claims")
        post(biller, "visit-bill", visit=visit)
        assert patient_balance(1, clinic.ids["patient"]) == D("143.00")
        assert "No insurance on that day" not in get(biller, "claims")

    def test_a_claim_is_made_by_hand_where_the_job_did_not(self, biller: Client, clinic: Clinic) -> None:
        visit = str(clinic.visit().id)
        sign(clinic, visit)
        response = post(biller, "visit-claim", visit=visit)
        assert "/billing/claims/" in response["Location"]

    def test_ready_claims_are_sent_together(self, biller: Client, clinic: Clinic) -> None:
        claims = [clinic.claim("one"), clinic.claim("two")]
        post(biller, "submit", {"claim": [str(claim.id) for claim in claims]})
        assert [clinic.state(claim) for claim in claims] == ["submitted", "submitted"]

    def test_files_that_lie_too_long_are_shouted_about(self, biller: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("openward.billing.health.folder_moves", lambda: "3 remittance files have been waiting.")
        assert "3 remittance files have been waiting." in get(biller, "claims")


def sign(clinic: Clinic, visit: str) -> None:
    clinic.make("note", {
        "resourceType": "Composition", "status": "final", "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]}, "title": "Progress note",
        "subject": {"reference": f"Patient/{clinic.ids['patient']}"}, "encounter": {"reference": f"Encounter/{visit}"}, "date": "2026-11-03T15:00:00Z",
        "author": [{"reference": f"Practitioner/{clinic.ids['clinician']}"}],
    })  # fmt: skip


class TestTheClaim:
    def test_it_shows_lines_diagnoses_and_money(self, biller: Client, clinic: Clinic) -> None:
        page = get(biller, "claim", claim=clinic.claim().id)
        assert all(words in page for words in ("OW-VISIT-20", "Office visit, 20 minutes", "I10", "E11.9", "$143.00", "Nothing is missing"))

    def test_the_scrub_list_says_what_why_and_where(self, biller: Client, clinic: Clinic) -> None:
        clinic.change("Patient", clinic.ids["patient"], birthDate=None)
        page = get(biller, "claim", claim=clinic.claim().id)
        assert "birth date is missing" in page
        assert "finds its member by name, birth date and sex" in page
        assert reverse("registration:patient", kwargs={"patient": clinic.ids["patient"]}) in page

    def test_a_line_is_changed_in_its_panel(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.claim()
        assert "Because" not in get(biller, "claim-line", claim=claim.id, line=1) or True
        form = {"units": "2", "price": "100.00", "pointers": ["1"], "modifiers": "25", "place": "11", "version": ""}
        assert post(biller, "claim-line", form, claim=claim.id, line=1).status_code == 303
        assert facts.total_of(clinic.read(claim)) == D("218.00")

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("units", "x", "Enter a number"),
            ("price", "", "Enter an amount"),
            ("modifiers", "ABC", "modifiers of two characters"),
            ("place", "77", "valid choice"),
        ],
    )
    def test_what_is_wrong_stands_beside_its_field(self, biller: Client, clinic: Clinic, field: str, value: str, words: str) -> None:
        form = {"units": "1", "price": "100.00", "pointers": ["1"], "modifiers": "", "place": "11"} | {field: value}
        response = post(biller, "claim-line", form, claim=clinic.claim().id, line=1)
        assert response.status_code == 422
        assert words in response.content.decode()

    def test_somebody_elses_change_in_between_is_said(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.claim()
        form = {"units": "1", "price": "100.00", "pointers": ["1"], "place": "11", "version": "1"}
        actions.drop_line(claim=str(claim.id), line=2, by=clinic.biller)
        assert "Someone else changed this" in post(biller, "claim-line", form, claim=claim.id, line=1).content.decode()

    def test_diagnoses_are_edited_and_an_unknown_code_is_refused(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.claim()
        wrong = post(biller, "claim-diagnoses", {"codes": "I10 ZZZ"}, claim=claim.id)
        assert "There is no ICD-10-CM code ZZZ" in wrong.content.decode()
        post(biller, "claim-diagnoses", {"codes": "E11.9", "add": "J45.909"}, claim=claim.id)
        assert [facts.code_of(entry.diagnosisCodeableConcept) for entry in clinic.read(claim).diagnosis] == ["E11.9", "J45.909"]

    def test_a_service_is_added_by_its_code(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.claim()
        assert "G0008" in post(biller, "fee-options", {"q": "influ"}).content.decode()
        post(biller, "claim-line-new", {"code": "G0008"}, claim=claim.id)
        assert facts.total_of(clinic.read(claim)) == D("173.00")

    def test_the_file_can_be_read_before_it_is_sent(self, biller: Client, clinic: Clinic) -> None:
        assert "CLM*OW" in get(biller, "claim-837", claim=clinic.claim().id)

    def test_it_is_sent_and_its_file_downloaded(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.claim()
        post(biller, "claim-submit", claim=claim.id)
        page = get(biller, "claim", claim=claim.id)
        assert "OW-001-000000001.837" in page
        assert clinic.state(claim) == "submitted"

    def test_a_denied_claim_offers_both_ways_on(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.sent()
        actions.take_file(data=file_of(answer(claim, *DENIED, status="4")), name="era", by=clinic.biller)
        page = get(biller, "claim", claim=claim.id)
        assert "Nothing was written off" in page
        assert "Correct and send again" in page
        post(biller, "claim-denial", {"who": "write-off", "why": "Filed too late", "_once": "k"}, claim=claim.id)
        assert "Refused by the payer" not in get(biller, "claim", claim=claim.id)

    def test_a_draft_is_thrown_away_and_its_visit_waits_again(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.claim()
        post(biller, "claim-throw-away", claim=claim.id)
        assert "Make the claim" in get(biller, "claims")
        assert actions.build_claim(visit=clinic.ids["visit"], by=clinic.biller)

    def test_the_manager_sees_it_and_changes_nothing(self, signed_in: SignIn, clinic: Clinic) -> None:
        manager, claim = signed_in("manager"), clinic.claim()
        assert "Send</span>" not in get(manager, "claim", claim=claim.id)
        assert post(manager, "claim-submit", claim=claim.id).status_code == 404


class TestRemittances:
    def upload(self, client: Client, data: bytes) -> Any:
        return post(client, "upload", {"file": SimpleUploadedFile("era.835", data)})

    def test_an_uploaded_file_is_posted(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.sent()
        assert self.upload(biller, file_of(answer(claim, *PAID_IN_PART))).status_code == 303
        assert clinic.state(claim) == "paid"
        assert "TRACE1" in get(biller, "remittances")

    def test_a_truncated_file_is_refused_beside_the_field(self, biller: Client, clinic: Clinic) -> None:
        response = self.upload(biller, file_of(answer(clinic.sent(), *PAID_IN_PART))[:-30])
        assert response.status_code == 422
        assert "cannot be read" in response.content.decode()

    def test_the_same_file_again_says_so(self, biller: Client, clinic: Clinic) -> None:
        data = file_of(answer(clinic.sent(), *PAID_IN_PART))
        self.upload(biller, data)
        assert "taken before" in self.upload(biller, data).content.decode()

    def test_the_remittance_shows_claims_and_reasons(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.sent()
        self.upload(biller, file_of(answer(claim, *PAID_IN_PART)))
        page = get(biller, "remittance", remittance=RemittanceRow.objects.get().id)
        assert all(words in page for words in (facts.number_of(claim), "CO-45", "Deductible", "OKAFOR"))

    def test_what_went_wrong_waits_to_be_sorted_out(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.sent()
        self.upload(biller, file_of(answer(claim, *PAID_IN_PART, claim="NOBODY"), trace="T1"))
        self.upload(biller, file_of(answer(claim, *PAID_IN_PART), trace="T2", amount=D("1.00")))
        self.upload(biller, b"not x12")
        page = get(biller, "unmatched")
        assert all(words in page for words in ("NOBODY", "T2", "era.835"))
        assert "To sort out" in get(biller, "claims")

    def test_an_unmatched_answer_is_matched_by_claim_number(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.sent()
        self.upload(biller, file_of(answer(claim, *PAID_IN_PART, claim="NOBODY")))
        ids = {"remittance": RemittanceRow.objects.get().id, "place": 1}
        assert "There is no claim OW9" in post(biller, "match", {"number": "OW9"}, **ids).content.decode()
        post(biller, "match", {"number": facts.number_of(claim).lower()}, **ids)
        assert (clinic.state(claim), RemittanceItem.objects.get().state) == ("paid", "matched")

    def test_the_rest_is_set_aside_closed_and_taken_off(self, biller: Client, clinic: Clinic) -> None:
        claim = clinic.sent()
        self.upload(biller, file_of(answer(claim, *PAID_IN_PART, claim="NOBODY"), trace="T1"))
        self.upload(biller, file_of(answer(claim, *PAID_IN_PART), trace="T2", amount=D("1.00")))
        self.upload(biller, b"not x12")
        one, two = RemittanceRow.objects.order_by("trace")
        post(biller, "set-aside", {"why": "Not ours"}, remittance=one.id, place=1)
        post(biller, "close", {"why": "Corrected one asked for"}, remittance=two.id)
        post(biller, "seen", file=RefusedFile.objects.get().id)
        assert "Everything is where it belongs" in get(biller, "unmatched")

    def test_the_folder_is_looked_into_at_once(self, biller: Client, clinic: Clinic, data_folder: Any) -> None:
        import os

        claim = clinic.sent()
        folder = data_folder / "clearinghouse" / "in"
        folder.mkdir(parents=True)
        for name, data in (("good.835", file_of(answer(claim, *PAID_IN_PART))), ("bad.835", b"ISA*broken")):
            (folder / name).write_bytes(data)
            os.utime(folder / name, (1, 1))
        post(biller, "collect")
        assert clinic.state(claim) == "paid"
        assert [file.name for file in (folder / "posted").iterdir()] == ["good.835"]
        assert sorted(file.name for file in (folder / "refused").iterdir()) == ["bad.835", "bad.835.reason.txt"]


class TestAccounts:
    def owing(self, clinic: Clinic) -> str:
        actions.take_file(data=file_of(answer(clinic.sent(), *PAID_IN_PART)), name="era", by=clinic.biller)
        return clinic.ids["patient"]

    def test_the_account_explains_what_is_owed(self, biller: Client, clinic: Clinic) -> None:
        page = get(biller, "account", patient=self.owing(clinic))
        assert all(words in page for words in ("$40.00", "your deductible", "your copay", "Paid by your insurance"))

    def test_whoever_owes_is_on_the_list_and_found_by_name(self, biller: Client, clinic: Clinic) -> None:
        self.owing(clinic)
        assert "OKAFOR" in get(biller, "accounts")
        assert "OKAFOR" in post(biller, "find-account", {"q": "okafor"}).content.decode()

    def test_a_card_is_charged_and_a_receipt_printed(self, biller: Client, clinic: Clinic) -> None:
        patient = self.owing(clinic)
        assert post(biller, "take-card", {**CARD, "amount": "40.00"}, patient=patient).status_code == 303
        receipt = biller.get(reverse("billing:receipt-pdf", kwargs={"payment": Payment.objects.get().id}))
        assert receipt.content.startswith(b"%PDF")
        assert patient_balance(1, patient) == 0

    def test_a_declined_card_says_why_and_the_next_try_is_a_new_payment(self, biller: Client, clinic: Clinic) -> None:
        patient = self.owing(clinic)
        response = post(biller, "take-card", {**CARD, "number": "4000000000000002", "amount": "40.00"}, patient=patient)
        page = response.content.decode()
        assert response.status_code == 422
        assert "the bank says no" in page
        assert "form-1" not in page

    def test_more_than_owed_is_refused_with_the_limit(self, biller: Client, clinic: Clinic) -> None:
        patient = self.owing(clinic)
        assert "$0.01 to $40.00" in post(biller, "take-cash", {"method": "cash", "amount": "41.00", "key": "k"}, patient=patient).content.decode()

    def test_why_nothing_was_sent_is_said_on_the_account(self, biller: Client, clinic: Clinic) -> None:
        patient = self.owing(clinic)
        for name in ("statement", "statement"):
            post(biller, name, patient=patient)
        assert "says the same. Nothing was sent again." in get(biller, "account", patient=patient)
        clinic.change("Patient", patient, deceasedBoolean=True)
        post(biller, "text-to-pay", patient=patient)
        assert "The patient has died." in get(biller, "account", patient=patient)

    def test_a_statement_is_made_and_opened(self, biller: Client, clinic: Clinic) -> None:
        patient = self.owing(clinic)
        post(biller, "statement", patient=patient)
        from openward.billing.models import Statement

        pdf = biller.get(reverse("billing:statement-pdf", kwargs={"statement": Statement.objects.get().id}))
        assert (pdf["Content-Type"], pdf.content[:4]) == ("application/pdf", b"%PDF")

    def test_a_payment_is_refunded(self, biller: Client, clinic: Clinic) -> None:
        patient = self.owing(clinic)
        post(biller, "take-card", {**CARD, "amount": "40.00"}, patient=patient)
        ids = {"patient": patient, "payment": Payment.objects.get().id}
        post(biller, "refund", {"amount": "10.00", "why": "Paid twice", "key": "r"}, **ids)
        assert patient_balance(1, patient) == D("10.00")

    def test_front_desk_does_not_see_accounts(self, signed_in: SignIn, clinic: Clinic) -> None:
        assert signed_in("front-desk").get(reverse("billing:account", kwargs={"patient": clinic.ids["patient"]})).status_code == 404


class TestFees:
    def load(self, client: Client, text: str) -> Any:
        return post(client, "fee-import", {"file": SimpleUploadedFile("fees.csv", text.encode())})

    def test_a_file_is_loaded(self, biller: Client, clinic: Clinic) -> None:
        self.load(biller, "code,description,price,charged_for\n99213,Licensed words,$95.50,visit:sick-visit\nG0103,PSA,42\n")
        assert (Fee.objects.get(code="99213").price, Fee.objects.get(code="99213").charged_for) == (D("95.50"), ["visit:sick-visit"])
        assert "G0103" in get(biller, "fees")

    def test_every_bad_row_is_named_and_nothing_goes_in(self, biller: Client, clinic: Clinic) -> None:
        response = self.load(biller, "code,description,price\nG0103,PSA,42\nXX,What,5\nG0104,,1\nG0105,Words,1.234\n")
        page = response.content.decode()
        assert response.status_code == 422
        assert "3 rows cannot be read" in page
        assert not Fee.objects.filter(code="G0103").exists()

    def test_a_price_is_changed(self, biller: Client, clinic: Clinic) -> None:
        post(biller, "fee", {"code": "G0008", "description": "Flu vaccine", "price": "31", "charged_for": "immunization:140"}, code="G0008")
        assert Fee.objects.get(code="G0008").price == D("31.00")

    def test_a_wrong_price_stands_beside_its_field(self, biller: Client, clinic: Clinic) -> None:
        assert "is not a price" in post(biller, "fee-new", {"code": "OW-X", "description": "x", "price": "abc"}).content.decode()

    def test_a_service_is_taken_off(self, biller: Client, clinic: Clinic) -> None:
        post(biller, "fee-retire", code="G0008")
        assert "G0008" not in get(biller, "fees")


class TestPayingFromAMessage:
    def link(self, clinic: Clinic) -> str:
        actions.take_file(data=file_of(answer(clinic.sent(), *PAID_IN_PART)), name="era", by=clinic.biller)
        with unit_of_work(by=clinic.biller) as work:
            return make_link(work, clinic.ids["patient"]).rsplit("/", 1)[1]

    def test_it_takes_no_account_and_one_press(self, clinic: Clinic) -> None:
        token, client = self.link(clinic), Client()
        assert "$40.00" in get(client, "pay", token=token)
        response = post(client, "pay", {**CARD, "amount": "40.00"}, token=token)
        assert response["Location"] == reverse("billing:paid", kwargs={"token": token})
        assert "Thank you" in get(client, "paid", token=token)
        assert client.get(reverse("billing:paid-pdf", kwargs={"token": token})).content.startswith(b"%PDF")
        assert patient_balance(1, clinic.ids["patient"]) == 0

    def test_the_page_tells_nothing_about_the_patient(self, clinic: Clinic) -> None:
        page = get(Client(), "pay", token=self.link(clinic))
        assert not any(words in page for words in ("Okafor", "OKAFOR", "Ada", "I10", "visit"))

    def test_a_declined_card_can_be_tried_again(self, clinic: Clinic) -> None:
        token, client = self.link(clinic), Client()
        response = post(client, "pay", {**CARD, "number": "4000000000009995", "amount": "40.00"}, token=token)
        assert "not enough money" in response.content.decode()
        assert post(client, "pay", {**CARD, "amount": "40.00", "key": "form-2"}, token=token).status_code == 303

    def test_a_link_that_paid_leads_to_its_receipt(self, clinic: Clinic) -> None:
        token, client = self.link(clinic), Client()
        post(client, "pay", {**CARD, "amount": "40.00"}, token=token)
        assert client.get(reverse("billing:pay", kwargs={"token": token}))["Location"].endswith("/receipt")

    def test_an_unknown_link_is_not_found(self, clinic: Clinic) -> None:
        assert Client().get(reverse("billing:pay", kwargs={"token": "x" * 32})).status_code == 404

    def test_an_expired_link_says_so(self, clinic: Clinic) -> None:
        token = self.link(clinic)
        with unit_of_work(by=clinic.biller) as work:
            make_link(work, clinic.ids["patient"])
        assert Client().get(reverse("billing:pay", kwargs={"token": token})).status_code == 410

    def test_the_key_in_the_address_is_not_put_into_problem_reports(self, clinic: Clinic) -> None:
        token = self.link(clinic)
        assert token not in get(Client(), "pay", token=token).replace(f'action="{reverse("billing:pay", kwargs={"token": token})}"', "")


class TestElsewhere:
    def test_the_manager_sees_the_money_in_numbers(self, signed_in: SignIn, clinic: Clinic) -> None:
        clinic.sent()
        page = signed_in("manager").get("/").content.decode()
        assert "Owed by patients" in page
        assert "OKAFOR" not in page

    def test_a_claim_is_found_in_the_palette_by_its_number(self, biller: Client, clinic: Clinic) -> None:
        from openward.billing.homes import find_claims
        from tests import cast

        number = facts.number_of(clinic.claim())
        request = type("Request", (), {"actor": cast.staff("biller")})()
        assert [item.label for item in find_claims(request, number[-3:])] == [number]
        assert find_claims(type("Request", (), {"actor": cast.staff("nurse")})(), number) == []
