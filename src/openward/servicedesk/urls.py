from __future__ import annotations

from django.urls import path

from openward.servicedesk import views

app_name = "servicedesk"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("report", views.report, name="report"),
    path("mine", views.mine, name="mine"),
    path("tickets/<int:number>", views.ticket, name="ticket"),
]
