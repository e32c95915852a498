"""Finished tiles on disk, shared by all server processes and kept across restarts: LMDB, bounded in size.

What is in the cache of a data set is right as of the data set's standing kept beside it: whoever moves that on removes in the
same transaction the tiles that changed since, and a tile made from an older state is not taken. A process that is killed
leaves either all of its transaction or nothing.
"""

import os
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

import lmdb
from isal import isal_zlib

from core.changes import Standing
from tiles.matrix import Limits, Tile
from tiles.mirror import Mirror

_PLACE = struct.Struct(">BII")
_HEAD = struct.Struct(
    ">12s12sdIIB"
)  # recipe, ETag, when it was made, its length as it is, checksum, whether features were left out
_STANDING = struct.Struct(">qqq")
_LEASE = struct.Struct(">qd")
_NUMBER = struct.Struct(">Q")
_PAGE = 4096
_FULL = 0.8  # of the file: LMDB needs room for pages that readers still look at
_FREED = 0.1  # of the limit, at once

_LEAST = 10_000_000  # bytes: enough for leases alone
_MIRROR = b"\0mirror"
_RECIPE = b"\0recipe "

CITY = ""  # the place of tiles that hold all data sets


class Kept(NamedTuple):
    """A finished tile."""

    etag: str
    made: float  # seconds since 1970
    length: int  # bytes, as it is
    left_out: bool
    zipped: bytes  # empty where it has not been zipped
    raw: bytes = b""  # empty where it comes from the cache
    hit: bool = False  # whether it does

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in the tile."""
        return self.length == 0


class Key(NamedTuple):
    """A tile of a data set, or of the whole city."""

    dataset: str
    matrix_set: str
    tile: Tile


class TileCache:
    """The tiles of one database; one object a process."""

    def __init__(self, folder: Path, limit: int, mirror: Mirror | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Without syncing, a crash of the machine may cost tiles, which are only copies; their checksums find the damaged.
        self._env = lmdb.open(
            str(folder),
            map_size=limit or _LEAST,
            max_dbs=4,
            sync=False,
            metasync=False,
            readahead=False,
            max_readers=512,
        )
        self._tiles = self._env.open_db(b"tiles")
        self._order = self._env.open_db(b"order")
        self._facts = self._env.open_db(b"facts")
        self._leases = self._env.open_db(b"leases")
        self._limit = limit
        self._mirror = mirror

    def close(self) -> None:
        """Give the file back."""
        self._env.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def keeps(self) -> bool:
        """Whether tiles are kept at all."""
        return self._limit > 0

    def get(self, key: Key, recipe: str) -> Kept | None:
        """The tile, if it is there, made by this recipe and undamaged."""
        with self._env.begin(db=self._tiles) as transaction:
            found = transaction.get(_encoded(key))
        kept = _read(bytes(found), recipe) if found is not None else None
        if kept is not None and self._mirror is not None and kept.zipped and not self._mirror.has(*key):
            with self._env.begin(write=True) as transaction:
                if transaction.get(_encoded(key), db=self._tiles) == found:
                    self._show(transaction, key, recipe, kept)
        return kept

    def lease(self, key: Key, seconds: float) -> bool:
        """Whether it is for this caller to make the tile: nobody else is at it, or whoever was has died or taken too long."""
        name, now = _encoded(key), time.time()
        with self._env.begin(db=self._leases, write=True) as transaction:
            held = transaction.get(name)
            if held is not None:
                pid, until = _LEASE.unpack(held)
                if now < until and _is_alive(pid):
                    return False
            transaction.put(name, _LEASE.pack(os.getpid(), now + seconds))
        return True

    def is_leased(self, key: Key) -> bool:
        """Whether somebody is at making the tile."""
        with self._env.begin(db=self._leases) as transaction:
            held = transaction.get(_encoded(key))
        if held is None:
            return False
        pid, until = _LEASE.unpack(held)
        return bool(time.time() < until and _is_alive(pid))

    def release(self, key: Key) -> None:
        """Let others make the tile."""
        with self._env.begin(db=self._leases, write=True) as transaction:
            transaction.delete(_encoded(key))

    def put(self, key: Key, recipe: str, kept: Kept, made_of: Mapping[str, Standing]) -> bool:
        """Keep a tile made of data sets as they stood; not if the cache knows of later changes. Ends the lease."""
        name = _encoded(key)
        value = _written(recipe, kept)
        with self._env.begin(write=True) as transaction:
            transaction.delete(name, db=self._leases)
            if not self.keeps or any(is_behind(one, self._standing(transaction, id_)) for id_, one in made_of.items()):
                return False
            self._make_room(transaction, _size(value))
            self._drop(transaction, name)
            number = _number(transaction.get(b"\0next", db=self._facts)) + 1
            transaction.put(b"\0next", _NUMBER.pack(number), db=self._facts)
            transaction.put(_NUMBER.pack(number), name, db=self._order)
            transaction.put(name, value + _NUMBER.pack(number), db=self._tiles)
            self._count(transaction, _size(value))
            self._show(transaction, key, recipe, kept)
        return True

    def standing(self, dataset: str) -> Standing | None:
        """The state that the tiles of a data set are right for; None where there is none yet."""
        with self._env.begin() as transaction:
            return self._standing(transaction, dataset)

    def move_on(self, dataset: str, to: Standing, changed: Mapping[str, Iterable[Limits]] | None) -> int:
        """Remove the tiles that changed (by matrix set; None: all of them), and note what the others are right for.

        Returns how many were removed. Does nothing where another process has moved on as far already.
        """
        removed = 0
        with self._env.begin(write=True) as transaction:
            known = self._standing(transaction, dataset)
            if known is not None and not is_behind(known, to):
                return 0
            self._hide(transaction, dataset, changed)
            for name in {name for one in (dataset, CITY) for name in self._touched(transaction, one, changed)}:
                removed += self._drop(transaction, name)
            transaction.put(dataset.encode(), _STANDING.pack(*to), db=self._facts)
        self._sweep()
        return removed

    def forget(self, dataset: str) -> None:
        """Remove all that is known of a data set: its history is another than it was, as after a backup was restored."""
        with self._env.begin(write=True) as transaction:
            self._hide(transaction, dataset, None)
            for name in {name for one in (dataset, CITY) for name in self._touched(transaction, one, None)}:
                self._drop(transaction, name)
            if dataset:
                transaction.delete(dataset.encode(), db=self._facts)
        self._sweep()

    def show_only(self, recipes: Mapping[str, str]) -> None:
        """Have files of tiles by these recipes alone, by data set; of no others, nor of what nobody has kept right."""
        if self._mirror is None:
            return
        with self._env.begin(write=True, db=self._facts) as transaction:
            if not self._is_followed(transaction):
                transaction.put(_MIRROR, self._mirror.begin().encode())
            for name in {*self._mirror.names(), *recipes}:
                if (recipe := recipes.get(name, "").encode()) != transaction.get(_RECIPE + name.encode()):
                    self._mirror.remove_all(name)
                    transaction.put(_RECIPE + name.encode(), recipe)
        self._sweep()

    @property
    def shows_all(self) -> bool:
        """Whether the files, if there are to be any, have been kept right by all who changed the cache."""
        with self._env.begin() as transaction:
            return self._mirror is None or self._is_followed(transaction)

    @property
    def size(self) -> int:
        """About how many bytes the tiles take."""
        with self._env.begin(db=self._facts) as transaction:
            return _number(transaction.get(b"\0size"))

    def counts(self) -> dict[str, int]:
        """How many tiles there are of each data set; the city's go under its own name."""
        with self._env.begin(db=self._tiles) as transaction, transaction.cursor() as cursor:
            return Counter(bytes(name).partition(b"\0")[0].decode() for name in cursor.iternext(values=False))

    def __len__(self) -> int:
        with self._env.begin() as transaction:
            return int(transaction.stat(self._tiles)["entries"])

    def _standing(self, transaction: lmdb.Transaction, dataset: str) -> Standing | None:
        found = transaction.get(dataset.encode(), db=self._facts)
        return Standing(*_STANDING.unpack(found)) if found is not None else None

    def _touched(
        self, transaction: lmdb.Transaction, dataset: str, changed: Mapping[str, Iterable[Limits]] | None
    ) -> Iterator[bytes]:
        """The keys of the tiles that lie within limits, found by leaping from one that is there to the next."""
        with transaction.cursor(self._tiles) as cursor:
            if changed is None:
                prefix = _prefix(dataset)
                yield from _from(cursor, prefix, prefix + b"\xff")
                return
            for matrix_set, ranges in changed.items():
                prefix = _prefix(dataset, matrix_set)
                for limits in ranges:
                    yield from _within(cursor, prefix, limits)

    def _is_followed(self, transaction: lmdb.Transaction) -> bool:
        """Whether the files are this cache's, and nobody without them has removed tiles since."""
        stamp = transaction.get(_MIRROR, db=self._facts)
        return stamp is not None and self._mirror is not None and bytes(stamp).decode() == self._mirror.stamp

    def _show(self, transaction: lmdb.Transaction, key: Key, recipe: str, kept: Kept) -> None:
        """Write the tile's file, if it is by the recipe that files are to be by."""
        if self._mirror is None or not kept.zipped or not self._is_followed(transaction):
            return
        if transaction.get(_RECIPE + key.dataset.encode(), db=self._facts) == recipe.encode():
            self._mirror.write(*key, kept.zipped, kept.etag)

    def _hide(
        self, transaction: lmdb.Transaction, dataset: str, changed: Mapping[str, Iterable[Limits]] | None
    ) -> None:
        """Let the files of tiles go that changed; who has no files to care for leaves word that they are no longer right."""
        if self._mirror is None:
            transaction.delete(_MIRROR, db=self._facts)
            return
        for one in (dataset, CITY):
            self._mirror.remove_changed(one, changed)

    def _sweep(self) -> None:
        if self._mirror is not None:
            self._mirror.sweep()

    def _drop(self, transaction: lmdb.Transaction, name: bytes) -> int:
        popped = transaction.pop(name, db=self._tiles)
        if popped is None:
            return 0
        if self._mirror is not None:
            self._mirror.remove(*_decoded(name))
        found = bytes(popped)
        transaction.delete(found[-_NUMBER.size :], db=self._order)
        self._count(transaction, -_size(found[: -_NUMBER.size]))
        return 1

    def _make_room(self, transaction: lmdb.Transaction, wanted: int) -> None:
        """Let the tiles go that were made first."""
        used = _number(transaction.get(b"\0size", db=self._facts))
        if used + wanted <= self._limit * _FULL:
            return
        goal = self._limit * (_FULL - _FREED) - wanted
        with transaction.cursor(self._order) as cursor:
            while used > goal and cursor.first():
                self._drop(transaction, bytes(cursor.value()))
                used = _number(transaction.get(b"\0size", db=self._facts))

    def _count(self, transaction: lmdb.Transaction, more: int) -> None:
        used = _number(transaction.get(b"\0size", db=self._facts))
        transaction.put(b"\0size", _NUMBER.pack(max(0, used + more)), db=self._facts)


