from __future__ import annotations

from django.urls import path

from openward.demo import views

app_name = "demo"
urlpatterns = [
    path("", views.switch, name="personas"),
    path("as/<str:sign_in>/", views.become, name="become"),
]
