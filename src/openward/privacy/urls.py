from __future__ import annotations

from django.urls import path

from openward.privacy import views

app_name = "privacy"
urlpatterns = [
    path("", views.home, name="home"),
    path("patients/<str:id>", views.patient, name="patient"),
    path("people/<str:actor>", views.person, name="person"),
]
