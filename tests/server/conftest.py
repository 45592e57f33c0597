"""One running installation for all tests of the server that only look at it; those that stop or kill one make their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.installation import Installation, Server, prepared, scratch_folder


@pytest.fixture(scope="session")
def served() -> Iterator[Server]:
    with scratch_folder() as folder, Installation(prepared(folder / "data")).serving() as server:
        yield server


@pytest.fixture
def installation() -> Iterator[Installation]:
    """A data folder nothing was done with yet."""
    with scratch_folder() as folder:
        yield Installation(folder / "data")
