"""The rows and cards of the chart: what is written is shown as words, and what may not be done is not offered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openward.chart import rows
from openward.chart.drawing import CARDS, Sheet, allergies, medications, orders
from openward.chart.presenters.lists import AllergySlot, DocumentRow, ImmunizationRow
from openward.chart.presenters.medications import line_of
from openward.fhir.resources import Resource

WRITTEN = '<b onclick="x()">Ivory & Co</b>'
READ = "&lt;b onclick=&quot;x()&quot;&gt;Ivory &amp; Co&lt;/b&gt;"
MAY_ALL = ("record_vitals", "review", "manage_problems", "prescribe", "order", "write")


def sheet(*may: str, **chart: Any) -> Sheet:
    return Sheet(SimpleNamespace(**chart), "ada", {f"may_{one}": True for one in may}.get, "token")  # type: ignore[arg-type]


def typed(type: str, **elements: Any) -> Any:
    return Resource.of({"resourceType": type, "id": "one", **elements})


PRESCRIBED = typed("MedicationRequest", status="on-hold", medicationCodeableConcept={"text": WRITTEN}, requester={"display": WRITTEN})
TOLD = typed("MedicationStatement", status="active", medicationCodeableConcept={"text": "Ginkgo"})
ORDERED = typed("ServiceRequest", status="active", priority="urgent", code={"text": WRITTEN}, identifier=[{"value": "L-7"}], authoredOn="2026-11-03")


def test_what_was_written_is_shown_and_not_obeyed() -> None:
    note = typed("Composition", title=WRITTEN, author=[{"display": WRITTEN}], status="preliminary", date="2026-11-03T14:05:00Z")
    shot = typed("Immunization", status="not-done", vaccineCode={"text": WRITTEN}, statusReason={"text": WRITTEN})
    drawn = [
        rows.medication_row(line_of(PRESCRIBED), sheet(*MAY_ALL)),
        rows.order_row(ORDERED, "ada", True),
        rows.note_row(DocumentRow(note), "ada"),
        rows.shot_row(ImmunizationRow(shot)),
    ]
    for one in drawn:
        assert READ.lower() in one.lower()
        assert "<b onclick" not in one.lower()


def test_a_prescription_is_renewed_and_stopped_by_who_may_prescribe_alone() -> None:
    line = line_of(PRESCRIBED)
    assert all(words in rows.medication_row(line, sheet("prescribe")) for words in ("Renew", "Stop", "On hold"))
    assert not any(words in rows.medication_row(line, sheet("review")) for words in ("Renew", "Stop"))


def test_what_the_patient_told_is_ended_by_a_form_that_is_safe_to_send_twice() -> None:
    shown = rows.medication_row(line_of(TOLD), sheet("review"))
    assert "told by the patient" in shown
    assert 'name="csrfmiddlewaretoken" value="token"' in shown
    assert 'name="_once"' in shown
    assert "<form" not in rows.medication_row(line_of(TOLD), sheet("prescribe"))


def test_an_order_is_cancelled_by_who_may_order_alone() -> None:
    shown = orders(sheet("order", open_orders=[ORDERED]))
    assert "03-Nov-2026 · urgent · L-7" in shown
    assert "Cancel" in shown
    assert "Cancel" not in orders(sheet(open_orders=[ORDERED]))


def test_that_nobody_asked_for_allergies_is_said() -> None:
    shown = allergies(sheet("review", allergy_slot=AllergySlot((), None)))
    assert "Allergies not asked" in shown
    assert "No known allergies" in shown
    assert "No known allergies" not in allergies(sheet(allergy_slot=AllergySlot((), None)))


def test_no_medication_is_said_to_be_unknown_or_confirmed() -> None:
    from openward.web.banner import Review

    confirmed = Review(at="2026-11-03T14:05:00Z", by="Ada (Dr)", none_known=True)
    assert "No current medications recorded." in medications(sheet(medications=[], medications_review=None))
    shown = medications(sheet(medications=[], medications_review=confirmed))
    assert "Takes no medications — confirmed 03-Nov-2026 by Ada (Dr)" in shown
    assert "Reviewed 03-Nov-2026 by Ada (Dr)" in shown


@pytest.mark.parametrize("name", CARDS)
def test_every_card_reloads_itself_from_its_own_address(name: str) -> None:
    class Empty:
        """A chart with nothing in it."""

        allergy_slot = AllergySlot((), None)
        vitals = SimpleNamespace(is_empty=True)
        past_problems = 0
        medications_review = None

        def __getattr__(self, name: str) -> tuple[()]:
            return ()

    shown = CARDS[name](Sheet(Empty(), "ada", {}.get, "token"))  # type: ignore[arg-type]
    assert f'id="{name}"' in shown
    assert f'hx-get="/chart/ada/cards/{name}/"' in shown
    assert f"refresh-{name} from:body" in shown
