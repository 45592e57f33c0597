"""The pages of the chart as their people use them; and as those who may not."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import PATIENT_ID


class TestTheChart:
    def test_is_one_page_with_every_card(self, sign_in, full_chart):
        page = sign_in("clinician").get(f"/chart/{PATIENT_ID}/").content.decode()
        for words in ("Essential hypertension", "warfarin sodium", "Hemoglobin A1c", "Influenza, seasonal", "NAKAMURA, Ada", "Never measured here"):
            assert words in page

    def test_says_that_allergies_were_not_asked(self, sign_in, full_chart):
        assert "Allergies not asked" in sign_in("nurse").get(f"/chart/{PATIENT_ID}/").content.decode()

    def test_names_the_tab_by_surname_and_last_four(self, sign_in, full_chart):
        assert "<title>NAKAMURA 0123" in sign_in("nurse").get(f"/chart/{PATIENT_ID}/").content.decode()

    def test_marks_an_abnormal_result_in_words(self, sign_in, full_chart):
        page = sign_in("clinician").get(f"/chart/{PATIENT_ID}/").content.decode()
        assert "4–5.6" in page or "4.0–5.6" in page
        assert '<b>H</b> <span aria-hidden="true">▲</span> high' in page

    @pytest.mark.parametrize(
        "card", ["problems", "medications", "allergies", "vitals", "results", "orders", "visits", "documents", "immunizations", "timeline"]
    )
    def test_each_card_reloads_alone(self, sign_in, full_chart, card):
        answer = sign_in("clinician").get(f"/chart/{PATIENT_ID}/cards/{card}/")
        assert answer.status_code == 200
        assert b"<html" not in answer.content

    @pytest.mark.parametrize("noun", ["problems", "medications", "allergies", "results", "visits", "notes", "documents", "immunizations", "timeline"])
    def test_each_list_has_a_page(self, sign_in, full_chart, noun):
        assert sign_in("nurse").get(f"/chart/{PATIENT_ID}/all/{noun}/").status_code == 200

    @pytest.mark.parametrize("path", ["trends/vital/pulse/", "trends/lab/4548-4/", "trends/lab/nonsense/"])
    def test_a_trend_opens_beside_it(self, sign_in, full_chart, path):
        assert sign_in("nurse").get(f"/chart/{PATIENT_ID}/{path}").status_code == 200

    @pytest.mark.parametrize("kind", ["visits", "problems", "medications", "results", "documents", "nonsense"])
    def test_the_timeline_can_show_one_kind(self, sign_in, full_chart, kind):
        assert sign_in("nurse").get(f"/chart/{PATIENT_ID}/all/timeline/?kind={kind}").status_code == 200

    def test_a_patient_who_does_not_exist_is_not_found(self, sign_in, full_chart):
        assert sign_in("clinician").get("/chart/0199c1f0-0000-7000-8000-00000000ffff/").status_code == 404


PANELS = {
    "vitals/new/": {"nurse", "clinician"},
    "allergies/new/": {"nurse", "clinician"},
    "problems/new/": {"clinician"},
    "problems/problem-1/": {"clinician"},
    "medications/new/": {"clinician"},
    "medications/reported/": {"nurse", "clinician"},
    "medications/med-1/renew/": {"clinician"},
    "medications/med-1/stop/": {"clinician"},
    "orders/new/": {"clinician"},
    "messages/new/": {"clinician"},
    "notes/new/": {"clinician"},
    "visits/0199c1f0-0000-7000-8000-00000000e001/diagnoses/": {"clinician"},
    "": {"nurse", "clinician"},
}


class TestDoors:
    @pytest.mark.parametrize(
        "role", ["front-desk", "nurse", "clinician", "biller", "it-agent", "manager", "privacy-officer", "administrator", "patient"]
    )
    def test_each_panel_opens_for_its_people_only(self, sign_in, full_chart, role):
        browser = sign_in(role)
        answers = {path: browser.get(f"/chart/{PATIENT_ID}/{path}").status_code for path in PANELS}
        assert answers == {path: 200 if role in roles else 404 for path, roles in PANELS.items()}

    def test_nobody_is_asked_to_sign_in(self, full_chart):
        assert Client().get(f"/chart/{PATIENT_ID}/").status_code == 302

    @pytest.mark.parametrize("path", ["problems/problem-1/", "medications/med-1/stop/", "medications/med-1/renew/"])
    def test_another_patients_address_leads_nowhere(self, sign_in, full_chart, path):
        other = full_chart.put(resourceType="Patient", name=[{"family": "Other"}])
        assert sign_in("clinician").get(f"/chart/{other.id}/{path}").status_code == 404


class TestDocuments:
    def document(self, clinic, kind: str, body: bytes) -> str:
        import base64

        made = clinic.put(
            resourceType="DocumentReference",
            status="current",
            subject={"reference": f"Patient/{clinic.patient}"},
            content=[{"attachment": {"contentType": kind, "data": base64.b64encode(body).decode()}}],
        )
        return f"/chart/{PATIENT_ID}/documents/{made.id}/"

    def test_open_in_the_browser_where_that_is_safe(self, sign_in, clinic):
        answer = sign_in("nurse").get(self.document(clinic, "application/pdf", b"%PDF-1.7"))
        assert (answer.content, answer.headers["Content-Disposition"][:6]) == (b"%PDF-1.7", "inline")

    @pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "application/x-nonsense"])
    def test_are_downloaded_where_it_is_not(self, sign_in, clinic, kind):
        answer = sign_in("nurse").get(self.document(clinic, kind, b"<script>alert(1)</script>"))
        assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"][:10]) == ("application/octet-stream", "attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"]

    def test_without_content_are_not_found(self, sign_in, clinic):
        made = clinic.put(
            resourceType="DocumentReference",
            status="current",
            subject={"reference": f"Patient/{clinic.patient}"},
            content=[{"attachment": {"title": "x"}}],
        )
        assert sign_in("nurse").get(f"/chart/{PATIENT_ID}/documents/{made.id}/").status_code == 404
