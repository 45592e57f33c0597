"""What Django remembers of a request stays in the thread that answers it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone, translation

from openward.web.threads import KEPT, use_own_storage


def _elsewhere(ask: Callable[[], object]) -> object:
    """What another thread is told."""
    told: list[object] = []
    thread = threading.Thread(target=lambda: told.append(ask()))
    thread.start()
    thread.join()
    return told[0]


@pytest.mark.parametrize(("holder", "name"), KEPT)
def test_django_still_keeps_it_where_it_is_exchanged(holder: object, name: str) -> None:
    assert isinstance(getattr(holder, name), threading.local)


def test_a_language_chosen_by_one_thread_is_not_anothers() -> None:
    with translation.override("de"):
        assert translation.get_language() == "de"
        assert _elsewhere(translation.get_language) == "en-us"
    assert translation.get_language() == "en-us"


def test_a_zone_chosen_by_one_thread_is_not_anothers() -> None:
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert timezone.get_current_timezone_name() != _elsewhere(timezone.get_current_timezone_name)


def test_a_prefix_of_addresses_chosen_by_one_thread_is_not_anothers() -> None:
    set_script_prefix("/here/")
    try:
        assert (get_script_prefix(), _elsewhere(get_script_prefix)) == ("/here/", "/")
    finally:
        set_script_prefix("/")


def test_to_exchange_it_again_loses_nothing() -> None:
    with translation.override("de"):
        use_own_storage()
        assert translation.get_language() == "de"
