"""A real PostgreSQL for every worker of a run: the embedded one in a scratch folder, or for all of them the one OPENWARD_DATABASE_URL names.

Transactions are numbered for a whole server, and much waits for the oldest that is open: on one server the tests would wait for one another.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Playwright runs an event loop of its own in the thread of the tests; Django would refuse the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# No test is timed: how busy the machine is says nothing about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

pytest_plugins = ["tests.together", "tests.emptying"]

OUTSIDE_DATA = Path(os.environ.get("OPENWARD_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def pytest_configure(config: pytest.Config) -> None:
    from openward.cluster import EmbeddedCluster

    hands_out_only = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    if not (os.environ.get("OPENWARD_DATABASE_URL") or hands_out_only):
        EmbeddedCluster(Path(os.environ["OPENWARD_DATA"])).start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Whoever started the run ends what its workers started: one of them may have been killed."""
    from openward.cluster import EmbeddedCluster

    if not hasattr(config, "workerinput"):
        folder = Path(os.environ["OPENWARD_TEST_FOLDER"])
        for postgres in folder.glob("*/postgres"):
            EmbeddedCluster(postgres.parent).stop(for_good=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The scratch cluster is thrown away whole: its databases need not be dropped first, while a thread may still hold a connection."""
    return not os.environ.get("OPENWARD_DATABASE_URL")


@pytest.fixture(scope="session", autouse=True)
def who_is_signed_in_proved_it() -> Iterator[None]:
    """`force_login` skips the doors; whom a test signs in by it has proved who they are as by a door."""
    from django.contrib.auth.signals import user_logged_in

    user_logged_in.connect(_proved, dispatch_uid="tests-proved")
    yield
    user_logged_in.disconnect(dispatch_uid="tests-proved")


def _proved(request: Any, **_: object) -> None:
    from openward.web.gate import PROVED_AT

    request.session[PROVED_AT] = time.time()


def outside(path: str) -> Path:
    """A set of the outside data; the test skips, and says so, where it is absent."""
    found = OUTSIDE_DATA / path
    if not found.exists():
        pytest.skip(f"OUTSIDE DATA ABSENT: {path} is not in {OUTSIDE_DATA.name}; this test proved nothing")
    return found


@pytest.fixture(autouse=True)
def policy_of_this_test() -> None:
    """What the process kept of the policy's tables in another test, which was rolled back, is forgotten."""
    from openward.access.known import forget

    forget()


@pytest.fixture(scope="session")
def outside_data() -> Callable[[str], Path]:
    return outside


@pytest.fixture
def signed_in(db: None) -> Callable[[str], Any]:
    """A browser in which a person of the role that is named has signed in."""
    from django.test import Client

    from openward.accounts.models import User

    def browser(role: str) -> Client:
        client = Client()
        client.force_login(User.objects.create_user(sign_in=f"{role}@example", password=None, role=role, name=f"The {role}"))
        return client

    return browser


@pytest.fixture
def committed_db(transactional_db: None) -> Iterator[None]:
    """A database where commits are real, for tests of concurrency. Emptied before and after, the engine's tables and the audit trail too."""
    _empty_engine()
    yield
    _empty_engine()


def _empty_engine() -> None:
    from openward.fhir.terminology.catalogue import written
    from tests.emptying import empty, written_tables

    empty(written_tables("fhir", "audit"))
    written()  # what terminology remembers of the tables is no longer there
