from __future__ import annotations

import pytest

from tests.beside import seal_after_the_others


@pytest.fixture(autouse=True)
def seals_reach_what_was_just_written(monkeypatch: pytest.MonkeyPatch) -> None:
    seal_after_the_others(monkeypatch)
