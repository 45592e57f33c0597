from __future__ import annotations

import pytest

from openward.fhir.guards import GUARDS
from openward.fhir.terminology.guards import TYPES


class TestTheInstallation:
    @pytest.mark.parametrize("type", TYPES)
    def test_keeps_and_forgets_concepts_whoever_writes(self, type: str) -> None:
        names = {on: [one.name.rpartition(".")[2] for one in GUARDS.of(type, on)] for on in ("create", "update", "delete")}
        assert all("keep_the_concepts" in names[on] for on in ("create", "update"))
        assert "forget_the_concepts" in names["delete"]
