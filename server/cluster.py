"""The private PostGIS: one cluster beside the checkout, on a Unix socket, run by an unprivileged account.

Its home (`var/postgres`) holds `data`, `log` and `run` (the socket), which belong to that account, and two lock
files: `lock` is held while the cluster is made, started or stopped, and `users` is held, shared, by everybody
who works with it, so that the last one out stops it.
"""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from core.database import query
from core.language import Text
from server.cluster_home import SOCKET, Cluster, ClusterError, DiskFull, Tell, another_users, find, private_folder

PATIENCE = 300  # seconds: a cluster that was killed may have gigabytes of log to replay
ROOM = 500_000_000  # bytes: an empty cluster with PostGIS and its first log files
TROUBLE = r"^.*(FATAL|PANIC|error):\s+"


def _say_nothing(text: Text) -> None:
    pass


@contextmanager
def running(directory: Path, tell: Tell = _say_nothing) -> Iterator[str]:
    """Yield a libpq DSN of the private cluster in `directory`, made and started if need be; the last user stops it.

    Any number of processes may be inside at once. `tell` hears what takes a while or was decided for the user.
    """
    cluster = find(directory.absolute(), tell)
    with _lock_file(cluster.home / "lock") as lock, _lock_file(cluster.home / "users") as users:
        try:
            with _alone(lock):
                fcntl.flock(users, fcntl.LOCK_SH)
                _start(cluster, tell)
                _prepare(cluster)
            yield cluster.dsn()
        finally:
            with _alone(lock):
                if _last(users):
                    _stop(cluster)


# Locks


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """Open a file for flock: read-only, so that root and the owner can share it; the kernel unlocks for the killed."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError as error:
        raise another_users(path.parent) from error
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _alone(lock: int) -> Iterator[None]:
    """Keep all others from making, starting or stopping the cluster meanwhile."""
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def _last(users: int) -> bool:
    """Give up our share, and tell whether nobody else has one; to be asked with `lock` held."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# Making, starting, stopping: all with `lock` held


def _start(cluster: Cluster, tell: Tell) -> None:
    """See that the server runs and answers, whatever was left by those before us."""
    private_folder(cluster.socket, cluster.account)
    if not cluster.data.exists():
        _make(cluster, tell)
    deadline = time.monotonic() + PATIENCE
    while refusal := _refusal(cluster):
        if not _server_processes(cluster.data):
            _launch(cluster)
        elif time.monotonic() > deadline:
            raise _failure(cluster, refusal)
        else:  # it starts, stops, or its last processes notice that the first is gone
            time.sleep(0.05)


def _make(cluster: Cluster, tell: Tell) -> None:
    """Make the data in a folder aside and rename it: half a cluster is never taken for a whole one.

    Text sorts by code point (C), which no upgrade of the system changes under an index and which serves
    `LIKE 'x%'`; letters are Unicode's (C.UTF-8), so that lower() and pg_trgm know Chinese. Where people
    read a sorted list, the query says COLLATE "zh-x-icu".
    """
    tell(
        Text(
            en=f"Making the private PostgreSQL cluster in {cluster.home} (once, a few seconds)",
            zh=f"正在 {cluster.home} 创建私有 PostgreSQL 数据库(仅首次,需数秒)",
        )
    )
    if (free := shutil.disk_usage(cluster.home).free) < ROOM:
        raise DiskFull(home=cluster.home, reason=f"{free // 1_000_000} MB < {ROOM // 1_000_000} MB")
    new = Path(tempfile.mkdtemp(prefix="new-", dir=cluster.home))  # never one that a killed process's initdb fills
    private_folder(new, cluster.account)
    options = "-U postgres -E UTF8 --locale=C.UTF-8 --lc-collate=C --auth-local=trust --auth-host=reject -k"
    made = cluster.run("initdb", "-D", str(new), *options.split())
    if made.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise _failure(cluster, made.stdout)
    with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("include '../postgresql.conf'\n")
    new.rename(cluster.data)


def _refusal(cluster: Cluster) -> str | None:
    """Why the server takes no connections, or None if it does."""
    try:
        psycopg.connect(cluster.dsn(database="postgres", user="postgres"), connect_timeout=10).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def _server_processes(data: Path) -> list[int]:
    """The processes that work in this data folder: surer than postmaster.pid, whose number may be another's by now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "comm").read_text() == "postgres\n" and (process / "cwd").samefile(data):
                found.append(int(process.name))
    return found


def _launch(cluster: Cluster) -> None:
    """Start the server; nothing of an earlier one runs any more, so what it left may go."""
    for left in cluster.home.glob("new-*"):
        shutil.rmtree(left, ignore_errors=True)
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)
    (cluster.socket / f"{SOCKET}.lock").unlink(missing_ok=True)
    shutil.copyfile(Path(__file__).with_name("postgresql.conf"), cluster.home / "postgresql.conf")
    (cluster.home / "postgresql.conf").chmod(0o644)
    private_folder(cluster.home / "log", cluster.account)
    log = cluster.home / "log" / "start.log"
    log.unlink(missing_ok=True)
    socket = f"-k {shlex.quote(str(cluster.socket))}"
    started = _pg_ctl(cluster, "start", f"--log={log}", f"--options={socket}")
    if started.returncode:
        raise _failure(cluster, started.stdout + "\n" + _log_tail(cluster.home))


def _log_tail(home: Path) -> str:
    """The end of the newest log."""
    logs = sorted((home / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
    return "".join(path.read_text("utf-8", errors="replace")[-4000:] for path in logs[-2:])


def _failure(cluster: Cluster, output: str) -> ClusterError:
    """The error that quotes the last telling line of PostgreSQL's output."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no word from it"]
    telling = [line for line in lines if re.search(TROUBLE, line)]
    reason = re.sub(TROUBLE, "", (telling or lines)[-1]).rstrip(".")
    kind = DiskFull if "No space left on device" in output else ClusterError
    return kind(home=cluster.home, reason=reason)


def _prepare(cluster: Cluster) -> None:
    """See that our role, our database and its extensions are there."""
    try:
        with psycopg.connect(cluster.dsn(database="postgres", user="postgres"), autocommit=True) as server:
            server.execute(query("cluster_make_role"))
            if server.execute(query("cluster_has_database")).fetchone() == (False,):
                server.execute(query("cluster_make_database"))
        with psycopg.connect(cluster.dsn(user="postgres"), autocommit=True) as database:
            for (name,) in database.execute(query("cluster_missing_extensions")).fetchall():
                database.execute(sql.SQL("create extension {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise _failure(cluster, str(error)) from error


def _stop(cluster: Cluster) -> None:
    """Stop the server if it runs: clients are cut off, all that was committed is on disk."""
    if _server_processes(cluster.data):
        _pg_ctl(cluster, "stop", "--mode=fast")
    if cluster.socket.parent != cluster.home:
        with suppress(OSError):
            cluster.socket.rmdir()


def _pg_ctl(cluster: Cluster, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Start or stop the server, and wait until that is done."""
    return cluster.run("pg_ctl", command, f"--pgdata={cluster.data}", "--wait", f"--timeout={PATIENCE}", *options)
