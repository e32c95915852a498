"""CPU seconds, wall seconds and memory of programs and of the PostgreSQL that works for them, from the kernel's books."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """What one run took: seconds on the clock, CPU seconds on either side, and the most memory at a time."""

    wall: float
    inside: float  # seconds that the program's own work took, if it says so: without its start and its imports
    client: float  # CPU seconds of the program and all it started
    postgres: float  # CPU seconds of the cluster meanwhile
    client_megabytes: float  # peak resident memory
    postgres_megabytes: float  # peak private memory of one back end, without the shared buffers

    @property
    def cpu(self) -> float:
        """CPU seconds of both sides."""
        return self.client + self.postgres


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each number."""
    return Cost(*map(median, zip(*costs, strict=True)))


def alternate[Name](runs: Mapping[Name, Callable[[], Cost]], times: int) -> dict[Name, Cost]:
    """Run all in turn, so that a busy minute falls on everyone, and take medians."""
    found: dict[Name, list[Cost]] = {name: [] for name in runs}
    for _ in range(times):
        for name, run in runs.items():
            found[name].append(run())
    return {name: middle(costs) for name, costs in found.items()}


class Run(NamedTuple):
    """A program that has ended well, what it printed, and its cost."""

    output: str
    ended: float  # on the clock of time.monotonic
    cost: Cost


def run(command: Sequence[str | Path], environment: Mapping[str, str], postmaster: int | None = None) -> Run:
    """Run a program to its end and count what it, and a PostgreSQL, took."""
    before = cpu_of_cluster(postmaster)
    started = time.monotonic()
    process = subprocess.Popen(
        list(map(str, command)), env={**surroundings(), **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    peaks = _Peaks(process.pid, postmaster)
    with looking(peaks.look, every=0.1):
        output = process.stdout.read().decode() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command}: {output}")
    _settle(postmaster)
    cost = Cost(
        ended - started,
        ended - started,
        usage.ru_utime + usage.ru_stime,
        cpu_of_cluster(postmaster) - before,
        peaks.client,
        peaks.backend,
    )
    return Run(output, ended, cost)


def surroundings() -> dict[str, str]:
    """Our environment without settings of Chengtu's, which would make another service of it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CHENGTU_", "DATABASE_URL"))}


@contextmanager
def looking(look: Callable[[], None], every: float) -> Iterator[None]:
    """Call `look` again and again, so many seconds apart, while something runs."""
    over = threading.Event()

    def again() -> None:
        while not over.wait(every):
            look()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class _Peaks:
    """The most memory that a program, and the back ends, held: `ru_maxrss` would count who started it."""

    def __init__(self, pid: int, postmaster: int | None) -> None:
        self.client = self.backend = 0.0
        self._pid = pid
        self._postmaster = postmaster

    def look(self) -> None:
        """See what they hold now."""
        self.client = max(self.client, memory(self._pid, "VmHWM"))
        backends = children(self._postmaster) if self._postmaster else []
        self.backend = max([self.backend, *(memory(pid, "RssAnon") for pid in backends)])


def _settle(postmaster: int | None) -> None:
    """Wait until the back ends of a program that has ended have ended too, and are in the books."""
    deadline = time.monotonic() + 2
    while postmaster and time.monotonic() < deadline and any(map(_is_backend, children(postmaster))):
        time.sleep(0.02)


def _is_backend(pid: int) -> bool:
    with suppress(OSError):
        return b"[local]" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def cpu_of_cluster(postmaster: int | None) -> float:
    """CPU seconds of a PostgreSQL server so far, ended back ends included."""
    if postmaster is None:
        return 0.0
    return _cpu(postmaster, ended_children=True) + cpu(children(postmaster))


def cpu(pids: Iterable[int]) -> float:
    """CPU seconds so far of processes that run, without their children."""
    return sum(_cpu(pid) for pid in pids)


def cpu_of_tree(pid: int) -> float:
    """CPU seconds so far of a process and of all below it, those included that have ended."""
    return _cpu(pid, ended_children=True) + sum(map(cpu_of_tree, children(pid)))


def _cpu(pid: int, *, ended_children: bool = False) -> float:
    """A process's own CPU clock, and fields 16 and 17 of /proc/PID/stat: of children that were waited for."""
    with suppress(OSError):
        own = time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3): to the nanosecond, where stat counts ticks
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return own + (sum(map(int, fields[13:15])) / TICKS if ended_children else 0)
    return 0.0


def children(pid: int) -> list[int]:
    """The processes that a process started and that run."""
    with suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def tree(pid: int) -> list[int]:
    """A process and all below it that run."""
    return [pid, *(one for child in children(pid) for one in tree(child))]


def proportional(pid: int) -> float:
    """Megabytes of a process, of which a page that several share counts in parts."""
    with suppress(OSError):
        found = re.search(r"^Pss: +([0-9]+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), flags=re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def memory(pid: int, what: str = "VmRSS") -> float:
    """Megabytes of a process, by a name of /proc/PID/status."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a service as the system does (a job in the background may ignore Ctrl-C); what is left of its group is killed."""
    process.terminate()
    try:
        process.wait(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
