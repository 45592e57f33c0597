"""Addresses of the schedule, under `/schedule/`. Ids and times only: no patient data."""

from __future__ import annotations

from django.urls import path

from openward.scheduling.views import appointments, arriving, board, booking, calendar, today

app_name = "scheduling"

urlpatterns = [
    path("", today.today, name="today"),
    path("list", today.arrivals_list, name="today-list"),
    path("calendar", calendar.calendar, name="calendar"),
    path("book/<str:patient>", booking.book, name="book"),
    path("book/<str:patient>/<str:service>/<str:practitioner>/<str:facility>/<str:start>", booking.confirm, name="confirm"),
    path("appointments/<str:appointment>", appointments.appointment, name="appointment"),
    path("appointments/<str:appointment>/move", appointments.move, name="move-appointment"),
    path("appointments/<str:appointment>/move/<str:practitioner>/<str:facility>/<str:start>", appointments.confirm_move, name="confirm-move"),
    path("appointments/<str:appointment>/cancel", appointments.cancel, name="cancel"),
    path("appointments/<str:appointment>/no-show", appointments.no_show, name="no-show"),
    path("appointments/<str:appointment>/restore", appointments.restore, name="restore"),
    path("appointments/<str:appointment>/check-in", arriving.check_in, name="check-in"),
    path("walk-in/<str:patient>", arriving.walk_in, name="walk-in"),
    path("board", board.board, name="board"),
    path("board/columns", board.columns, name="board-columns"),
    path("visits/<str:visit>", board.visit, name="visit"),
    path("visits/<str:visit>/move/<str:to>", board.move, name="move"),
    path("visits/<str:visit>/room", board.room, name="room"),
    path("visits/<str:visit>/check-out", board.check_out, name="check-out"),
    path("visits/<str:visit>/reopen", board.reopen, name="reopen"),
    path("visits/<str:visit>/undo-check-in", board.undo_check_in, name="undo-check-in"),
]
