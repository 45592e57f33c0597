"""What each command of `openward` does, once the data folder is known."""

from __future__ import annotations

import argparse
import datetime as dt
import errno
import gc
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from openward.cluster import EmbeddedCluster
from openward.database import URL_VARIABLE, Database, open_database, require_writable
from openward.server import users
from openward.server.misset import require_settings
from openward.server.progress import ProgressBar
from openward.server.supervisor import Supervisor, alone_in, family, require_free
from openward.troubles import NewerSchema, NothingHere

NOISY = {"verbosity": 0, "interactive": False}


def serve(options: argparse.Namespace) -> int:
    data = Path(os.environ["OPENWARD_DATA"])
    require_settings()
    require_writable(data)
    require_free(options.host, options.port)
    require_free(options.host, options.port + 1)
    os.environ.setdefault("OPENWARD_LIVE_URL", f"http://{options.host}:{options.port + 1}")
    os.environ.setdefault("OPENWARD_PUBLIC_URL", f"http://{options.host}:{options.port}")
    with alone_in(data) as held, _ready(before=_say_if_demo) as opened:
        _describe(options, opened.database)
        _close_connections()
        Supervisor(family(host=options.host, port=options.port, workers=options.workers), held).run()
    return 0


def demo(options: argparse.Namespace) -> int:
    with _ready():
        from django.utils import timezone

        from openward.demo import clinic

        with ProgressBar("demo clinic") as bar:
            clinic.build(patients=options.patients, seed=options.seed, today=timezone.localdate(), progress=bar.update)
    return 0


def load(options: argparse.Namespace) -> int:
    _require_there(options.paths)
    with _ready():
        from django.db import connections

        from openward.access.actor import Actor
        from openward.fhir.crew import ProcessEnded
        from openward.fhir.loading import load as load_files
        from openward.record import open_store

        actor = Actor.system("import files", tenant=1)
        connections.close_all()  # the processes of an import open their own
        try:
            with ProgressBar("import") as bar:
                report = load_files(options.paths, lambda: open_store(actor), bar.update, processes=_processes())
        except ProcessEnded as ended:
            print(f"openward: {ended}", file=sys.stderr)
            return 1
    if not (report.documents or report.known or report.refused):
        return _nothing_in(options.paths)
    print(report)
    return 1 if report.refused else 0


def _nothing_in(paths: Sequence[Path]) -> int:
    """A nightly import from a folder that is not the one, or not mounted, would be a success for years."""
    print(f"openward: there is nothing to import in {', '.join(map(str, paths))}", file=sys.stderr)
    return 1


