from __future__ import annotations

from django.urls import path

from openward.administration import views
from openward.administration.policy import views as policy

app_name = "administration"
urlpatterns = [
    path("people", views.people, name="people"),
    path("people/add", views.add_person, name="add-person"),
    path("people/<str:id>", views.person, name="person"),
    path("people/<str:id>/access", policy.access, name="access"),
    path("people/<str:id>/role/end", policy.unassign, name="unassign"),
    path("roles", views.roles, name="roles"),
    path("roles/own", policy.own_roles, name="own-roles"),
    path("roles/own/new/<str:base>", policy.new_role, name="own-role-new"),
    path("roles/own/<str:key>", policy.own_role, name="own-role"),
    path("roles/own/<str:key>/end", policy.end_role, name="own-role-end"),
    path("clearances", policy.clearances, name="clearances"),
    path("clearances/<str:id>/end", policy.end_clearance, name="clearance-end"),
    path("health", views.health_page, name="health"),
    path("outbox", views.outbox, name="outbox"),
    path("outbox/<str:id>/again", views.send_message_again, name="send-again"),
]
