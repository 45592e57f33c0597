"""Claims with a diagnosis that the law protects: withheld from billing until the patient consents to payment, and sent then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from openward.access.labels import LABELS, labels_of
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.billing import actions, jobs
from openward.billing.models import ClaimRow, RemittanceItem, RemittanceRow
from openward.billing.protected import waiting_for_consent, withheld
from openward.billing.queries.readiness import findings
from openward.fhir.errors import FhirError, Forbidden, NotFound
from openward.fhir.resources import ChargeItem, Claim, ExplanationOfBenefit
from openward.record import open_store
from tests import cast
from tests.billing.clinic import PAID_IN_PART, Clinic, answer, file_of, patient

pytestmark = pytest.mark.django_db
ETH = LABELS["ETH"].coding


def consent(clinic: Clinic, patient: str = "patient", *, id: str = "tpo", status: str = "active", **provision: Any) -> None:
    said = {"type": "permit", "purpose": [{"code": code} for code in ("TREAT", "HPAYMT", "HOPERAT")], "securityLabel": [ETH], **provision}
    open_store(cast.system()).update(
        {
            "resourceType": "Consent", "id": id, "status": status, "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"text": "privacy"}],
            "patient": {"reference": f"Patient/{clinic.ids[patient]}"}, "policyRule": {"text": "42 CFR Part 2"}, "provision": said,
        }
    )  # fmt: skip


@pytest.fixture
def protected(clinic: Clinic) -> Claim:
    """A claim of a visit for opioid use, made as it is when a note is signed."""
    visit = clinic.visit(codes=("F11.20", "I10"))
    claim = actions.claim_signed_visit(visit=str(visit.id), by=cast.system("bill signed visits"))
    assert claim is not None
    return clinic.read(claim)


@pytest.fixture
def biller(client: Client, clinic: Clinic) -> Client:
    client.force_login(User.objects.create_user(sign_in="bill", password=None, role="biller", name="Bill"))
    return client


class TestTheLabel:
    def test_comes_from_the_diagnosis(self, protected: Claim) -> None:
        assert labels_of(protected.data) == {"ETH"}
        assert ClaimRow.objects.get(claim=protected.id).labels == ["ETH"]

    def test_is_on_the_charges_too(self, clinic: Clinic, protected: Claim) -> None:
        assert {tuple(labels_of(charge.data)) for charge in clinic.store.search(ChargeItem, {})} == {("ETH",)}
        assert not open_store(clinic.biller).search(ChargeItem, {}).resources

    def test_that_was_put_on_a_problem_by_hand_is_inherited(self, clinic: Clinic) -> None:
        visit = clinic.visit(codes=("I10",))
        clinic.change("Condition", clinic.ids["visit-I10"], meta={"security": [LABELS["PRS"].coding]})
        claim = actions.claim_signed_visit(visit=str(visit.id), by=cast.system())
        assert claim is not None
        assert labels_of(clinic.read(claim).data) == {"PRS"}

    def test_is_inherited_from_a_diagnosis_named_by_reference(self, clinic: Clinic) -> None:
        clinic.visit(codes=("F11.20",))
        named = {"sequence": 1, "diagnosisReference": {"reference": f"Condition/{clinic.ids['visit-F11.20']}"}}
        base = clinic.claim("ordinary", codes=("I10",)).data
        made = clinic.make("named", {key: value for key, value in base.items() if key not in ("id", "meta", "identifier")} | {"diagnosis": [named]})
        assert labels_of(made.data) == {"ETH"}

    def test_passes_to_what_the_payer_answers(self, clinic: Clinic, protected: Claim) -> None:
        consent(clinic)
        actions.check_again(claim=str(protected.id), by=cast.system())
        actions.submit(claims=[str(protected.id)], by=clinic.biller)
        actions.take_file(data=file_of(answer(clinic.read(protected), *PAID_IN_PART)), name="a.835", by=clinic.biller)
        assert [labels_of(one.data) for one in clinic.store.search(ExplanationOfBenefit, {})] == [{"ETH"}]

    def test_is_not_put_on_an_ordinary_claim(self, clinic: Clinic) -> None:
        assert ClaimRow.objects.get(claim=clinic.claim().id).labels == []


class TestWithoutConsent:
    def test_a_biller_is_not_shown_it(self, clinic: Clinic, protected: Claim) -> None:
        with pytest.raises(NotFound):
            open_store(clinic.biller).read(Claim, str(protected.id))
        assert [row.claim for row in withheld(clinic.biller)] == [protected.id]

    def test_the_scrub_list_says_why_it_cannot_be_sent(self, clinic: Clinic, protected: Claim) -> None:
        assert [finding.rule for finding in findings(clinic.store, protected)] == ["consent"]
        assert clinic.state(protected) == "draft"

    def test_it_is_not_sent_by_anyone(self, clinic: Clinic, protected: Claim) -> None:
        for by in (clinic.biller, cast.system()):
            with pytest.raises(FhirError):
                actions.submit(claims=[str(protected.id)], by=by)

    def test_the_list_says_that_it_waits_and_nothing_of_it(self, biller: Client, protected: Claim) -> None:
        page = biller.get(reverse("billing:claims")).content.decode()
        assert "1 claim waits for the patient" in page
        assert str(ClaimRow.objects.get().number) in page
        assert "OKAFOR" not in page
        assert "Needs consent" in biller.get(reverse("billing:claims") + "?state=needs-consent").content.decode()

    def test_its_page_says_what_to_do_and_nothing_of_it(self, biller: Client, protected: Claim) -> None:
        page = biller.get(reverse("billing:claim", kwargs={"claim": protected.id})).content.decode()
        assert "privacy officer" in page
        assert "OKAFOR" not in page
        assert "F11" not in page

    def test_it_is_not_found_by_the_patients_name(self, biller: Client, protected: Claim) -> None:
        assert ClaimRow.objects.get().number not in biller.post(reverse("billing:search"), {"q": "okafor"}).content.decode()
        assert ClaimRow.objects.get().number in biller.post(reverse("billing:search"), {"q": ClaimRow.objects.get().number}).content.decode()

    def test_no_other_page_of_it_opens(self, biller: Client, protected: Claim) -> None:
        for name in ("claim-diagnoses", "claim-837", "claim-coverage", "claim-line-new"):
            assert biller.get(reverse(f"billing:{name}", kwargs={"claim": protected.id})).status_code == 404

    def test_a_protected_diagnosis_that_a_biller_adds_closes_the_claim_to_them(self, clinic: Clinic, biller: Client) -> None:
        claim = clinic.claim(codes=("I10",))
        assert clinic.state(claim) == "ready"
        there = {"codes": "I10\nF11.20", "version": str(clinic.read(claim).meta.versionId)}  # type: ignore[union-attr]
        biller.post(reverse("billing:claim-diagnoses", kwargs={"claim": claim.id}), there)
        assert (clinic.state(claim), ClaimRow.objects.get().labels) == ("draft", ["ETH"])
        assert "What this claim says is withheld" in biller.get(reverse("billing:claim", kwargs={"claim": claim.id})).content.decode()

    def test_who_only_watches_has_no_page_of_it(self, client: Client, protected: Claim) -> None:
        client.force_login(User.objects.create_user(sign_in="mia", password=None, role="manager", name="Mia"))
        assert client.get(reverse("billing:claim", kwargs={"claim": protected.id})).status_code == 404
        assert "OKAFOR" not in client.get(reverse("billing:claims")).content.decode()

    def test_the_officer_is_told_whose_consent_to_ask_for(self, clinic: Clinic, protected: Claim) -> None:
        assert [row.claim for row in waiting_for_consent(cast.staff("privacy-officer"))] == [protected.id]

    def test_the_officers_page_names_the_patient_and_leads_to_the_consent(self, clinic: Clinic, client: Client, protected: Claim) -> None:
        client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia"))
        page = client.get(reverse("billing:consent-wanted")).content.decode()
        assert "OKAFOR" in page
        assert "for=payment&amp;label=ETH" in page
        consent(clinic)
        assert "OKAFOR" not in client.get(reverse("billing:consent-wanted")).content.decode()

    def test_what_is_made_by_hand_has_every_diagnosis(self, clinic: Clinic, biller: Client) -> None:
        visit = clinic.visit(codes=("F11.20", "I10"))
        biller.post(reverse("billing:visit-claim", kwargs={"visit": visit.id}))
        assert len(clinic.store.read(Claim, ClaimRow.objects.get().claim).diagnosis) == 2


class TestWithConsent:
    def test_it_is_shown_and_sent(self, clinic: Clinic, protected: Claim) -> None:
        consent(clinic)
        jobs.check_claim(tenant=1, claim=str(protected.id))
        assert open_store(clinic.biller).read(Claim, str(protected.id))
        actions.submit(claims=[str(protected.id)], by=clinic.biller)
        assert clinic.state(protected) == "submitted"

    def test_of_someone_else_it_is_not(self, clinic: Clinic, protected: Claim) -> None:
        clinic.make("other", patient("Brandt", "Ben"))
        consent(clinic, "other")
        assert [finding.rule for finding in findings(clinic.store, protected)] == ["consent"]

    def test_to_treatment_alone_it_is_not(self, clinic: Clinic, protected: Claim) -> None:
        consent(clinic, purpose=[{"code": "TREAT"}])
        assert [finding.rule for finding in findings(clinic.store, protected)] == ["consent"]

    def test_withdrawn_while_the_page_is_open_it_is_not_sent(self, clinic: Clinic, biller: Client, protected: Claim) -> None:
        consent(clinic)
        jobs.check_claim(tenant=1, claim=str(protected.id))
        there = reverse("billing:claim", kwargs={"claim": protected.id})
        assert "OKAFOR" in biller.get(there).content.decode()
        consent(clinic, status="inactive")
        biller.post(reverse("billing:claim-submit", kwargs={"claim": protected.id}))
        assert clinic.state(protected) == "ready"
        assert "OKAFOR" not in biller.get(there).content.decode()
        jobs.check_claim(tenant=1, claim=str(protected.id))
        assert clinic.state(protected) == "draft"

    def test_withdrawn_after_it_was_paid_the_account_still_opens_and_the_old_papers_do_not(
        self, clinic: Clinic, biller: Client, protected: Claim
    ) -> None:
        consent(clinic)
        jobs.check_claim(tenant=1, claim=str(protected.id))
        file = actions.submit(claims=[str(protected.id)], by=clinic.biller)
        actions.take_file(data=file_of(answer(clinic.read(protected), *PAID_IN_PART)), name="a.835", by=clinic.biller)
        made = actions.send_statement(patient=clinic.ids["patient"], by=clinic.biller)
        assert made.labels == ["ETH"]
        paper, sent = reverse("billing:statement-pdf", kwargs={"statement": made.id}), reverse("billing:submission", kwargs={"submission": file.id})
        assert (biller.get(paper).status_code, biller.get(sent).status_code) == (200, 200)
        consent(clinic, status="inactive")
        assert (biller.get(paper).status_code, biller.get(sent).status_code) == (404, 404)
        page = biller.get(reverse("billing:account", kwargs={"patient": clinic.ids["patient"]})).content.decode()
        assert "Health service" in page
        assert "Office visit" not in page

    def test_a_remittance_is_posted_whole_by_who_is_not_shown_the_claim(self, clinic: Clinic, protected: Claim) -> None:
        consent(clinic)
        jobs.check_claim(tenant=1, claim=str(protected.id))
        actions.submit(claims=[str(protected.id)], by=clinic.biller)
        consent(clinic, status="inactive")
        actions.take_file(data=file_of(answer(clinic.read(protected), *PAID_IN_PART)), name="a.835", by=clinic.biller)
        assert clinic.state(protected) == "paid"

    def test_withdrawn_a_remittance_names_nobody_and_its_file_is_closed(self, clinic: Clinic, biller: Client, protected: Claim) -> None:
        consent(clinic)
        jobs.check_claim(tenant=1, claim=str(protected.id))
        actions.submit(claims=[str(protected.id)], by=clinic.biller)
        actions.take_file(data=file_of(answer(clinic.read(protected), *PAID_IN_PART)), name="a.835", by=clinic.biller)
        there = {"remittance": RemittanceRow.objects.get().id}
        page, file = reverse("billing:remittance", kwargs=there), reverse("billing:remittance-file", kwargs=there)
        assert "OKAFOR" in biller.get(page).content.decode()
        assert biller.get(file).status_code == 200
        consent(clinic, status="inactive")
        assert "OKAFOR" not in biller.get(page).content.decode()
        assert biller.get(file).status_code == 404


class TestMatchingByHand:
    """The payer's number was not ours: somebody finds out which claim the money is for."""

    @pytest.fixture
    def waiting(self, clinic: Clinic, protected: Claim) -> dict[str, Any]:
        """The claim was sent with consent, the consent withdrawn, the answer came under another number."""
        consent(clinic)
        jobs.check_claim(tenant=1, claim=str(protected.id))
        actions.submit(claims=[str(protected.id)], by=clinic.biller)
        consent(clinic, status="inactive")
        sent = replace(answer(clinic.read(protected), *PAID_IN_PART), claim="OW999999")
        actions.take_file(data=file_of(sent), name="a.835", by=clinic.biller)
        return {"remittance": RemittanceRow.objects.get().id, "place": 1}

    def test_to_a_withheld_claim_posts_and_says_its_number_only(
        self, clinic: Clinic, biller: Client, protected: Claim, waiting: dict[str, Any]
    ) -> None:
        number = ClaimRow.objects.get().number
        page = biller.post(reverse("billing:match", kwargs=waiting), {"number": number}, follow=True).content.decode()
        assert f"Matched and posted to claim {number}" in page
        assert "OKAFOR" not in page
        assert clinic.state(protected) == "paid"
        assert (RemittanceItem.objects.get().state, RemittanceItem.objects.get().worked_by) == ("matched", "Bill")

    def test_shows_no_more_of_the_claim_after(self, clinic: Clinic, biller: Client, protected: Claim, waiting: dict[str, Any]) -> None:
        biller.post(reverse("billing:match", kwargs=waiting), {"number": ClaimRow.objects.get().number})
        page = biller.get(reverse("billing:remittance", kwargs={"remittance": waiting["remittance"]})).content.decode()
        assert "OKAFOR" not in page
        with pytest.raises(NotFound):
            open_store(clinic.biller).read(Claim, str(protected.id))

    def test_is_on_the_trail_in_the_name_of_who_did_it(self, clinic: Clinic, biller: Client, protected: Claim, waiting: dict[str, Any]) -> None:
        biller.post(reverse("billing:match", kwargs=waiting), {"number": ClaimRow.objects.get().number})
        written = AuditEvent.objects.filter(interaction="update", rkey=protected.id, actor="system:post remittances").order_by("at").last()
        assert written is not None
        assert (written.on_behalf_of or "").startswith("user:")

    def test_by_who_posts_no_remittances_is_refused(self, clinic: Clinic, protected: Claim, waiting: dict[str, Any]) -> None:
        with pytest.raises(Forbidden):
            actions.match_item(remittance=str(waiting["remittance"]), place=1, claim=str(protected.id), by=cast.staff("nurse"))
        assert clinic.state(protected) == "submitted"


def test_a_consent_has_the_patients_drafts_looked_at_again(clinic: Clinic, protected: Claim) -> None:
    def queued() -> int:
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from procrastinate_jobs where task_name = 'billing.check_claim'")
            return int(cursor.fetchone()[0])

    before = queued()
    consent(clinic)
    assert queued() == before + 1


def test_the_ordinary_list_asks_no_more_than_before(clinic: Clinic, biller: Client) -> None:
    """The policy of a list is decided from the rows it reads anyway."""
    clinic.claim()
    clinic.make("other", patient("Brandt", "Ben"))
    clinic.make("other-coverage", clinic.coverage("other"))
    there = reverse("billing:claims")
    biller.get(there)

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            biller.get(there)
        return sum("billing_claim" in one["sql"] and "labels" in one["sql"] and "&&" in one["sql"] for one in asked.captured_queries)

    assert statements() == 0
    visit = clinic.visit("second", "other", codes=("F11.20",))
    actions.claim_signed_visit(visit=str(visit.id), by=cast.system())
    biller.get(there)
    assert statements() == 1