def _processes() -> int:
    """How many import at once: one for each processor this command may use, where processes can be forked."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def fhirpath(options: argparse.Namespace) -> int:
    """Print what an expression gives for the resource in a file, one JSON value a line."""
    from openward.fhir.errors import FhirError
    from openward.fhir.fhirpath import compile
    from openward.fhir.json import dumps, loads
    from openward.fhir.xml import from_xml

    try:
        expression = compile(options.expression)
        body = options.file.read_bytes()
        resource = from_xml(body) if body.lstrip().startswith(b"<") else loads(body)
        found = expression(resource)
    except FhirError as trouble:
        print(f"openward: {trouble}", file=sys.stderr)
        return 1
    for value in found:
        print(dumps(value).decode())
    return 0


def token(options: argparse.Namespace) -> int:
    with _ready():
        from openward.access.scopes import InvalidScope
        from openward.accounts.tokens import make_token

        try:
            made = make_token(client=options.client, scope=options.scope, valid_for=dt.timedelta(days=options.days) if options.days else None)
        except InvalidScope as wrong:
            print(f"openward: {wrong}", file=sys.stderr)
            return 1
    print(made)
    return 0


def administrator(options: argparse.Namespace) -> int:
    """Exit status 1 when there is an administrator already, or none of that name to let in again."""
    if options.action == "recover":
        _require_installation()
    with _ready():
        from openward.accounts.actions import SignInTaken
        from openward.entrance import administrators

        try:
            if options.action == "new":
                link = administrators.first(sign_in=options.sign_in, name=options.name)
            else:
                link = administrators.recover(sign_in=options.sign_in)
        except (administrators.AdministratorThere, administrators.NoAdministrator, administrators.NoName, SignInTaken) as refused:
            print(f"openward: {refused or refused.__doc__}", file=sys.stderr)
            return 1
    print(
        f"{link}\nThis address works once, until tomorrow at this time: open it, choose a password, and set up the second factor. Whoever has it is you."
    )
    return 0


def sign_anew(options: argparse.Namespace) -> int:
    _require_installation()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")
    from openward.smart.signing import rotate

    print("\n".join(rotate()))
    return 0


def reindex(options: argparse.Namespace) -> int:
    """Exit status 1 when a parameter could not be indexed."""
    _require_installation()
    with _ready():
        from openward.fhir.search.reindex import progress, run_out
        from openward.record.wires import own_wire

        with own_wire() as wire:
            with ProgressBar("reindex") as bar:
                run_out(wire, lambda one: bar.update(one.done, one.total, f"{one.type}.{one.code}"))
            found = progress(wire)
    for one in found:
        print(f"{one.state:8} {one.type}.{one.code}  {one.done:,} of {one.total:,}" + (f"  {one.trouble}" if one.trouble else ""))
    if not found:
        print("no search parameters were added")
    return 1 if any(one.state == "failed" for one in found) else 0


def ig(options: argparse.Namespace) -> int:
    if options.action == "install":
        _require_there([options.file])
    else:
        _require_installation()
    with _ready():
        from openward.fhir.errors import FhirError
        from openward.server import guides

        try:
            print("\n".join(guides.run(options)))
        except FhirError as trouble:
            print(f"openward: {trouble}", file=sys.stderr)
            return 1
    return 0


def terminology(options: argparse.Namespace) -> int:
    if options.action == "load":
        _require_there(options.paths)
    else:
        _require_installation()
    with _ready() as opened:
        from openward.fhir.errors import FhirError
        from openward.server import terminologies

        try:
            print("\n".join(terminologies.run(options, opened.database)))
        except FhirError as trouble:
            print(f"openward: {trouble}", file=sys.stderr)
            return 1
    return 0


def keys(options: argparse.Namespace) -> int:
    """Exit status 1 when a key cannot be used, or the file to make is there."""
    from openward.keys.errors import KeyTrouble
    from openward.keys.outer import make_key_file

    try:
        if options.action == "new":
            made = make_key_file(options.file)
            print(f"outer key {made.id} in {made.path}\nKeep a copy apart from the backups: without it what it wraps cannot be read by anyone.")
            return 0
        _require_installation()
        with _ready():
            from openward.server import keykeeping

            print("\n".join(keykeeping.run(options.action)))
    except KeyTrouble as trouble:
        print(f"openward: {trouble}", file=sys.stderr)
        return 1
    return 0


def audit(options: argparse.Namespace) -> int:
    """Exit status 1 when the trail is not sound."""
    _require_installation()
    with _ready(as_owner=True):
        from openward.server import audits

        try:
            done = audits.run(options)
        except audits.TROUBLES as trouble:
            print(f"openward: {trouble}", file=sys.stderr)
            return 1
    print("\n".join(done.lines))
    return done.status


def backup(options: argparse.Namespace) -> int:
    """Exit status 1 when it could not be made; what was backed up before is as it was."""
    from openward.server import keeping

    keeping.require_embedded()
    _require_installation()
    with _ready():
        return keeping.backup(full=options.full)


def drill(options: argparse.Namespace) -> int:
    """Exit status 1 when the last backup could not be proved."""
    from openward.server import keeping

    keeping.require_embedded()
    _require_installation()
    with _ready():
        return keeping.drill()


def restore(options: argparse.Namespace) -> int:
    """Exit status 1 when nothing was restored; then the data folder has nothing that was not there before."""
    from openward.server import keeping

    return keeping.restore(source=options.source, at=options.at, installation=options.installation)


def check(options: argparse.Namespace) -> int:
    """Exit status 1 when something vital is in trouble; with --deploy, when anything is not safe yet."""
    is_new = not _is_installation()
    with _ready():
        from openward.accounts.models import User
        from openward.record.health import findings
        from openward.server import audits

        if options.deploy:
            return _check_deploy()
        found = findings()
        people = User.objects.filter(is_active=True).count()
        print(f"data folder   {os.environ['OPENWARD_DATA']}" + (": new, nothing was in it" if is_new else ""))
        print(f"people        {people} can sign in" if people else "people        nobody can sign in yet: run `openward administrator new`")
        print(f"audit trail   {audits.how_it_stands()}")
        for finding in found:
            words = finding.trouble or finding.note
            print(f"{'ok      ' if finding.is_well else 'TROUBLE '}  {finding.title}" + (f": {words}" if words else ""))
    return 1 if any(finding.vital and not finding.is_well for finding in found) else 0


def _check_deploy() -> int:
    from openward.server import readiness

    found = readiness.unsafe()
    for one in found:
        print(f"{one.about:12} {one.todo}")
    print(f"{len(found)} things are not safe yet." if found else f"Nothing unsafe was found in: {', '.join(readiness.LOOKS)}.")
    return 1 if found else 0


def _require_installation() -> None:
    """A name that was mistyped must not be backed up, proven or rotated as an empty record, with success. Raises NothingHere."""
    if not _is_installation():
        raise NothingHere(folder=os.environ["OPENWARD_DATA"])


def _is_installation() -> bool:
    return bool(os.environ.get(URL_VARIABLE)) or (Path(os.environ["OPENWARD_DATA"]) / "postgres").is_dir()


def _require_there(paths: Sequence[Path]) -> None:
    """Before the database is opened, which may take its time. Raises FileNotFoundError with all that are not."""
    if missing := [str(path) for path in paths if not path.exists()]:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), ", ".join(missing))


class _ready:  # noqa: N801 - reads as a word in `with _ready():`
    """The database open and at this version's schema, Django set up; an embedded server this command started is stopped again."""

    database: Database

    def __init__(self, *, as_owner: bool = False, before: Callable[[Database], None] | None = None) -> None:
        """`before` is what must be known of the database before the settings are read."""
        self.stays_owner = as_owner
        self.before = before

    def __enter__(self) -> _ready:
        require_settings()
        self.database = open_database(Path(os.environ["OPENWARD_DATA"]))
        try:
            if self.before:
                self.before(self.database)
            _set_up_django()
            self._make_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make_ready(self) -> None:
        """The schema is the owner's work; what the command does then is not, unless it says so."""
        if not self.database.daily_role:
            return _migrate()
        with ExitStack() as ready:
            ready.enter_context(users.as_owner(self.database))
            _migrate()
            users.grant_daily(self.database)
            if self.stays_owner:
                ready.pop_all()
                return None
        return users.use_daily(self.database)

    def __exit__(self, *_: object) -> None:
        cluster: EmbeddedCluster | None = self.database.cluster
        if cluster and cluster.started_here:
            try:
                _close_connections()
            finally:  # also where the settings are wrong, so that Django knows no connections
                cluster.stop()


