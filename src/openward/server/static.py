"""Static files under names that carry their digest, so that browsers keep them for ever and never show an old one.

Compressing them takes seconds. It is done beside the program when it is set up (`python -m openward.server.static`), and at the first start where that
was not done, or where the files are others by now.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

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


STAMP = ".collected"
BESIDE = Path(__file__).parent / "collected"


def collect_static_files() -> None:
    """Have every static file in the data folder, hashed and compressed, unless it is there already: from beside the program, or made now."""
    digest, folder = _digest(), Path(settings.STATIC_ROOT)
    if _made_of(folder) == digest:
        return
    if _made_of(BESIDE) == digest:
        _copy(BESIDE, folder)
    else:
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        (folder / STAMP).write_text(digest, encoding="ascii")


def _made_of(folder: Path) -> str | None:
    """The digest of the files these were made of."""
    stamp = folder / STAMP
    return stamp.read_text(encoding="ascii") if stamp.exists() else None


def _copy(whole: Path, folder: Path) -> None:
    """The stamp last: a folder that has one is whole."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder, ignore=shutil.ignore_patterns(STAMP))
    shutil.copyfile(whole / STAMP, folder / STAMP)


def _digest() -> str:
    """Of the name and content of every static file."""
    seen = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            with storage.open(path) as file:
                seen.update(f"{path}|{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return seen.hexdigest()


def keep(folder: Path) -> None:
    """Make them for `folder`, in a data folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="openward-static-") as data:
        os.environ |= {"OPENWARD_DATA": data, "DJANGO_SETTINGS_MODULE": "openward.server.settings"}
        import django

        django.setup()
        collect_static_files()
        _copy(settings.STATIC_ROOT, folder)


if __name__ == "__main__":
    keep(Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE)
