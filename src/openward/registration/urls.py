"""Addresses of registration, under `/patients/`. Ids only: no patient data."""

from __future__ import annotations

from django.urls import path

from openward.registration.views import coverage, finding, merging, patients

app_name = "registration"

urlpatterns = [
    path("", finding.find, name="find"),
    path("found", finding.found, name="found"),
    path("new", patients.new, name="new"),
    path("<str:patient>", patients.patient, name="patient"),
    path("<str:patient>/details", patients.edit, name="edit"),
    path("<str:patient>/cards/details", patients.details_card, name="details-card"),
    path("<str:patient>/cards/appointments", patients.appointments_card, name="appointments-card"),
    path("<str:patient>/cards/coverage", coverage.card, name="coverage-card"),
    path("<str:patient>/invite", patients.invite, name="invite"),
    path("<str:patient>/duplicates", merging.duplicates, name="duplicates"),
    path("<str:patient>/merge/<str:other>", merging.merge, name="merge"),
    path("<str:patient>/merges/<str:task>/undo", merging.undo_merge, name="undo-merge"),
    path("<str:patient>/coverage/new", coverage.new, name="coverage-new"),
    path("<str:patient>/coverage/<str:coverage>", coverage.edit, name="coverage"),
    path("<str:patient>/coverage/<str:coverage>/end", coverage.end, name="coverage-end"),
]
