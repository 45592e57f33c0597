"""`openward terminology` at the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from openward.cli import parser
from openward.fhir.terminology.loading.load import NothingToLoad
from openward.server import terminologies
from tests.fhir.conftest import engine_url, house, store  # noqa: F401 - the engine's own database
from tests.fhir.house import House
from tests.fhir.terminology.loading import releases


@dataclass
class Elsewhere:
    """The part of a database that the command needs."""

    url: str

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url)


def run(house: House, *arguments: str) -> list[str]:  # noqa: F811
    options = parser().parse_args(["terminology", *arguments])
    return terminologies.run(options, Elsewhere(house.url))  # type: ignore[arg-type]


class TestTheCommand:
    def test_loads_says_what_is_in_and_recognises_it(self, house: House, tmp_path: Path) -> None:  # noqa: F811
        folder = str(releases.snomed(tmp_path))
        version = "http://snomed.info/sct/731000124108/version/20260301"
        assert run(house, "load", folder) == [f"SNOMED CT {version}: 6 concepts are in."]
        assert run(house, "load", folder) == [f"SNOMED CT {version} was in already: 6 concepts."]

    def test_lists_what_is_here_and_what_is_lacking(self, house: House, tmp_path: Path) -> None:  # noqa: F811
        run(house, "load", str(releases.cpt(tmp_path)), "--version", "2031")
        listed = run(house, "list")
        assert any(line.startswith("CPT ") and "2031" in line and "loaded" in line for line in listed)
        assert any(line.startswith("ICD10CM ") and "ships" in line for line in listed)
        assert {line.split()[1] for line in listed if line.startswith("LACKING")} == {"SNOMED", "LOINC", "RxNorm", "CVX"}

    def test_refuses_what_it_does_not_know(self, house: House, tmp_path: Path) -> None:  # noqa: F811
        (tmp_path / "holiday.txt").write_text("sun")
        with pytest.raises(NothingToLoad):
            run(house, "load", str(tmp_path))
