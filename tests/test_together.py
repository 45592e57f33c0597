"""How a run is handed out: what is named is there, and the order is what it says."""

from __future__ import annotations

from types import SimpleNamespace

from tests import together

FILES = ("tests/a/test_few.py", "tests/server/test_serve.py", "tests/a/test_many.py", "tests/server/test_live.py", "tests/server/test_faults.py")


def test_every_file_and_server_named_is_there() -> None:
    units = set(together._units().values())
    assert units == {f"the files of {name}" for name in together.SHARED}
    assert [unit for unit in together.LONGEST if unit not in units and not (together.TESTS.parent / unit).exists()] == []


def test_a_worker_takes_the_longest_first_and_then_what_has_the_most_tests() -> None:
    items = [SimpleNamespace(nodeid=f"{file}::test_{n}") for n in range(3) for file in FILES if n < 2 or "many" in file]
    together.pytest_collection_modifyitems(SimpleNamespace(workerinput={}), items)  # type: ignore[arg-type]
    order = list(dict.fromkeys(together.unit_of(item.nodeid) for item in items))
    assert order == ["the files of served", "tests/server/test_faults.py", "tests/a/test_many.py", "tests/a/test_few.py"]


def test_one_process_alone_keeps_the_order_it_found() -> None:
    items = [SimpleNamespace(nodeid=f"{file}::test") for file in FILES]
    together.pytest_collection_modifyitems(SimpleNamespace(), items)  # type: ignore[arg-type]
    assert [item.nodeid.split("::")[0] for item in items] == list(FILES)
