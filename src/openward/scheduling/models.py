"""Held time: the shadow of appointments that lets the database refuse a double booking."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models


class Booking(models.Model):
    """One person or room held for one appointment. Written and released by the guard on Appointment only (`bookings`).

    `who` is the key of a Practitioner, Patient or room; `during` is half open. The exclusion constraint `booking_one_at_a_time` needs
    no extension: tenant and who are compared as ranges of one value, of which the second is a range type of our own over uuid.
    `held_by` names a colleague, and is empty when the patient booked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    appointment = models.UUIDField()
    who = models.UUIDField()
    kind = models.CharField(max_length=20)
    during = DateTimeRangeField()
    held_by = models.TextField(blank=True)
    held_at = models.DateTimeField()

    class Meta:
        db_table = "scheduling_booking"

    def __str__(self) -> str:
        return f"{self.kind} {self.who} {self.during}"


class RoomInUse(models.Model):
    """One room occupied by one open visit: unique by (tenant, room) and by (tenant, visit). Written by the guard on Encounter only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    room = models.UUIDField()
    visit = models.UUIDField()
    since = models.DateTimeField()

    class Meta:
        db_table = "scheduling_room_in_use"

    def __str__(self) -> str:
        return f"{self.room} since {self.since}"


class Confirmed(models.Model):
    """One submitted booking form and the appointment it made: the same form twice makes one appointment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    form = models.UUIDField()
    appointment = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "scheduling_confirmed"

    def __str__(self) -> str:
        return str(self.form)
