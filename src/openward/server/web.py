"""The web server: granian, whose workers are forked when everything a page needs is there."""

from __future__ import annotations

import gc

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

APPLICATION = "openward.server.wsgi:application"
THREADS = 4
FRAME = "web/base.html"


def serve(host: str, port: int, workers: int) -> None:
    """Until this process is told to stop. A worker that dies is forked again."""
    warm_up()
    listen(host, port, workers)


def listen(host: str, port: int, workers: int, application: str = APPLICATION) -> None:
    """Answer by `application`, a module and what it has there."""
    Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve()


def warm_up() -> None:
    """Views, addresses and the frame of every page are read before the fork: once for all, and no visitor is the first, who would wait for it."""
    from django.template import engines
    from django.urls import get_resolver

    from openward.server import wsgi  # noqa: F401 - what the workers will ask for

    get_resolver().reverse_dict  # noqa: B018 - reads every view
    engines["django"].get_template(FRAME)
    gc.collect()
    gc.freeze()
