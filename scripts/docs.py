"""Write the pages of docs/ that list what the code knows: settings, roles, guards, jobs. `python scripts/docs.py` after adding one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")
os.environ.setdefault("OPENWARD_DATA", tempfile.mkdtemp())


def table(name: str, title: str, words: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    head = list(columns)
    lines = [f"# {title}", "", words, "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    (DOCS / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    import django

    django.setup()
    from openward.access.roles import ROLES
    from openward.fhir.guards import GUARDS
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
        "jobs.md", "Jobs", "Work that runs later, in the worker. A job is queued in the transaction whose consequence it is.", ("job", "what it does"),
        ((f"`{name}`", (one.function.__doc__ or "").strip().split("\n")[0]) for name, one in sorted(JOBS.items())),
    )  # fmt: skip


if __name__ == "__main__":
    main()
