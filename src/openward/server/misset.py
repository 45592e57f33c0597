"""What of the environment cannot be meant as it is written. Told before anything starts: a switch with a slip of the pen would be off in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from openward.access.roles import ROLES
from openward.audit.sealing.anchors import UnknownAnchor, anchors
from openward.server import environment as env
from openward.server.environment import Variable
from openward.troubles import WrongSettings

SWITCHES = (env.HTTPS, env.DEMO, env.DEBUG, env.SMART_REGISTRATION)
SWITCHED = ("", "0", "1", "true", "false", "yes", "no", "on", "off")
LEAST: Mapping[Variable, int] = {
    env.RESERVE_MB: 0,
    env.SESSION_MINUTES: 1,
    env.LOCK_MINUTES: 0,
    env.STATION_HOURS: 0,
    env.EXPORT_HOURS: 0,
    env.EXPORTS_AT_ONCE: 0,
    env.SMART_TOKEN_MINUTES: 1,
    env.SMART_REFRESH_DAYS: 0,
    env.SMART_LONGEST_DAYS: 0,
    env.OAUTH_PER_MINUTE: 1,
}
MEMORY = re.compile(r"\d{1,9}\s*(kB|MB|GB|TB)?")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
CHANNELS = ("email", "sms", "letter")
CUSTOM = "own-"
PROFILE_MODES = ("off", "versioned", "declared")


def require_settings() -> None:
    """Raises WrongSettings with a sentence for each setting that cannot be meant."""
    found = [sentence for look in (_switches, _numbers, _names) for sentence in look()]
    if found:
        raise WrongSettings(what=" ".join(found))


def _switches() -> Iterator[str]:
    for one in SWITCHES:
        if one.value.lower() not in SWITCHED:
            yield f"{one.name} is 1 or 0, not {one.value[:40]!r}."


def _numbers() -> Iterator[str]:
    for one, least in LEAST.items():
        if not (one.value.isdecimal() and len(one.value) < 10 and int(one.value) >= least):
            yield f"{one.name} is a whole number, {least} or more, not {one.value[:40]!r}."


def _names() -> Iterator[str]:
    for one, (is_meant, what) in SHAPES.items():
        try:
            meant = is_meant(one)
        except (ValueError, KeyError, OSError, UnknownAnchor):
            meant = False
        if not meant:
            yield f"{one.name} is {what}, not {one.value[:80]!r}."


def _networks(one: Variable) -> bool:
    return all(ip_network(item, strict=False) for item in one.items)


def _roles(one: Variable) -> bool:
    """A role whose name has a slip in it would need no second factor. One that was made here has a key of another kind, which only the database knows."""
    return all(item in ROLES or item in ("staff", "none", "patient") or item.startswith(CUSTOM) for item in one.items)


def _origins(one: Variable) -> bool:
    return all(_is_address(item) and urlsplit(item).path in ("", "/") for item in one.items)


def _is_address(text: str) -> bool:
    return urlsplit(text).scheme in ("http", "https") and bool(urlsplit(text).hostname)


def _channels(one: Variable) -> bool:
    pairs = [item.partition("=") for item in one.items]
    return all(name.strip() in CHANNELS and _is_class(path.strip()) for name, _, path in pairs)


def _is_class(path: str) -> bool:
    """Whether there is a package of that name; the class itself is asked for when it is needed."""
    return DOTTED.fullmatch(path) is not None and find_spec(path.partition(".")[0]) is not None


SHAPES: Mapping[Variable, tuple[Callable[[Variable], bool], str]] = {
    env.TIME_ZONE: (lambda one: bool(ZoneInfo(one.value)), "an IANA name such as America/New_York"),
    env.PUBLIC_URL: (lambda one: _is_address(one.value), "an address that begins with https://"),
    env.LIVE_URL: (lambda one: not one.value or _is_address(one.value), "an address that begins with https://"),
    env.ORIGINS: (_origins, "origins such as https://clinic.example, separated by commas"),
    env.MFA_ROLES: (_roles, f"staff, none, or roles, separated by commas: {', '.join(ROLES)}"),
    env.BREACHED_PASSWORDS: (lambda one: not one.value or Path(one.value).exists(), "a file or a folder that is there"),
    env.CHANNELS: (_channels, "email=package.Class, sms=… and letter=…, separated by commas, of packages that are installed"),
    env.CARD_PROCESSOR: (lambda one: not one.value or _is_class(one.value), "package.Class of a package that is installed"),
    env.BACKUP_STORE: (lambda one: not one.value or _is_class(one.value), "package.Class of a package that is installed"),
    env.HOSTS: (lambda one: bool(one.items), "one host name or several, separated by commas"),
    env.PROXIES: (_networks, "addresses or networks such as 10.1.0.0/16"),
    env.PRIVATE_TARGETS: (_networks, "addresses or networks such as 10.1.0.0/16"),
    env.AUDIT_ANCHORS: (
        lambda one: anchors(one.value, env.data_folder()) is not None,
        "file, syslog:/dev/log, syslog:HOST:PORT or https://…, separated by commas",
    ),
    env.VALIDATE_PROFILES: (lambda one: one.value in PROFILE_MODES, "off, versioned or declared"),
    env.SHARED_BUFFERS: (lambda one: not one.value or MEMORY.fullmatch(one.value) is not None, "an amount of memory such as 512MB"),
}
