"""Two uses of one thing at the same moment: never two families of tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from openward.smart.models import AccessToken, App, Connection
from tests.smart.conftest import Walk, assertion, by_assertion

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_db")]


def at_once(ask: Callable[[], Any], times: int = 4) -> list[int]:
    """The statuses of as many askers, who all start together."""
    together, found = threading.Barrier(times), []

    def one() -> None:
        together.wait()
        try:
            found.append(ask().status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_a_code_gives_tokens_once_and_then_ends_them(walk: Walk) -> None:
    code = walk.code()
    assert at_once(lambda: walk.exchange(code)) == [200, 400, 400, 400]
    assert AccessToken.objects.count() == 1
    assert Connection.objects.get().ended_why == "code used twice"


def test_a_refresh_token_gives_tokens_once_and_then_ends_them(walk: Walk) -> None:
    token = walk.tokens()["refresh_token"]
    assert at_once(lambda: walk.refresh(token)) == [200, 400, 400, 400]
    assert Connection.objects.get().ended_why == "refresh token used twice"


def test_a_signed_statement_proves_once(backend: App, walk: Walk, keys: dict[str, Any]) -> None:
    fields = by_assertion(assertion(backend, keys["ES384"], alg="ES384"))
    assert at_once(lambda: walk.post("/oauth/token", fields)) == [200, 400, 400, 400]


def test_a_launch_lets_in_once(staff_walk: Walk, clinic: Any) -> None:
    from tests import cast

    launch = staff_walk.browser.post(f"/apps/for/{cast.PATIENT_ID}/{staff_walk.app.id}")["Refresh"].rpartition("launch=")[2]

    def ask() -> Any:
        mine = Walk(staff_walk.app)
        mine.browser.force_login(clinic.clinician)
        return mine.authorize(scope="launch patient/Patient.rs", launch=launch)

    at_once(ask)
    assert Connection.objects.count() == 1
