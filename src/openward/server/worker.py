"""The process that runs deferred jobs, and seals the audit trail: `python -m openward.server.worker`."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")

import django

CONCURRENCY = 4


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from openward.record.sealing import Sealer

    Sealer().start()
    call_command("procrastinate", "worker", "--concurrency", str(CONCURRENCY), "--delete-jobs", "successful")


if __name__ == "__main__":
    main()
