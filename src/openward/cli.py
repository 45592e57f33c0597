"""The `openward` command: serve, demo, import, token, check."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from openward import __version__
from openward.troubles import DatabaseTrouble

DAYS_AT_MOST = 36500
NAME_LONGEST = 100
ROLE_LONGEST = 63


class Stopped(BaseException):
    """Somebody ended the command from outside: what it opened is closed on the way out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 done, 1 refused with a sentence, 2 wrongly called, 128 and the number of the signal that ended it."""
    options = parser().parse_args(arguments)
    os.environ["OPENWARD_DATA"] = str(Path(options.data).expanduser().resolve())
    from django.core.exceptions import ImproperlyConfigured
    from psycopg import OperationalError

    from openward.keys.errors import KeyTrouble
    from openward.server import commands

    try:
        with _ended_in_order():
            status: int = getattr(commands, options.command)(options)
    except (DatabaseTrouble, KeyTrouble, ImproperlyConfigured) as trouble:
        return _refused(trouble)
    except OSError as trouble:
        return _refused(_of_file(trouble))
    except KeyboardInterrupt:
        print("\nopenward: stopped", file=sys.stderr)
        return 130
    except Stopped as stopped:
        print("\nopenward: stopped", file=sys.stderr)
        return 128 + int(stopped.args[0])
    except Exception as trouble:
        if not isinstance(found := trouble.__cause__ or trouble, OperationalError):
            raise
        return _refused(f"The database ended the work: {(str(found).strip() or type(found).__name__).splitlines()[0]}")
    return status


def _refused(words: object) -> int:
    print(f"openward: {words}", file=sys.stderr)
    return 1


def _of_file(trouble: OSError) -> str:
    """`report.json: No such file or directory`"""
    return f"{trouble.filename}: {trouble.strerror}" if trouble.filename and trouble.strerror else trouble.strerror or str(trouble)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM and a closed terminal end a command as Ctrl-C does: the embedded database it started is stopped. For the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="openward", description="An integrated healthcare management system over one FHIR R4 record.")
    top.add_argument("--version", action="version", version=f"openward {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _serve(_command(commands, "serve", "serve pages, the FHIR API, live updates and background work"))
    _demo(_command(commands, "demo", "make the demo clinic"))
    _load(_command(commands, "load", "take FHIR JSON bundles, NDJSON, .gz, archives and folders into the record", called="import"))
    _administrator(_command(commands, "administrator", "make the first administrator, or let one in again who cannot get in"))
    _token(_command(commands, "token", "make a bearer token for a client program, printed once"))
    _fhirpath(_command(commands, "fhirpath", "evaluate a FHIRPath expression on a resource in a file"))
    _command(commands, "reindex", "index what is there by search parameters that were added, or say how far that is")
    _ig(_command(commands, "ig", "install, list and remove implementation guides"))
    _audit(_command(commands, "audit", "prove that the audit trail is whole and unchanged, and keep it so"))
    _terminology(_command(commands, "terminology", "load code systems from licensed files, and list what is here and what is lacking"))
    _backup(_command(commands, "backup", "back the record and the data folder up, encrypted: what changed since the last time"))
    _restore(_command(commands, "restore", "restore a backup into an empty data folder, as of any moment it reaches"))
    _command(commands, "drill", "prove the last backup: restore it beside the record and hold it to it")
    _keys(_command(commands, "keys", "list and rotate the keys of sealed values, and make an outer key"))
    _command(
        commands, "sign_anew", "make new keys that sign what apps are told of people; the old ones stay published for two days", called="sign-anew"
    )
    checked = _command(commands, "check", "say what is set up, what is not, and what is unhealthy")
    checked.add_argument("--deploy", action="store_true", help="say what is not safe yet, and what to do about it")
    return top


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], function: str, help: str, *, called: str | None = None
) -> argparse.ArgumentParser:
    made = commands.add_parser(called or function, help=help, description=help[0].upper() + help[1:] + ".")
    made.set_defaults(command=function)
    default = os.environ.get("OPENWARD_DATA", ".data")
    made.add_argument("--data", default=default, metavar="DIR", help=f"the data folder (default {default})")
    return made


def _serve(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    command.add_argument("--port", type=_port, default=8000, help="port; live updates use the next one (default 8000)")
    command.add_argument("--workers", type=_positive, default=2, help="web server processes (default 2)")


def _demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--patients", type=_positive, default=500, help="how many (default 500)")
    command.add_argument("--seed", type=int, default=7, help="the same seed makes the same clinic (default 7)")


def _load(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files and folders")


def _token(command: argparse.ArgumentParser) -> None:
    command.add_argument("--client", required=True, type=_client, help="name of the client; its reads and writes are audited under it")
    command.add_argument("--scope", required=True, help='SMART v2 scopes, such as "system/*.cruds"')
    command.add_argument("--days", type=_days, default=None, help="days the token works (default: until revoked)")


def _administrator(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = _command(actions, "new", "make the first administrator; prints the address, good for a day and once, where they choose their password")
    new.add_argument("sign_in", metavar="SIGN-IN", help="their e-mail address or a short name")
    new.add_argument("--name", required=True, help="their name as others see it")
    recover = _command(
        actions, "recover", "let an administrator in again: removes their second factors, password and sessions, and prints such an address"
    )
    recover.add_argument("sign_in", metavar="SIGN-IN", help="their sign-in name")
    for one in (new, recover):
        one.set_defaults(command="administrator")


def _fhirpath(command: argparse.ArgumentParser) -> None:
    command.add_argument("expression", metavar="EXPR", help='such as "Patient.name.given.first()"')
    command.add_argument("file", type=Path, metavar="FILE", help="a FHIR resource as JSON or XML")


def _ig(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    install = _command(actions, "install", "put a guide's profiles, value sets and other resources into the record")
    install.add_argument("file", type=Path, metavar="FILE.tgz", help="an npm-style package of FHIR R4")
    shown = _command(actions, "list", "list the guides that are built in and installed")
    remove = _command(actions, "remove", "take a guide out of the record")
    remove.add_argument("name", metavar="NAME[#VERSION]", help="the package, in one version or in all")
    for one in (install, shown, remove):
        one.set_defaults(command="ig")


def _audit(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = _command(actions, "verify", "find any entry, agent or seal that was changed, removed, added or reordered")
    verify.add_argument(
        "--anchors",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="files of anchored lines kept elsewhere, oldest first (default: the data folder's)",
    )
    seal = _command(actions, "seal", "seal now what the worker would seal within a second")
    accept = _command(actions, "accept-restore", "say, signed, that the database was taken back to a backup on purpose")
    accept.add_argument("--reason", required=True, type=_reason, help="who decided it and why; stands in the anchor for good")
    purge = _command(actions, "purge", "remove whole months past their retention, unless a legal hold stands; their seals remain")
    role = _command(actions, "role", "make a database role that can add to the trail and not change it, and print what was granted")
    role.add_argument("name", type=_role_name, metavar="NAME", help="the role")
    for one in (verify, seal, accept, purge, role):
        one.set_defaults(command="audit")


def _terminology(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    load = _command(actions, "load", "take in SNOMED CT, LOINC, RxNorm, CPT, ICD-10-CM, HCPCS or CVX from its publisher's files")
    load.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, folders and zip archives")
    load.add_argument("--version", default=None, help="the version, where the names of the files do not tell it")
    shown = _command(actions, "list", "list the code systems that are here, and those that are lacking")
    for one in (load, shown):
        one.set_defaults(command="terminology")


def _backup(command: argparse.ArgumentParser) -> None:
    command.add_argument("--full", action="store_true", help="make a new base backup (default: once a week)")


def _restore(command: argparse.ArgumentParser) -> None:
    command.add_argument("--at", type=_moment, default=None, metavar="TIME", help="such as 2026-11-22T14:05:00-05:00 (default: the newest state)")
    command.add_argument("--from", dest="source", type=Path, default=None, metavar="DIR", help="the folder of backups (default: OPENWARD_BACKUPS)")
    command.add_argument("--installation", default="", metavar="ID", help="whose backup, where the folder holds several")


def _keys(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = _command(actions, "list", "list the data keys, what each is for and under which outer key it stands")
    rotate = _command(actions, "rotate", "make new data keys and seal everything anew under them")
    new = _command(actions, "new", "make the file of a new outer key")
    new.add_argument("file", type=Path, metavar="FILE", help="where; nothing may be there yet")
    for one in (shown, rotate, new):
        one.set_defaults(command="keys")


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else 0
    if not 1 <= port <= 65534:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65534")
    return port


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a time is written as 2026-11-22T14:05:00-05:00") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("say the time zone too, such as 2026-11-22T14:05:00-05:00 or 2026-11-22T19:05:00Z")
    return moment


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number above 0")
    return number


def _days(text: str) -> int:
    if (days := _positive(text)) > DAYS_AT_MOST:
        raise argparse.ArgumentTypeError(f"at most {DAYS_AT_MOST} days; leave it out for a token that works until it is revoked")
    return days


def _client(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > NAME_LONGEST or not name.isprintable():
        raise argparse.ArgumentTypeError(f"a name of 1 to {NAME_LONGEST} letters: it stands beside what the client does")
    return name


def _reason(text: str) -> str:
    if not (words := " ".join(text.split())):
        raise argparse.ArgumentTypeError("say who decided it and why: it stands for good")
    return words


def _role_name(text: str) -> str:
    """PostgreSQL would cut a longer one, and another role than the one that was printed would get the rights."""
    if not text.strip() or len(text.encode()) > ROLE_LONGEST or not text.isprintable():
        raise argparse.ArgumentTypeError(f"a role has a name of 1 to {ROLE_LONGEST} bytes")
    return text


if __name__ == "__main__":
    sys.exit(main())
