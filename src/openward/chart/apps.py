"""The room registers its guards, its navigation, its home cards and its health check when Django starts."""

from __future__ import annotations

from django.apps import AppConfig


class ChartConfig(AppConfig):
    name = "openward.chart"
    label = "chart"
