"""Messages: the patient writes in the portal, the practice answers from the inbox, both read the same conversation."""

from __future__ import annotations

import pytest

from openward.chart.actions import assign, close_thread, complete, send_message, take_over
from openward.chart.actions.inbox import reopen
from openward.chart.errors import IllegalTransition, NothingToSend
from openward.chart.queries import thread, threads
from openward.chart.queries.inbox import read_inbox
from openward.fhir.errors import NotFound
from openward.fhir.resources import Communication, Task
from openward.outbox.models import Message
from openward.record import open_store
from tests.cast import OTHER_PATIENT_ID, patient


@pytest.fixture
def question(clinic, patient_actor) -> Communication:
    return send_message(patient=clinic.patient, topic="Cough", text="It will not go away.", by=patient_actor)


class TestAPatientsMessage:
    def test_waits_for_whoever_answers(self, clinician, question):
        (item,) = read_inbox(open_store(clinician), clinician).items
        assert (item.kind, item.title, item.is_everyones, item.focus) == ("answer-message", "Cough", True, question.id)

    def test_for_someone_lands_with_them_alone(self, clinic, clinician, colleague, patient_actor):
        send_message(patient=clinic.patient, text="Hello", to=clinic.practitioner, by=patient_actor)
        assert len(read_inbox(open_store(clinician), clinician).items) == 1
        assert read_inbox(open_store(colleague), colleague).items == []

    def test_of_nothing_is_refused(self, clinic, patient_actor):
        with pytest.raises(NothingToSend):
            send_message(patient=clinic.patient, text="  ", by=patient_actor)

    def test_cannot_be_put_into_another_patients_conversation(self, clinic, question):
        clinic.put(resourceType="Patient", id=OTHER_PATIENT_ID, name=[{"family": "Other"}])
        with pytest.raises(NotFound):
            send_message(patient=OTHER_PATIENT_ID, thread=str(question.id), text="Me too", by=patient(OTHER_PATIENT_ID))

    def test_cannot_be_written_in_another_patients_name(self, clinic, question):
        with pytest.raises(NotFound):
            send_message(patient=clinic.patient, text="Me too", by=patient(OTHER_PATIENT_ID))


class TestAnAnswer:
    def test_is_read_by_the_patient(self, clinic, clinician, patient_actor, question):
        send_message(patient=clinic.patient, thread=str(question.id), text="Come in tomorrow.", by=clinician)
        (found,) = threads(open_store(patient_actor), clinic.patient)
        assert [(letter.text, letter.from_patient, letter.sender) for letter in found.letters] == [
            ("It will not go away.", True, "Patient"),
            ("Come in tomorrow.", False, "Dr Chidi Okafor"),
        ]

    def test_finishes_the_item(self, clinic, clinician, question):
        send_message(patient=clinic.patient, thread=str(question.id), text="Come in tomorrow.", by=clinician)
        assert read_inbox(open_store(clinician), clinician).items == []

    def test_tells_the_patient_that_something_waits_and_not_what(self, clinic, clinician, question):
        send_message(patient=clinic.patient, thread=str(question.id), text="Take the antibiotic.", by=clinician)
        assert "antibiotic" not in Message.objects.get(kind="message-received").body

    def test_answered_by_the_patient_opens_the_item_again(self, clinic, clinician, patient_actor, question):
        send_message(patient=clinic.patient, thread=str(question.id), text="Come in tomorrow.", by=clinician)
        send_message(patient=clinic.patient, thread=str(question.id), text="I cannot.", by=patient_actor)
        (item,) = read_inbox(open_store(clinician), clinician).items
        assert (item.focus, thread(open_store(clinician), item.focus).waits_for_answer) == (question.id, True)

    def test_stays_with_who_answered_first(self, clinic, clinician, colleague, patient_actor, question):
        send_message(patient=clinic.patient, thread=str(question.id), text="Come in tomorrow.", by=clinician)
        send_message(patient=clinic.patient, thread=str(question.id), text="I cannot.", by=patient_actor)
        assert read_inbox(open_store(colleague), colleague).items == []


class TestWorkingTheItem:
    def item(self, clinician) -> Task:
        return read_inbox(open_store(clinician), clinician).items[0].task

    def test_closed_without_an_answer_is_done(self, clinician, question):
        close_thread(thread=str(question.id), by=clinician)
        assert read_inbox(open_store(clinician), clinician).items == []

    def test_handed_over_is_the_others(self, clinic, clinician, colleague, question):
        assign(task=str(self.item(clinician).id), to=str(colleague.reference_id), name="Dr Lindqvist", by=clinician)
        assert read_inbox(open_store(clinician), clinician).items == []
        assert len(read_inbox(open_store(colleague), colleague).items) == 1

    def test_taken_is_mine(self, clinician, colleague, question):
        take_over(task=str(self.item(clinician).id), by=clinician)
        assert read_inbox(open_store(colleague), colleague).items == []

    def test_done_can_be_taken_back(self, clinician, question):
        done = complete(task=str(self.item(clinician).id), by=clinician)
        reopen(task=str(done.id), by=clinician)
        assert len(read_inbox(open_store(clinician), clinician).items) == 1

    def test_done_cannot_become_rejected(self, clinician, question):
        done = complete(task=str(self.item(clinician).id), by=clinician)
        done.status = "rejected"
        with pytest.raises(IllegalTransition):
            open_store(clinician).update(done)
