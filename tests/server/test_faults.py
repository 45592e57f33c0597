"""Processes are killed while clients write: nothing that was acknowledged is lost, nothing is carried out twice or by half."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator

import psutil
import psycopg
import pytest

from openward.cluster import EmbeddedCluster
from openward.fhir.definitions import type_number
from tests.installation import Installation, Server, prepared, scratch_folder
from tests.server.history_checker import LISTS, Clients, gone_back, lost_and_doubled

SEED = 7
CROWD = 6
BETWEEN_SECONDS = 1.5

# Rows of the index that belong to no live resource.
ORPHANS = """select count(*) from (
  select c.rkey from fhir.current c where not exists (
    select from fhir.body b where (b.tenant, b.rtype, b.rkey, b.ver) = (c.tenant, c.rtype, c.rkey, c.ver) and b.op <> 'D')
  union all select s.rkey from fhir.string_value s where not exists (
    select from fhir.current c where (c.tenant, c.rtype, c.rkey) = (s.tenant, s.rtype, s.rkey))
  union all select b.rkey from fhir.body b where b.op <> 'D' and b.rtype = %s and not exists (
    select from fhir.current c where (c.tenant, c.rtype, c.rkey) = (b.tenant, b.rtype, b.rkey))) orphan"""


def a_web_process_dies(server: Server, chance: random.Random) -> Server:
    web = [process for process in server.family() if "granian" in " ".join(process.cmdline())]
    chance.choice(web).send_signal(signal.SIGKILL)
    return server


def a_database_process_dies(server: Server, chance: random.Random) -> Server:
    """PostgreSQL then ends every session and goes through its log."""
    chance.choice(_sessions(server)).send_signal(signal.SIGKILL)
    return server


def everything_dies(server: Server, chance: random.Random) -> Server:
    """As a machine that loses its power: the server, and the database with it."""
    cluster = _postmaster(server)
    doomed = [cluster, *cluster.children(recursive=True)]
    server.kill()
    for process in doomed:
        _kill(process)
    return server.installation.serve()


def _postmaster(server: Server) -> psutil.Process:
    number = (EmbeddedCluster(server.installation.data).folder / "postmaster.pid").read_text().split()[0]
    return psutil.Process(int(number))


def _sessions(server: Server) -> list[psutil.Process]:
    return [child for child in _postmaster(server).children() if "openward" in " ".join(child.cmdline()) and "[local]" in " ".join(child.cmdline())]


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    except psutil.NoSuchProcess:
        pass


@pytest.fixture(scope="module")
def aftermath() -> Iterator[Clients]:
    """Six clients at work through seven deaths, and then at rest."""
    with scratch_folder() as folder:
        installation = Installation(prepared(folder / "data"))
        clients = Clients(installation.serve(), "", SEED)
        clients.token = installation.token()
        clients.prepare()
        chance = random.Random(SEED)
        threads = clients.start(CROWD)
        try:
            for death in (a_web_process_dies, a_database_process_dies, everything_dies, a_database_process_dies, a_web_process_dies, everything_dies):
                time.sleep(BETWEEN_SECONDS)
                clients.server = death(clients.server, chance)
            time.sleep(BETWEEN_SECONDS)
            clients.stopped.set()
            for thread in threads:
                thread.join(60)
            clients.server.wait_until_ready()
            yield clients
        finally:
            clients.stopped.set()
            clients.server.stop()


class TestWhatWasAcknowledgedThroughEveryDeath:
    def test_there_was_something_to_lose(self, aftermath: Clients) -> None:
        assert sum(one.version is not None for one in aftermath.notes.appends) > 20
        assert any(one.is_open for one in aftermath.notes.appends) or any(told is None for _, told in aftermath.notes.pairs)

    @pytest.mark.parametrize("number", range(LISTS))
    def test_no_update_is_lost_and_none_is_carried_out_twice(self, aftermath: Clients, number: int) -> None:
        assert lost_and_doubled(aftermath.notes, number, aftermath.versions(number)) == []

    @pytest.mark.parametrize("number", range(LISTS))
    def test_no_read_goes_back_in_time(self, aftermath: Clients, number: int) -> None:
        assert gone_back(aftermath.notes, number) == []

    def test_a_transaction_is_there_whole_or_not_at_all(self, aftermath: Clients) -> None:
        allowed = {True: {2}, False: {0}, None: {0, 2}}
        halves = aftermath.halves()
        wrong = {word: halves[word] for word, told in aftermath.notes.pairs if halves[word] not in allowed[told]}
        assert wrong == {}

    def test_no_row_of_the_index_is_without_its_resource(self, aftermath: Clients) -> None:
        parameters = EmbeddedCluster(aftermath.server.installation.data).parameters()
        with psycopg.connect(**parameters) as connection:  # type: ignore[arg-type]
            assert connection.execute(ORPHANS, (type_number("Basic"),)).fetchone() == (0,)
