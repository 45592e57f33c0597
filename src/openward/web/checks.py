"""What is wrong with the installation of the pages, said at start instead of shown as a hole in the screen."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.urls import NoReverseMatch, reverse

from openward.web import navigation

ASSETS = ("vendor/icons.svg",)


@register("openward")
def assets_are_set_up(**kwargs: Any) -> list[CheckMessage]:
    missing = [name for name in ASSETS if finders.find(name) is None]
    return (
        [Error(f"Browser assets are missing: {', '.join(missing)}", hint="Run `make setup` (scripts/assets.py).", id="openward.E001")]
        if missing
        else []
    )


@register("openward")
def navigation_leads_somewhere(**kwargs: Any) -> list[CheckMessage]:
    warnings: list[CheckMessage] = []
    for entry in navigation.ENTRIES.values():
        try:
            reverse(entry.url_name)
        except NoReverseMatch:
            warnings.append(CheckWarning(f"The navigation entry {entry.url_name} has no page.", id="openward.W002"))
    return warnings
