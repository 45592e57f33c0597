"""Drafts, signing, addenda: what a note may and may not do."""

from __future__ import annotations

import pytest

from openward.access.actor import Actor
from openward.chart.actions import addendum, discard_draft, open_note, save_draft, sign_note
from openward.chart.actions.notes import texts_of
from openward.chart.errors import DraftChangedElsewhere, EmptyNote, IllegalTransition, NoteIsSigned, NotSigner, NotYourDraft
from openward.fhir.resources import Composition
from openward.record import open_store
from tests.cast import client


@pytest.fixture
def draft(clinic, clinician: Actor) -> Composition:
    return open_note(patient=clinic.patient, template="soap", by=clinician)


class TestADraft:
    def test_is_on_the_server_from_the_first_moment(self, clinic, draft):
        stored = clinic.read(Composition, draft.id)
        assert (stored.status, stored.encounter.target_id) == ("preliminary", clinic.visit)

    def test_keeps_what_was_written_in_each_section(self, clinic, clinician, draft):
        save_draft(note=draft.id, texts={"subjective": "Cough for 3 days.\nNo fever < 38", "plan": "Fluids"}, version=1, by=clinician)
        assert texts_of(clinic.read(Composition, draft.id)) == {
            "subjective": "Cough for 3 days.\nNo fever < 38",
            "objective": "",
            "assessment": "",
            "plan": "Fluids",
        }

    def test_goes_on_after_signing_in_again(self, clinic, clinician, draft):
        save_draft(note=draft.id, texts={"plan": "Fluids"}, version=1, by=clinician)
        again = Actor(id=clinician.id, name=clinician.name, kind="staff", tenant=1, role="clinician", reference=clinician.reference)
        saved = save_draft(note=draft.id, texts={"plan": "Fluids, rest"}, version=2, by=again)
        assert texts_of(saved)["plan"] == "Fluids, rest"

    def test_saved_again_after_a_lost_connection_is_the_same_draft(self, clinic, clinician, draft):
        first = save_draft(note=draft.id, texts={"plan": "Fluids"}, version=1, by=clinician)
        answer_was_lost = save_draft(note=draft.id, texts={"plan": "Fluids"}, version=int(first.meta.versionId), by=clinician)
        assert answer_was_lost.meta.versionId == first.meta.versionId

    def test_open_twice_does_not_overwrite(self, clinic, clinician, draft):
        save_draft(note=draft.id, texts={"plan": "in one window"}, version=1, by=clinician)
        with pytest.raises(DraftChangedElsewhere):
            save_draft(note=draft.id, texts={"plan": "in another window"}, version=1, by=clinician)
        assert texts_of(clinic.read(Composition, draft.id))["plan"] == "in one window"

    def test_is_its_authors_alone(self, draft, colleague):
        with pytest.raises(NotYourDraft):
            save_draft(note=draft.id, texts={"plan": "mine now"}, version=1, by=colleague)

    def test_from_elsewhere_loses_nothing_when_it_is_saved_here(self, clinic, clinician):
        made = clinic.put(
            resourceType="Composition",
            status="preliminary",
            type={"text": "Note"},
            title="Sick visit note",
            date="2026-11-21T09:00:00Z",
            subject={"reference": f"Patient/{clinic.patient}"},
            author=[{"reference": f"Practitioner/{clinic.practitioner}"}],
            section=[
                {"title": "Story", "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Cough</p></div>'}},
                {"title": "Orders", "entry": [{"reference": f"Encounter/{clinic.visit}"}]},
            ],
        )
        saved = save_draft(note=made.id, texts={"own-1": "Cough, 3 days"}, version=1, by=clinician)
        assert [(one.title, bool(one.text), len(one.entry)) for one in saved.section] == [("Story", True, 0), ("Orders", False, 1)]
        assert texts_of(saved) == {"own-1": "Cough, 3 days", "own-2": ""}

    def test_discarded_is_marked_not_deleted(self, clinic, clinician, draft):
        discard_draft(note=draft.id, by=clinician)
        assert clinic.read(Composition, draft.id).status == "entered-in-error"


class TestSigning:
    def test_locks_with_name_and_time(self, clinic, clinician, draft):
        sign_note(note=draft.id, texts={"plan": "Fluids"}, version=1, by=clinician)
        stored = clinic.read(Composition, draft.id)
        attester = stored.attester[0]
        assert (stored.status, attester.mode, attester.party.display) == ("final", "legal", "Dr Chidi Okafor")
        assert attester.time

    def test_an_empty_note_is_refused(self, clinician, draft):
        with pytest.raises(EmptyNote):
            sign_note(note=draft.id, texts={"plan": "  "}, by=clinician)

    def test_a_nurse_cannot(self, clinic, clinician, nurse, draft):
        with pytest.raises(Exception, match=r"may not|does not exist|someone else"):
            sign_note(note=draft.id, texts={"plan": "Fluids"}, by=nurse)

    @pytest.mark.parametrize("who", ["author", "colleague", "client"])
    def test_nobody_changes_a_signed_note_afterwards(self, who, clinic, clinician, colleague, draft):
        actor = {"author": clinician, "colleague": colleague, "client": client()}[who]
        signed = sign_note(note=draft.id, texts={"plan": "Fluids"}, by=clinician)
        signed.title = "Something else"
        with pytest.raises(NoteIsSigned):
            open_store(actor).update(signed)

    def test_a_signed_note_cannot_be_deleted(self, clinic, clinician, draft):
        sign_note(note=draft.id, texts={"plan": "Fluids"}, by=clinician)
        with pytest.raises(NoteIsSigned):
            open_store(client()).delete("Composition", draft.id)

    def test_a_signed_note_cannot_be_declared_an_error(self, clinic, clinician, draft):
        signed = sign_note(note=draft.id, texts={"plan": "Fluids"}, by=clinician)
        signed.status = "entered-in-error"
        with pytest.raises(NoteIsSigned):
            open_store(client()).update(signed)

    def test_staff_without_the_permission_cannot_store_a_signed_note(self, clinic, clinician, draft):
        scribe = Actor(id="user:scribe", name="Scribe", kind="staff", tenant=1, role="nurse")
        signed = clinic.read(Composition, draft.id)
        signed.status = "final"
        with pytest.raises((NotSigner, Exception)):
            open_store(scribe).update(signed)
        assert clinic.read(Composition, draft.id).status == "preliminary"

    def test_a_discarded_draft_cannot_come_back(self, clinic, clinician, draft):
        gone = discard_draft(note=draft.id, by=clinician)
        gone.status = "final"
        with pytest.raises(IllegalTransition):
            open_store(client()).update(gone)


class TestAnAddendum:
    def test_points_at_the_note_it_adds_to(self, clinic, clinician, colleague, draft):
        sign_note(note=draft.id, texts={"plan": "Fluids"}, by=clinician)
        added = addendum(note=draft.id, text="Left ear, not right.", by=colleague)
        link = added.relatesTo[0]
        assert (added.status, link.code, link.targetReference.target_id) == ("final", "appends", draft.id)

    def test_leaves_the_note_as_it_was(self, clinic, clinician, draft):
        signed = sign_note(note=draft.id, texts={"plan": "Fluids"}, by=clinician)
        addendum(note=draft.id, text="Left ear, not right.", by=clinician)
        assert clinic.read(Composition, draft.id).meta.versionId == signed.meta.versionId
