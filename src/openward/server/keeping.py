"""What `openward backup`, `restore` and `drill` do and say."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from openward.backup.errors import OtherDatabase
from openward.backup.making import alone
from openward.backup.places import open_place
from openward.backup.restoring import Restorer, plan, require_empty
from openward.database import URL_VARIABLE, from_url, require_writable
from openward.keys.outer import outer_keys
from openward.server import environment as env
from openward.server.progress import ProgressBar


def require_embedded() -> None:
    """Raises OtherDatabase."""
    url = os.environ.get(URL_VARIABLE)
    if url:
        raise OtherDatabase(where=from_url(url).where)


def backup(*, full: bool) -> int:
    """Raises BackupTrouble, KeyTrouble."""
    from openward.backup import here, runs

    with ProgressBar("backup") as bar:
        made = runs.backup(full=full, progress=bar.update)
    print(
        f"backed up in {made.seconds:.1f} s to {here.place()}: {'a new base and ' if made.is_full else ''}{made.stored_segments} segments of the log"
    )
    print(f"any moment up to {made.mark.time} can be restored; installation {made.installation}")
    print(f"To restore, the outer key {here.keys().first.id} is needed. It is in no backup: keep a copy of it elsewhere.")
    return 0


def drill() -> int:
    """Raises BackupTrouble, KeyTrouble."""
    from openward.backup import runs

    with ProgressBar("drill") as bar:
        run = runs.drill(progress=bar.update)
    print("\n".join(f"proved  {fact}" for fact in run.facts))
    print(f"The backup was restored and held to the record in {run.seconds:.0f} s.")
    return 0


def restore(*, source: Path | None, at: dt.datetime | None, installation: str) -> int:
    """Raises BackupTrouble, KeyTrouble."""
    require_embedded()
    data, files = env.data_folder(), env.kek_files()
    folder = (source or Path(env.BACKUPS.value or data / "backups")).expanduser().resolve()
    require_empty(data, (*files, folder))
    keys = outer_keys(files, env.KMS.value, make=False)
    chosen = plan(
        open_place(store="" if source else env.BACKUP_STORE.value, folder=folder), keys, at=at, installation=installation, now=dt.datetime.now(dt.UTC)
    )
    require_writable(data)
    base = chosen.base
    print(f"backup of {base.host}:{base.folder}, made by Openward {base.openward}; restoring {chosen.moment.isoformat()} into {data}", flush=True)
    with alone(data), ProgressBar("restore") as bar:
        count = Restorer(chosen, data, bar.update).restore()
    print(f"restored the database and {count} files, as of {chosen.moment.isoformat()}")
    print("Everyone must sign in anew. Tokens of clients and passwords are as they were then: look through what was revoked or changed since.")
    return 0
