"""What can be wrong with a backup; the docstring is the sentence a person reads."""

from __future__ import annotations

from openward.troubles import DatabaseTrouble


class BackupTrouble(DatabaseTrouble):
    """The backup cannot be made or used."""


class OtherDatabase(BackupTrouble):
    """The record is in the PostgreSQL at {where}, not in the embedded one. Back that server up by its own means: pgBackRest, or pg_basebackup with WAL archiving, or your provider's point-in-time recovery; and this data folder's files and outer key beside it. See docs/backup.md."""


class AlreadyRunning(BackupTrouble):
    """A backup or a drill of this data folder is running already."""


class CannotWrite(BackupTrouble):
    """The backup could not be written ({name}): {reason}. What was backed up before is as it was."""


class CannotRead(BackupTrouble):
    """{name} cannot be read from the backup: {reason}."""


class PieceMissing(BackupTrouble):
    """{name} is missing from the backup."""


class PieceBroken(BackupTrouble):
    """{name} was changed, cut or exchanged since it was written: nothing of this backup was used."""


class BaseFailed(BackupTrouble):
    """The base backup failed: {reason}."""


class LogLost(BackupTrouble):
    """The database no longer has the log segment {segment}: a new base backup is needed (`openward backup --full`)."""


class NotEmpty(BackupTrouble):
    """{folder} is not empty (it has {found}). A restore goes into an empty data folder and overwrites nothing: name another with --data."""


class NothingThere(BackupTrouble):
    """There is no finished backup in {place}."""


class WhichInstallation(BackupTrouble):
    """{place} holds backups of several installations: {found}. Name one with --installation."""


class TooEarly(BackupTrouble):
    """The first moment this backup can restore is {first}; {at} is before it."""


class TooLate(BackupTrouble):
    """The last moment this backup can restore is {last}; {at} is after it."""


class TooOld(BackupTrouble):
    """The newest state in this backup is {hours} hours old. If that is the one you want, say so: --at {last}"""


class Foreign(BackupTrouble):
    """What was restored is a database of another installation ({found}) than the backup says ({expected}): it was thrown away."""


class RestoreFailed(BackupTrouble):
    """The restored database does not come up: {reason}. Its own log is {log}."""


class NoRoom(BackupTrouble):
    """There is no room for a restored copy: it needs {needed} MB in {folder}, {free} MB are free."""


class NotProved(BackupTrouble):
    """The last backup does not hold what the record holds: {what}."""
