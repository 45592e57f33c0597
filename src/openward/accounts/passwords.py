"""Passwords that are known from breaches, looked up offline in what the operator supplied.

`OPENWARD_BREACHED_PASSWORDS` is either one file of SHA-1 digests in hexadecimal, sorted, one a line (`<40 digits>` or `<40 digits>:<count>`),
or a folder of files named by a digest's first five digits (`5BAA6` or `5BAA6.txt`) whose lines begin with the other 35.
Both are how Have I Been Pwned gives its list away: https://haveibeenpwned.com/Passwords. Without it only Django's 20,000 most common are refused.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext as _

PREFIX = 5
DIGITS = 40


class NotBreached:
    """A validator of `AUTH_PASSWORD_VALIDATORS`. A list that is configured and cannot be read refuses every password, loudly."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError, and ImproperlyConfigured when the list is not there."""
        if settings.OPENWARD_BREACHED_PASSWORDS and is_breached(password, Path(settings.OPENWARD_BREACHED_PASSWORDS)):
            raise ValidationError(_("This password is on a list of passwords stolen elsewhere. Choose another."), code="password_breached")

    def get_help_text(self) -> str:
        return ""


def is_breached(password: str, source: Path) -> bool:
    """Raises ImproperlyConfigured."""
    # The digest is the list's, not how passwords are kept.
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        return _in_folder(source, digest) if source.is_dir() else _in_file(source, digest)
    except OSError as trouble:
        raise ImproperlyConfigured(f"OPENWARD_BREACHED_PASSWORDS cannot be read: {trouble.strerror}") from trouble


def _in_folder(folder: Path, digest: str) -> bool:
    """A prefix without a file is a hole in the list unless nothing was ever breached there: the real list has all 1,048,576."""
    files = [file for name in (digest[:PREFIX], digest[:PREFIX].lower()) for file in (folder / name, folder / f"{name}.txt") if file.is_file()]
    return any(line[: DIGITS - PREFIX].upper() == digest[PREFIX:] for file in files for line in file.read_text(encoding="ascii").splitlines())


def _in_file(path: Path, digest: str) -> bool:
    """By halves: the list has a billion lines and is never read whole."""
    with path.open("rb") as file:
        low, high = 0, file.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            line = _line_from(file, middle)
            if line and line < digest:
                low = middle + 1
            else:
                high = middle
        return _line_from(file, low) == digest


def _line_from(file: IO[bytes], position: int) -> str:
    """The digest of the first line that begins at or after this byte, empty at the end."""
    file.seek(max(position - 1, 0))
    if position:
        file.readline()
    return file.readline()[:DIGITS].decode("ascii", "replace").upper()
