from __future__ import annotations

from django.urls import path

from openward.administration import views

app_name = "administration"
urlpatterns = [
    path("people", views.people, name="people"),
    path("people/add", views.add_person, name="add-person"),
    path("people/<str:id>", views.person, name="person"),
    path("roles", views.roles, name="roles"),
    path("health", views.health_page, name="health"),
    path("outbox", views.outbox, name="outbox"),
    path("outbox/<str:id>/again", views.send_message_again, name="send-again"),
]
