"""What exists is documented: a setting, command, role, guard or job without a line in the docs fails here."""

from __future__ import annotations

from pathlib import Path

import pytest

from openward.access.roles import ROLES
from openward.cli import parser
from openward.fhir.guards import GUARDS
from openward.fhir.operations.registry import OPERATIONS
from openward.record.jobs import JOBS
from openward.server.environment import VARIABLES

ROOT = Path(__file__).resolve().parents[2]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_setting_is_documented(variable: object) -> None:
    assert f"`{variable.name}`" in text("docs/configuration.md")  # type: ignore[attr-defined]


def test_every_environment_variable_the_code_reads_is_a_known_setting() -> None:
    import re

    known = {variable.name for variable in VARIABLES}
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        if path.name != "environment.py":
            read |= set(re.findall(r"""environ(?:\.get|\.setdefault)?[\[(]["'](OPENWARD_[A-Z_]+)""", path.read_text(encoding="utf-8")))
    assert read <= known


@pytest.mark.parametrize("command", ["serve", "demo", "import", "token", "backup", "restore", "drill", "keys", "check"])
def test_every_command_is_documented(command: str) -> None:
    assert f"openward {command}" in text("docs/commands.md")
    assert command in parser().format_help()


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.key)
def test_every_role_is_documented_with_its_sentence(role: object) -> None:
    assert role.sentence in text("docs/roles.md")  # type: ignore[attr-defined]


def test_every_guard_is_documented() -> None:
    documented = text("docs/guards.md")
    assert [guard.name for guard in GUARDS if guard.name not in documented] == []


def test_every_job_is_documented() -> None:
    documented = text("docs/jobs.md")
    assert [name for name in JOBS if f"`{name}`" not in documented] == []


def test_every_operation_is_documented() -> None:
    documented = text("docs/operations.md")
    assert [name for name, _ in OPERATIONS if f"`${name}`" not in documented] == []
