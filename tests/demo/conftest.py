"""A clinic made once for all tests that only read it."""

from __future__ import annotations

import pytest

from tests.demo.making import Made, make


@pytest.fixture(scope="session")
def made() -> Made:
    return make(240)