def _prefix(dataset: str, matrix_set: str | None = None) -> bytes:
    return f"{dataset}\0".encode() if matrix_set is None else f"{dataset}\0{matrix_set}\0".encode()


def _encoded(key: Key) -> bytes:
    return _prefix(key.dataset, key.matrix_set) + _PLACE.pack(*key.tile)


def _decoded(name: bytes) -> Key:
    dataset, matrix_set, place = name.split(b"\0", 2)
    return Key(dataset.decode(), matrix_set.decode(), Tile(*_PLACE.unpack(place)))


def _written(recipe: str, kept: Kept) -> bytes:
    etag, checksum = kept.etag.encode(), isal_zlib.crc32(kept.zipped)
    head = _HEAD.pack(recipe.encode(), etag, kept.made, kept.length, checksum, kept.left_out)
    return head + kept.zipped


def _read(value: bytes, recipe: str) -> Kept | None:
    made_by, etag, made, length, checksum, left_out = _HEAD.unpack_from(value)
    zipped = value[_HEAD.size : -_NUMBER.size]
    if made_by.decode() != recipe or isal_zlib.crc32(zipped) != checksum:
        return None
    return Kept(etag.decode(), made, length, bool(left_out), zipped, hit=True)


def _size(value: bytes) -> int:
    """About what a value takes of the file: large ones have pages of their own."""
    return len(value) + 64 if len(value) < _PAGE // 2 else -(-(len(value) + 16) // _PAGE) * _PAGE


