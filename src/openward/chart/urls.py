"""Addresses of the chart room, under `/chart/`."""

from __future__ import annotations

from typing import Any

app_name = "chart"

urlpatterns: list[Any] = []
