from __future__ import annotations

from django.urls import path

from openward.portal.views import bills, booking, family, messages, openings, record

app_name = "portal"
urlpatterns = [
    path("", record.home, name="home"),
    path("family", family.family, name="family"),
    path("family/switch", family.switch, name="switch"),
    path("visits", record.visits, name="visits"),
    path("visits/<str:id>", record.visit, name="visit"),
    path("results", record.results, name="results"),
    path("results/<str:id>", record.result, name="result"),
    path("medications", record.medications, name="medications"),
    path("immunizations", record.immunizations, name="immunizations"),
    path("immunizations.pdf", record.immunizations_pdf, name="immunizations-pdf"),
    path("who-opened", openings.openings, name="openings"),
    path("messages", messages.messages, name="messages"),
    path("messages/write", messages.write, name="write"),
    path("messages/<str:id>", messages.conversation, name="thread"),
    path("bills", bills.bills, name="bills"),
    path("bills/pay", bills.pay, name="pay"),
    path("bills/statements/<str:number>", bills.statement, name="statement"),
    path("book", booking.choose_service, name="book"),
    path("book/<str:service>", booking.choose_person, name="book-who"),
    path("book/<str:service>/<str:who>", booking.choose_time, name="book-when"),
    path("appointments/<str:id>/move", booking.move, name="move"),
    path("appointments/<str:id>/cancel", booking.give_back, name="cancel"),
]
