from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, connections

from openward.server.postgresql.base import DatabaseWrapper


@pytest.fixture
def waiting() -> Iterator[DatabaseWrapper]:
    """A connection of its own, as a web thread keeps one between requests."""
    made = connections.create_connection("default")
    assert isinstance(made, DatabaseWrapper)
    made.ensure_connection()
    yield made
    made.close()


@pytest.mark.django_db(transaction=True)
class TestAConnectionThatWaited:
    def test_is_found_well_without_a_statement(self, waiting: DatabaseWrapper) -> None:
        with waiting.execute_wrapper(lambda *statement: pytest.fail("a statement was sent")):
            assert waiting.is_usable()

    def test_is_found_gone_when_the_server_ended_it(self, waiting: DatabaseWrapper) -> None:
        pid = waiting.connection.info.backend_pid
        with connection.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(%s, 5000)", [pid])
        assert not waiting.is_usable()

    def test_is_found_gone_when_it_was_closed(self, waiting: DatabaseWrapper) -> None:
        waiting.connection.close()
        assert not waiting.is_usable()
