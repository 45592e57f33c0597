"""Which PostgreSQL: the one `OPENWARD_DATABASE_URL` names, else an embedded PostgreSQL 18 inside the data folder.

Two database users: the owner of the tables migrates and purges; daily work is done by one who owns nothing and can change nothing of the audit trail.

The embedded server listens on a unix socket only. It belongs to the data folder: whoever needs it first starts it, `openward serve` stops it,
and after a `kill -9` of everything the next start recovers from PostgreSQL's own log.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from openward.cluster import EmbeddedCluster
from openward.troubles import FolderNotWritable, Unreachable, WrongUrl, WrongVersion

URL_VARIABLE = "OPENWARD_DATABASE_URL"
OWNER_URL_VARIABLE = "OPENWARD_DATABASE_OWNER_URL"
DAILY_ROLE = "openward_app"
OLDEST, NEWEST = 15, 18


@dataclass(frozen=True)
class Database:
    """Where the record is, as libpq connection parameters; never printed with its password."""

    parameters: dict[str, str]
    cluster: EmbeddedCluster | None = None
    daily_role: str = ""
    """The user of daily work, who owns nothing; empty when that is the one of `parameters`, who owns the tables or may."""

    @property
    def where(self) -> str:
        return f"{self.parameters.get('host', 'localhost')}/{self.parameters.get('dbname', '')}"

    def connect(self) -> psycopg.Connection:
        """Raises Unreachable, WrongVersion."""
        try:
            connection = psycopg.connect(**self.parameters, connect_timeout=10, autocommit=True)  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            raise Unreachable(where=self.where, reason=str(error).strip().splitlines()[0]) from None
        version = connection.info.server_version // 10000
        if not OLDEST <= version <= NEWEST:
            connection.close()
            raise WrongVersion(where=self.where, version=version)
        return connection


def open_database(data: Path) -> Database:
    """The database of this installation as its owner, started if it is the embedded one. Raises DatabaseTrouble."""
    url, owner = os.environ.get(URL_VARIABLE), os.environ.get(OWNER_URL_VARIABLE)
    if url:
        database = Database(from_url(owner).parameters, daily_role=from_url(url).parameters.get("user", "")) if owner else from_url(url)
    else:
        require_writable(data)
        cluster = EmbeddedCluster(data)
        cluster.start()
        database = Database(cluster.parameters(), cluster, DAILY_ROLE)
    database.connect().close()
    return database


def from_url(url: str) -> Database:
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise WrongUrl(reason="it has no database name" if parts.scheme.startswith("postgres") else "it does not begin with postgresql://")
    try:
        _ = parts.port
    except ValueError:
        raise WrongUrl(reason="its port is not a number") from None
    try:
        parameters = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError as error:
        raise WrongUrl(reason=str(error).strip().splitlines()[0].replace(unquote(parts.password or "\0"), "…")) from None
    return Database(parameters)


def require_writable(folder: Path) -> None:
    """Make the data folder if need be. Raises FolderNotWritable."""
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)  # the embedded server's user must walk through it; nobody need look into it
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FolderNotWritable(folder=folder, reason=error.strerror or error) from None
