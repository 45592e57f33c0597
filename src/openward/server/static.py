"""Static files under names that carry their digest, so that browsers keep them for ever and never show an old one."""

from __future__ import annotations

import hashlib
import logging

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage

log = logging.getLogger("openward.static")


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Before `collectstatic` has run (tests, tools) files keep their plain names; a file that came later must not take its page down."""

    manifest_strict = False

    def stored_name(self, name: str) -> str:
        if not self.hashed_files:
            return name
        try:
            return super().stored_name(name)
        except ValueError:
            log.error("the static file %s was not collected", name)
            return name


def collect_static_files() -> None:
    """Copy, hash and compress the static files into the data folder, unless they are there already: compressing takes seconds."""
    stamp, digest = settings.STATIC_ROOT / ".collected", _digest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest, encoding="ascii")


def _digest() -> str:
    """Of the name, size and time of every static file."""
    seen = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            seen.update(f"{path}|{storage.size(path)}|{storage.get_modified_time(path).timestamp()}\n".encode())
    return seen.hexdigest()
