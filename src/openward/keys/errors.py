"""What can be wrong with keys; the docstring is the sentence a person reads."""

from __future__ import annotations


class KeyTrouble(Exception):
    """A key cannot be used."""

    def __init__(self, **values: object) -> None:
        super().__init__((type(self).__doc__ or "").strip().format_map(values))


class KeyFileUnusable(KeyTrouble):
    """The key file {path} cannot be used: {reason}."""


class KeyFileMissing(KeyFileUnusable):
    """The key file {path} is not there. Bring the outer key back, or name in OPENWARD_KEK_FILES where it lies; is a disk not mounted? No new one is made in its place: what is sealed needs the old one."""


class OuterKeyMissing(KeyTrouble):
    """What is sealed here needs the outer key {id}, which no file in OPENWARD_KEK_FILES and no key service has."""


class DataKeyMissing(KeyTrouble):
    """The data key {id} is not in this database: what it sealed came from another installation."""


class SealBroken(KeyTrouble):
    """A sealed value was changed, cut, or moved from where it belongs."""