def _number(found: bytes | memoryview | None) -> int:
    return int(_NUMBER.unpack(found)[0]) if found else 0


def is_behind(one: Standing, other: Standing | None) -> bool:
    """Whether a state is older than another, in its features or in its generalised zooms."""
    return other is not None and (one.position < other.position or one.level_step < other.level_step)


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _from(cursor: lmdb.Cursor, first: bytes, end: bytes) -> Iterator[bytes]:
    found = cursor.set_range(first)
    while found and (name := bytes(cursor.key())) < end:
        yield name
        found = cursor.next()


def _within(cursor: lmdb.Cursor, prefix: bytes, limits: Limits) -> Iterator[bytes]:
    """The keys of one matrix's tiles within limits, column by column."""
    x, last = limits.columns
    low, high = limits.rows
    while x <= last and cursor.set_range(prefix + _PLACE.pack(limits.z, x, low)):
        name = bytes(cursor.key())
        if not name.startswith(prefix):
            return
        z, x_found, y = _PLACE.unpack(name[len(prefix) :])
        if z != limits.z or x_found > last:
            return
        if x_found > x:
            x = x_found
            if y > high or y < low:
                x += y > high
                continue
        if y > high:
            x += 1
            continue
        yield from _from(cursor, name, prefix + _PLACE.pack(z, x, high) + b"\0")
        x += 1