def _set_up_django() -> None:
    """Without the collector: what is read stays, and walking through it again and again is an eighth of the start."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")
    gc.disable()
    import django

    django.setup()
    gc.freeze()
    gc.enable()


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()


def _migrate() -> None:
    """Bring the schema up to this version. Raises NewerSchema when it is already past it."""
    if _is_up_to_date():
        return
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    ours = {app for app, _ in executor.loader.disk_migrations}
    unknown = sorted(
        f"{app}.{name}" for app, name in executor.loader.applied_migrations if app in ours and (app, name) not in executor.loader.disk_migrations
    )
    if unknown:
        raise NewerSchema(unknown=", ".join(unknown))
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", **NOISY)


def _is_up_to_date() -> bool:
    """Whether exactly the migrations there are files for have been made. Told by their names alone: reading them all takes a third of a second."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    files = {
        (app.label, found.name)
        for app in apps.get_app_configs()
        for found in pkgutil.iter_modules([str(Path(app.path) / "migrations")])
        if not found.ispkg and found.name[0] not in "_~"
    }
    labels = {label for label, _ in files}
    return files == {made for made in MigrationRecorder(connection).applied_migrations() if made[0] in labels}


def _is_demo(database: Database) -> bool:
    with database.connect() as connection:
        row = connection.execute("select to_regclass('demo_instance') is not null").fetchone()
        if not row or not row[0]:
            return False
        return connection.execute("select 1 from demo_instance limit 1").fetchone() is not None


def _say_if_demo(database: Database) -> None:
    if _is_demo(database):
        os.environ["OPENWARD_DEMO"] = "1"


def _describe(options: argparse.Namespace, database: Database) -> None:
    from openward.server.static import collect_static_files

    collect_static_files()
    kind = "embedded PostgreSQL" if database.cluster else "PostgreSQL"
    print(f"Openward on http://{options.host}:{options.port}  ({kind}, data in {os.environ['OPENWARD_DATA']})", flush=True)
    if _is_demo(database):
        from openward.demo.personas import sign_ins

        print(sign_ins(), flush=True)
