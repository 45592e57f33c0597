from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples() -> Path:
    """The outside X12 samples; a run without them says so."""
    folder = Path(os.environ.get("OPENWARD_TEST_DATA", Path(__file__).resolve().parents[3] / "../shared/data")) / "x12"
    if not folder.is_dir():
        pytest.skip(f"NO OUTSIDE DATA: the X12 samples are not in {folder}; set OPENWARD_TEST_DATA")
    return folder
