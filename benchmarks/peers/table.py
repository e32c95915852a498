"""The comparison, question by question: the servers take turns, so that a busy minute falls on everyone."""

import signal
import sys
import time
from collections.abc import Mapping
from statistics import median

from benchmarks.peers.city import load
from benchmarks.peers.costs import CONNECTIONS, LARGEST, Export, Meter, export
from benchmarks.peers.questions import Question, Wrong, questions
from benchmarks.peers.servers import OURS, Peer, peers
from benchmarks.place import Place
from benchmarks.report import Table
from benchmarks.services import WORKERS

_RUNS, _SECONDS = 3, 2.5  # runs of a question, and about how long each takes
_QUICK_RUNS, _QUICK_SECONDS, _QUICK_EXPORT = 1, 0.7, 50_000
_LONG = 60  # seconds of exports, after which no further run begins

type Row = list[str | float]


def measure(place: Place, *, quick: bool = False) -> list[Table]:
    """Ask all servers the same, and hold their answers against what is right."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that they are stopped then too
    runs, seconds = (_QUICK_RUNS, _QUICK_SECONDS) if quick else (_RUNS, _SECONDS)
    with place.database() as dsn:
        total = load(place, dsn)
        with peers(place, dsn) as servers:
            rows = [_row(place, servers, question, runs, seconds) for question in questions(dsn, total)]
            rows += _exports(place, servers, _QUICK_EXPORT if quick else total, runs)
    headings = ("request", *(peer.name for peer in servers), "share of the best peer")
    times = "one run" if quick else f"median of {runs}"
    return [Table(f"CPU ms a request, {times}", headings, rows, _note(servers, total))]


def _row(place: Place, servers: list[Peer], question: Question, runs: int, seconds: float) -> Row:
    wrong: dict[str, str] = {}
    meters: dict[str, Meter] = {}
    for peer in servers:
        try:
            meters[peer.name] = Meter(peer, place.postmaster, question.requests(peer), seconds)
        except Wrong as error:
            wrong[peer.name] = str(error)
    for _ in range(runs):
        for name, meter in meters.items():
            if name not in wrong:
                try:
                    meter.run()
                except Wrong as error:
                    wrong[name] = str(error)
    found = {name: median(meter.found) for name, meter in meters.items() if name not in wrong}
    return _line(question.title, servers, {**found, **wrong})


def _exports(place: Place, servers: list[Peer], wanted: int, runs: int) -> list[Row]:
    """Two rows: CPU seconds, and memory."""
    cpu: dict[str, str | float] = {}
    memory: dict[str, str | float] = {}
    for peer in servers:
        try:
            found = _export(place, peer, wanted, runs)
        except Wrong as error:
            cpu[peer.name] = memory[peer.name] = str(error)
        else:
            cpu[peer.name] = median(one.cpu for one in found)
            memory[peer.name] = median(one.megabytes for one in found)
    whole = f"{wanted // 1000} 000 features to one file"
    return [
        _line(f"{whole}: CPU **s**", servers, cpu),
        _line(f"{whole}: peak MB, all processes", servers, memory),
    ]


def _export(place: Place, peer: Peer, wanted: int, runs: int) -> list[Export]:
    target = place.folder / "export.geojson"
    started = time.monotonic()
    found: list[Export] = []
    while len(found) < runs and time.monotonic() - started < _LONG:
        found.append(export(peer, place.postmaster, wanted, target))
    target.unlink()
    return found


def _line(title: str, servers: list[Peer], cells: Mapping[str, str | float]) -> Row:
    ours = cells[OURS]
    theirs = [value for name, value in cells.items() if name != OURS and not isinstance(value, str)]
    share = "" if isinstance(ours, str) or not theirs else f"{100 * ours / min(theirs):.0f} %"
    return [title, *(cells[peer.name] for peer in servers), share]


def _note(servers: list[Peer], total: int) -> str:
    versions = ", ".join(f"{peer.name} {peer.version}" for peer in servers if peer.version)
    return (
        f"{versions}; {total} parcels, {WORKERS} processes each, {CONNECTIONS} connections. CPU is that of all processes "
        "of a server, a web server in front included, and of the PostgreSQL back ends that work for it. An answer with "
        "the wrong status, number of features, place or coordinates has words instead of a number. The file is written "
        f"by following `next` from pages of {LARGEST}; memory counts a page of it once that several processes share."
    )
