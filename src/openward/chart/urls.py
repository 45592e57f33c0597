"""Addresses of the chart room, under `/chart/`. What is not about one patient stands first: a patient's id may be any word."""

from __future__ import annotations

from django.urls import path

from openward.chart.views import chart, documents, home, inbox, lists, notes, orders, prescribing, seeking, visits, vitals

app_name = "chart"

urlpatterns = [
    path("home/<slug:card>/", home.card, name="home"),
    path("inbox/", inbox.show, name="inbox"),
    path("inbox/list/", inbox.listed, name="inbox-list"),
    path("inbox/overdue/", orders.overdue, name="overdue"),
    path("inbox/tasks/<str:task>/done/", inbox.done, name="task-done"),
    path("inbox/tasks/<str:task>/reopen/", inbox.again, name="task-reopen"),
    path("inbox/tasks/<str:task>/take/", inbox.take, name="task-take"),
    path("inbox/tasks/<str:task>/assign/", inbox.assign, name="task-assign"),
    path("inbox/results/<str:task>/", inbox.result, name="result"),
    path("inbox/results/<str:task>/match/", inbox.match, name="result-match"),
    path("inbox/messages/<str:thread_id>/", inbox.conversation, name="thread"),
    path("inbox/messages/<str:thread_id>/close/", inbox.close, name="thread-close"),
    path("find/diagnosis/", seeking.diagnosis, name="find-diagnosis"),
    path("find/drug/", seeking.drug, name="find-drug"),
    path("find/substance/", seeking.substance, name="find-substance"),
    path("visits/<str:visit>/summary/", visits.summary, name="visit-summary"),
    path("visits/<str:visit>/summary.pdf", visits.as_pdf, name="visit-summary-pdf"),
    path("<str:patient>/", chart.summary, name="summary"),
    path("<str:patient>/cards/<slug:card>/", chart.card, name="card"),
    path("<str:patient>/documents/<str:document>/", documents.attachment, name="document"),
    path("<str:patient>/all/<slug:noun>/", chart.whole_list, name="history"),
    path("<str:patient>/trends/<slug:kind>/<str:key>/", chart.trend, name="trend"),
    path("<str:patient>/vitals/new/", vitals.record, name="vitals"),
    path("<str:patient>/vitals/<str:observation>/wrong/", vitals.wrong, name="vitals-wrong"),
    path("<str:patient>/allergies/new/", lists.allergy_new, name="allergy-new"),
    path("<str:patient>/allergies/reviewed/", lists.allergies_reviewed, name="allergies-reviewed"),
    path("<str:patient>/allergies/<str:allergy>/", lists.allergy, name="allergy"),
    path("<str:patient>/problems/new/", lists.problem_new, name="problem-new"),
    path("<str:patient>/problems/<str:problem>/", lists.problem, name="problem"),
    path("<str:patient>/medications/reviewed/", lists.medications_reviewed, name="medications-reviewed"),
    path("<str:patient>/medications/new/", prescribing.prescribe, name="prescribe"),
    path("<str:patient>/medications/new/details/", prescribing.details, name="prescribe-details"),
    path("<str:patient>/medications/reported/", lists.medication_reported, name="medication-reported"),
    path("<str:patient>/medications/reported/<str:statement>/ended/", lists.medication_ended, name="medication-ended"),
    path("<str:patient>/medications/<str:medication>/renew/", prescribing.renew, name="renew"),
    path("<str:patient>/medications/<str:medication>/stop/", prescribing.stop, name="stop"),
    path("<str:patient>/orders/new/", orders.order, name="order"),
    path("<str:patient>/orders/<str:order>/cancel/", orders.cancel, name="order-cancel"),
    path("<str:patient>/messages/new/", inbox.write, name="message-new"),
    path("<str:patient>/visits/<str:visit>/diagnoses/", notes.visit_diagnoses, name="diagnoses"),
    path("<str:patient>/notes/new/", notes.new, name="note-new"),
    path("<str:patient>/notes/<str:note>/", notes.note, name="note"),
    path("<str:patient>/notes/<str:note>/draft/", notes.draft, name="note-draft"),
    path("<str:patient>/notes/<str:note>/save/", notes.save, name="note-save"),
    path("<str:patient>/notes/<str:note>/sign/", notes.sign, name="note-sign"),
    path("<str:patient>/notes/<str:note>/discard/", notes.discard, name="note-discard"),
    path("<str:patient>/notes/<str:note>/addendum/", notes.add, name="note-addendum"),
]
