"""What people do with the schedule and on the flow board. Every action is one unit of work in the name of `by`."""

from __future__ import annotations

from openward.scheduling.actions.booking import Cancellation, book, cancel, mark_no_show, reschedule, restore
from openward.scheduling.actions.visits import check_in, check_out, move, put_in_room, reopen, undo_check_in, walk_in

__all__ = [
    "Cancellation",
    "book",
    "cancel",
    "check_in",
    "check_out",
    "mark_no_show",
    "move",
    "put_in_room",
    "reopen",
    "reschedule",
    "restore",
    "undo_check_in",
    "walk_in",
]
