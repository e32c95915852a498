"""The stream of a load: read a batch, mend it, and copy it while the next one is being read."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

from core.catalogue import GEOMETRY, Field
from core.database import Connection, query
from loaders.geometry import COLLECTION, LINE, NONE, POINT, POLYGON, Cleaned, Ordinates, Rules, clean, widest
from loaders.report import LISTED
from loaders.staging import Place, Staging

# What PostGIS raises for WKB that it cannot read or segmentise.
_BAD_GEOMETRY = (psycopg.DataError, psycopg.InternalError, psycopg.NotSupportedError)


class Columns(NamedTuple):
    """How a source's columns become a table's: the key, the attributes, and the source's name of each."""

    key: str
    fields: tuple[Field, ...]
    sources: dict[str, str]
    judged: bool = False  # whether each repair of a geometry shall be known in the end


class Stream:
    """Takes batches from a layer and fills one staging table for each family of geometries it meets."""

    def __init__(self, connection: Connection, place: Place, columns: Columns, rules: Rules, declared: int) -> None:
        self.stagings: dict[int, Staging] = {}
        self._connection = connection
        self._place = place
        self._columns = columns
        self._rules = rules
        self._declared = declared  # the family that the layer's own type names, or NONE
        self._ordinates: Ordinates = ""
        self._rows = 0

    def run(self, batches: Iterator[pa.RecordBatch], tell: Callable[[int], None]) -> int:
        """Load all batches, and return how many rows they had.

        Reading and mending go on in this thread while another copies: at most two batches wait between them.
        """
        waiting: queue.Queue[tuple[pa.RecordBatch, Cleaned] | None] = queue.Queue(maxsize=2)
        failed: list[BaseException] = []
        writer = threading.Thread(target=self._write, args=(waiting, failed, tell), name="chengtu-copy")
        writer.start()
        try:
            for batch in batches:
                cleaned = clean(batch.column(batch.num_columns - 1), self._rules, self._ordinates)
                self._ordinates = widest(self._ordinates, cleaned.ordinates)
                waiting.put((batch, cleaned))
                if failed:
                    break
        finally:
            waiting.put(None)
            writer.join()
        if failed:
            raise failed[0]
        if not self.stagings:  # a layer without any row is a data set all the same
            self._staging(self._declared or COLLECTION, "")
        return self._rows

    def _write(
        self,
        waiting: "queue.Queue[tuple[pa.RecordBatch, Cleaned] | None]",
        failed: list[BaseException],
        tell: Callable[[int], None],
    ) -> None:
        held: list[tuple[pa.RecordBatch, Cleaned]] = []  # batches without any geometry, before a family is known
        while (item := waiting.get()) is not None:
            if failed:
                continue  # keep taking, so that the reader never waits for a dead writer
            try:
                held.append(item)
                if self._home(item[1]) != NONE:
                    self._write_all(held, tell)
            except BaseException as error:  # raised again in the reading thread
                failed.append(error)
        if not failed:
            try:
                self._write_all(held, tell)
            except BaseException as error:
                failed.append(error)

    def _write_all(self, held: list[tuple[pa.RecordBatch, Cleaned]], tell: Callable[[int], None]) -> None:
        home = next((home for _, cleaned in held if (home := self._home(cleaned)) != NONE), COLLECTION)
        for batch, cleaned in held:
            self._copy(batch, cleaned, home)
            self._rows += batch.num_rows
            tell(self._rows)
        held.clear()

    def _home(self, cleaned: Cleaned) -> int:
        """The family whose table takes rows without geometry: the declared, the first known, the first seen."""
        known = [self._declared] if self._declared != NONE else [*self.stagings]
        seen = cleaned.family[cleaned.family != NONE]
        return int([*known, *seen[:1], NONE][0])

    def _copy(self, batch: pa.RecordBatch, cleaned: Cleaned, home: int) -> None:
        family = np.where(cleaned.family == NONE, home, cleaned.family)
        if self._rules.generic:
            family[:] = home = next(iter(self.stagings), home)
        numbers = np.arange(self._rows + 1, self._rows + 1 + batch.num_rows)
        named = self._named(batch, numbers, cleaned.wkb)
        for each in np.unique(family):
            rows: NDArray[np.bool_] = family == each
            staging = self._staging(int(each), cleaned.ordinates)
            self._count(staging, named, rows, cleaned)
            chosen = named if rows.all() else named.filter(pa.array(rows))
            staging.copy(chosen, ordinates=cleaned.ordinates, multi_points=cleaned.has_multipoints)

    def _named(self, batch: pa.RecordBatch, numbers: NDArray[np.int64], wkb: pa.Array) -> pa.RecordBatch:
        """The batch under the table's names, with the row number where it is the key."""
        arrays = {name: batch.column(source) for name, source in self._columns.sources.items()}
        if self._columns.key not in arrays:
            arrays = {self._columns.key: pa.array(numbers), **arrays}
        return pa.record_batch([*arrays.values(), wkb], [*arrays, GEOMETRY])

    def _staging(self, family: int, ordinates: Ordinates) -> Staging:
        if family not in self.stagings:
            self.stagings[family] = Staging(
                self._connection,
                self._place,
                family,
                key=self._columns.key,
                fields=self._columns.fields,
                ordinates=ordinates,
            )
        return self.stagings[family]

    def _count(self, staging: Staging, named: pa.RecordBatch, rows: NDArray[np.bool_], cleaned: Cleaned) -> None:
        """Add a batch's findings to the tally of the table that its rows go to."""
        tally, keys = staging.tally, named.column(self._columns.key)
        tally.null += int((rows & (cleaned.family == NONE)).sum())
        tally.empty += int((rows & cleaned.empty).sum())
        for repair in cleaned.repaired:
            if rows[repair.row]:
                tally.repaired[repair.reason] += 1
                if self._columns.judged:
                    staging.repairs.append((str(keys[repair.row]), repair.reason))
                if len(tally.repaired_keys) < LISTED:
                    tally.repaired_keys.append(str(keys[repair.row]))
        for refusal in cleaned.refused:
            if rows[refusal.row]:
                tally.refused[refusal.reason] += 1
                staging.refusals.append((str(keys[refusal.row]), refusal.reason, refusal.wkb))
                if len(tally.refused_keys) < LISTED:
                    tally.refused_keys.append(str(keys[refusal.row]))


