"""Write the pages of docs/ that list what the code knows: settings, roles, guards, operations, jobs. `python scripts/docs.py` after adding one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from sys import modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openward.fhir.operations.registry import Operation

DOCS = Path(__file__).resolve().parents[1] / "docs"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")
os.environ.setdefault("OPENWARD_DATA", tempfile.mkdtemp())


def table(name: str, title: str, words: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    head = list(columns)
    lines = [f"# {title}", "", words, "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    (DOCS / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


OPERATIONS_IN_WORDS = "FHIR operations this server carries out, each under the caller's policy: what may not be seen does not exist. `GET [base]/metadata` lists them too."
EXAMPLES = {
    "everything": "`GET Patient/123/$everything?_count=100&_type=Observation,Encounter&start=2026-01-01`",
    "lastn": "`GET Observation/$lastn?patient=123&category=vital-signs&max=3`",
    "match": "`POST Patient/$match` with a Patient, or Parameters `resource`, `onlyCertainMatches`, `count`",
    "merge": "`POST Patient/$merge` with Parameters `source-patient`, `target-patient`, `result-patient`, `preview`",
    "undo-merge": "`POST Patient/$undo-merge` with Parameters `task`: the Task that `$merge` answered with",
    "docref": "`GET DocumentReference/$docref?patient=123&type=http://loinc.org%7C34133-9`",
    "document": "`POST Composition/123/$document?persist=true`",
    "graphql": "`GET Patient/123/$graphql?query={name{family},ObservationList(_reference:patient){id}}`",
    "meta": "`GET Patient/123/$meta`",
    "meta-add": '`POST Patient/123/$meta-add` with Parameters `meta` {"tag": [{"system": "urn:tags", "code": "vip"}]}',
    "meta-delete": "`POST Patient/123/$meta-delete` with Parameters `meta`",
}


def operation_row(name: str, found: list[Operation]) -> list[str]:
    """One line for an operation, whatever the number of types it is registered for."""
    first, *_ = found
    said = (modules[first.carry.__module__].__doc__ or "").strip().split("\n")[0].partition(": ")[2] or (first.carry.__doc__ or "").strip().split(
        "\n"
    )[0]
    said = said.partition(" https://")[0]
    types = sorted({type for one in found for type in one.types or ("every type",)})
    levels = [level for level in ("system", "type", "instance") if any(level in one.on for one in found)]
    where = ", ".join(levels) + (f" of {', '.join(types)}" if set(levels) - {"system"} else "")
    address = {"system": "", "type": f"{types[0]}/", "instance": f"{types[0]}/123/"}[levels[-1]]
    example = EXAMPLES.get(name) or f"`{first.methods[0]} {address}${name}`".replace("every type", "Patient")
    return [f"`${name}`", where, ", ".join(first.methods), said[:1].upper() + said[1:], example]


def main() -> None:
    import django

    django.setup()
    from openward.access.roles import ROLES
    from openward.fhir.guards import GUARDS
    from openward.fhir.operations.registry import OPERATIONS
    from openward.record.jobs import JOBS
    from openward.server.environment import VARIABLES

    table(
        "configuration.md", "Configuration", "Every setting is an environment variable. Nothing needs to be set to start.", ("variable", "default", "meaning"),
        ((f"`{one.name}`", f"`{one.default}`" if one.default else "–", one.meaning) for one in VARIABLES),
    )  # fmt: skip
    table(
        "roles.md", "Roles", "Roles are data in `src/openward/access/roles.py`. What is not granted is refused, and what may not be seen does not exist (404).",
        ("role", "what they do", "pages"), ((f"{one.title} (`{one.key}`)", one.sentence, ", ".join(sorted(one.permissions))) for one in ROLES.values()),
    )  # fmt: skip
    table(
        "guards.md", "Guards", "What the store checks or does whoever writes: a page, a REST client, an import, a job.", ("guard", "of", "on", "rule"),
        ((f"`{one.name}`", ", ".join(one.types), ", ".join(one.on), one.sentence) for one in sorted(GUARDS, key=lambda guard: guard.name)),
    )  # fmt: skip
    table(
        "operations.md", "Operations", OPERATIONS_IN_WORDS, ("operation", "on", "by", "what it does", "for example"),
        (operation_row(name, [one for one in OPERATIONS.values() if one.name == name]) for name in sorted({one.name for one in OPERATIONS.values()})),
    )  # fmt: skip
    table(
        "jobs.md", "Jobs", "Work that runs later, in the worker. A job is queued in the transaction whose consequence it is.", ("job", "what it does"),
        ((f"`{name}`", (one.function.__doc__ or "").strip().split("\n")[0]) for name, one in sorted(JOBS.items())),
    )  # fmt: skip


if __name__ == "__main__":
    main()
