"""The tiles of an export that is under way, on disk: whoever is killed goes on where the last commit left off."""

import fcntl
import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

from core.changes import Standing
from core.errors import ChengtuError
from tiles.matrix import Limits, Tile

_COMMIT_EACH: Final = 1.0  # seconds
_TABLES = """
create table if not exists tile (
    z integer, x integer, y integer, digest blob, below integer, primary key (z, x, y)
) without rowid;
create table if not exists content (digest blob primary key, zipped blob);
create table if not exists note (name text primary key, value text) without rowid;
"""


class AtWork(ChengtuError):
    """Another process makes the same archive."""

    en = "{target} is being made by another process. Wait for it, or choose another name."
    zh = "另一进程正在生成 {target}。请等待其完成,或换一个名称。"
    exit_code = 2


class Counts(NamedTuple):
    """How many tiles there are with something in them, how many of these differ, how many are empty, and their bytes."""

    tiles: int
    distinct: int
    empty: int
    bytes: int


class Work:
    """One export's tiles, each with whether anything may be below it."""

    def __init__(self, target: Path) -> None:
        self.folder = target.with_name(f"{target.name}.partial")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise AtWork(target=target) from error
        self._database = sqlite3.connect(self.folder / "work.sqlite")
        self._database.executescript(f"pragma journal_mode = wal; pragma synchronous = normal; {_TABLES}")
        self._committed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.commit()
        self._database.close()
        self._lock.close()

    def remove(self) -> None:
        """The work is done."""
        shutil.rmtree(self.folder)

    def begin(self, wish: str, now: Mapping[str, Standing]) -> bool:
        """Go on with the work for a wish; where it was for another, anew. Whether there is any."""
        if self._note("wish") == wish:
            return True
        self.forget_all()
        self._write("wish", wish)
        self.stand(now)
        return False

    @property
    def standings(self) -> dict[str, Standing]:
        """The states that the tiles are right for, or newer."""
        noted = json.loads(self._note("standings") or "{}")
        return {id_: Standing(*one) for id_, one in noted.items()}

    def stand(self, standings: Mapping[str, Standing]) -> None:
        """Note the states that they are right for from now on, what changed since having been forgotten."""
        self._write("standings", json.dumps(standings))
        self._database.commit()

    def get(self, tile: Tile) -> bool | None:
        """Whether there may be anything below a tile; None of one that is not made yet."""
        found = self._database.execute("select below from tile where (z, x, y) = (?, ?, ?)", tile).fetchone()
        return bool(found[0]) if found else None

    def put(self, tile: Tile, zipped: bytes, *, below: bool) -> None:
        """Keep a tile; equal ones are kept once."""
        digest = hashlib.blake2b(zipped, digest_size=16).digest() if zipped else None
        if digest:
            self._database.execute("insert or ignore into content values (?, ?)", (digest, zipped))
        self._database.execute("insert or replace into tile values (?, ?, ?, ?, ?)", (*tile, digest, below))
        if time.monotonic() - self._committed > _COMMIT_EACH:
            self._database.commit()
            self._committed = time.monotonic()

    def forget(self, ranges: list[Limits]) -> int:
        """Let go of the tiles within limits, and of what was found empty; how many of the former there were."""
        statement = "delete from tile where z = ? and x between ? and ? and y between ? and ?"
        values = [(one.z, *one.columns, *one.rows) for one in ranges]
        gone = self._database.executemany(statement, values).rowcount
        self._database.execute("delete from tile where not below")
        return max(0, gone)

    def forget_all(self) -> None:
        """Begin anew."""
        for table in ("tile", "content", "note"):
            self._database.execute(f"delete from {table}")  # noqa: S608 — names of ours

    def counts(self) -> Counts:
        """What there is."""
        tiles, distinct, empty = self._database.execute(
            "select count(digest), count(distinct digest), count(*) - count(digest) from tile"
        ).fetchone()
        (size,) = self._database.execute(
            "select coalesce(sum(length(zipped)), 0) from content where digest in (select digest from tile)"
        ).fetchone()
        return Counts(tiles, distinct, empty, size)

    def tiles(self, order: Callable[[int, int, int], int] | None = None) -> Iterator[tuple[Tile, bytes]]:
        """The tiles with something in them, each with the digest of its content; by zoom, column and row, or by a number."""
        if order is not None:
            self._database.create_function("place", 3, order, deterministic=True)
        by = "place(z, x, y)" if order is not None else "z, x, y"
        for z, x, y, digest in self._database.execute(
            f"select z, x, y, digest from tile where digest is not null order by {by}"  # noqa: S608 — texts of ours
        ):
            yield Tile(z, x, y), digest

    def content(self, digest: bytes) -> bytes:
        """A tile, zipped."""
        zipped: bytes = self._database.execute("select zipped from content where digest = ?", (digest,)).fetchone()[0]
        return zipped

    def _note(self, name: str) -> str | None:
        found = self._database.execute("select value from note where name = ?", (name,)).fetchone()
        return found[0] if found else None

    def _write(self, name: str, value: str) -> None:
        self._database.execute("insert or replace into note values (?, ?)", (name, value))