def straightener(helper: Connection, tolerance: float) -> Callable[[list[bytes], Ordinates], list[bytes | None]]:
    """The detour through PostGIS, on a connection of its own; one bad geometry spoils no other."""

    def ask(values: list[bytes], ordinates: Ordinates) -> list[bytes | None]:
        parameters = {"wkb": values, "ordinates": ordinates, "tolerance": tolerance}
        with helper.transaction():
            rows = helper.execute(query("straighten"), parameters).fetchall()
        return [row["wkb"] for row in rows]

    def one_by_one(values: list[bytes], ordinates: Ordinates) -> list[bytes | None]:
        answers: list[bytes | None] = []
        for value in values:
            try:
                answers += ask([value], ordinates)
            except _BAD_GEOMETRY:
                answers.append(None)
        return answers

    def straighten(values: list[bytes], ordinates: Ordinates) -> list[bytes | None]:
        try:
            return ask(values, ordinates)
        except _BAD_GEOMETRY:
            return one_by_one(values, ordinates)

    return straighten


def family_of(geometry_type: str) -> int:
    """The family that a layer's declared geometry type names, such as "Measured 3D Polygon"; else NONE."""
    name = geometry_type.lower()
    named = ((COLLECTION, "collection"), (POLYGON, "polygon", "surface"), (LINE, "line", "curve"), (POINT, "point"))
    return next((family for family, *words in named if any(word in name for word in words)), NONE)
