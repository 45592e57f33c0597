"""What can be wrong with the ground Openward stands on, one class each; the docstring is the sentence a person reads."""

from __future__ import annotations


class DatabaseTrouble(Exception):
    """The database cannot be used."""

    def __init__(self, **values: object) -> None:
        super().__init__((type(self).__doc__ or "").strip().format_map(values))


class FolderNotWritable(DatabaseTrouble):
    """The data folder {folder} cannot be written by this user: {reason}. Choose another with --data, or change its owner."""


class NothingHere(DatabaseTrouble):
    """There is no Openward in {folder}: name its data folder with --data or OPENWARD_DATA. (`openward serve` makes a new one.)"""


class FolderInUse(DatabaseTrouble):
    """The data folder {folder} is in use by another Openward server (process {pid}). Stop that one first, or choose another folder with --data."""


class WrongUrl(DatabaseTrouble):
    """OPENWARD_DATABASE_URL is not an address of a PostgreSQL database: {reason}. Write postgresql://user:password@host:port/database."""


class WrongSettings(DatabaseTrouble):
    """The settings cannot be meant as they are. {what}"""


class Unreachable(DatabaseTrouble):
    """PostgreSQL at {where} does not answer: {reason}."""


class WrongVersion(DatabaseTrouble):
    """PostgreSQL at {where} is version {version}; Openward works with versions 15 to 18."""


class CannotStart(DatabaseTrouble):
    """The embedded PostgreSQL in {folder} does not start: {reason}. Its own log is {log}."""


class PortTaken(DatabaseTrouble):
    """{host}:{port} is taken by another program. Stop that one, or choose another port with --port."""


class NewerSchema(DatabaseTrouble):
    """The database was last used by a newer Openward (it has {unknown}). Start that version, or restore a backup made by this one."""
