"""The server processes: forked from one that has imported everything, replaced when they die, stopped together.

Uvicorn's own supervisor starts each from nothing: two seconds of imports apiece, and one that takes more than five
over them, on a busy machine, is killed and begun anew (uvicorn/supervisors/multiprocess.py, keep_subprocess_alive). Its
listening socket also leaves Nagle's algorithm on, which asyncio turns off only where the protocol number is given
(asyncio/base_events.py, _set_nodelay): 40 ms for each answer after the first on a connection.
"""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from core.settings import Settings
from server import app
from server.protocol import Protocol

LOGGER = logging.getLogger("chengtu.workers")
_REST = 1.0  # seconds before a process is replaced, lest one that cannot start keeps the machine busy
_PATIENCE = 5.0  # seconds to end in, beyond those that running requests get


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; SystemExit where the service cannot start."""
    config = uvicorn.Config(
        app.create,
        factory=True,
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.stop_grace),
    )
    with _listening(settings) as listener:

        def start() -> BaseProcess:
            process = multiprocessing.get_context("fork").Process(target=_work, args=(config, listener))
            process.start()
            return process

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        crew: list[BaseProcess] = []
        try:
            crew += [start() for _ in range(settings.workers)]
            _keep(crew, start)
        except KeyboardInterrupt:
            LOGGER.info("stopping")
        finally:
            _stop(crew, settings.stop_grace + _PATIENCE)


def _listening(settings: Settings) -> socket.socket:
    """The socket that all processes take their connections from."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    return listener


def _work(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve, in a process of its own; a signal ends it, and so does the death of its parent."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    uvicorn.Server(config).run(sockets=[listener])


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _keep(crew: list[BaseProcess], start: Callable[[], BaseProcess]) -> None:
    """Replace those that die, for ever; where one of the first cannot start, none could."""
    first = list(crew)
    while True:
        wait([process.sentinel for process in crew])
        for place, process in enumerate(crew):
            if process.exitcode is None:
                continue
            if process.exitcode == STARTUP_FAILURE and process in first:
                sys.exit(STARTUP_FAILURE)
            LOGGER.error("server process %s has ended with %s", process.pid, process.exitcode)
            time.sleep(_REST)
            crew[place] = start()


def _stop(crew: list[BaseProcess], patience: float) -> None:
    """Let the processes finish their requests, and kill those that do not."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # a second Ctrl-C hurries the processes, which hear it too
    deadline = time.monotonic() + patience
    for process in crew:
        process.terminate()
    for process in crew:
        process.join(max(0, deadline - time.monotonic()))
        process.kill()
        process.join()
