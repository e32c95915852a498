"""Features of one moment as Arrow record batches: typed columns and WKB, so many at a time as memory likes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa

from core.arrow import ARROW_TYPES
from core.database import query, session
from core.errors import NoSuchDataset
from features.asking import asking
from features.formats.job import Done, Job
from features.paging import ReleaseReplaced

_BYTES = 4_000_000  # of geometries in a batch, about
_MOST = 2000  # features in a batch


class Rows:
    """The features of a job, read once; afterwards it knows what it read."""

    def __init__(self, job: Job, state: tuple[int, int, int, str], cursor: "psycopg.ServerCursor[Any]") -> None:
        layer = job.layer
        fields = [pa.field(name, ARROW_TYPES[type_]) for name, type_ in layer.columns]
        if layer.geometry:
            fields.append(pa.field(layer.geometry, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}))
        self.schema = pa.schema(fields)
        self.state = state
        self.problem: Exception | None = None  # what ended the reading: libraries between hide it
        self._job = job
        self._cursor = cursor
        self._returned = 0
        self._more = False
        self._last: tuple[str | None, ...] = ()

    def has_gaps(self) -> bool:
        """Whether a feature may have no geometry."""
        with asking(self._job.dataset):
            row = self._cursor.connection.execute(self._job.gaps.encode(), self._job.parameters).fetchone()
        return bool(row and row[0])

    @property
    def changed(self) -> str:
        """When the data set changed last."""
        return self.state[3]

    def done(self) -> Done:
        """What was read."""
        return Done(*self.state, self._last, self._returned, self._more)

    def reader(self, *, gaps: bool = True) -> pa.RecordBatchReader:
        """The batches as a stream for other libraries; on demand without the features that have no geometry."""
        batches = self.batches() if gaps else (batch.filter(batch.column(-1).is_valid()) for batch in self.batches())
        return pa.RecordBatchReader.from_batches(self.schema, batches)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All features; heavy ones in smaller batches."""
        try:
            with asking(self._job.dataset):
                yield from self._read()
        except Exception as error:
            self.problem = error
            raise

    def _read(self) -> Iterator[pa.RecordBatch]:
        width, count = len(self.schema), 100
        while rows := self._cursor.fetchmany(count):
            rows = self._kept(rows)
            if not rows:
                break
            self._last = rows[-1][width:]
            columns = list(zip(*rows, strict=True))[:width]
            batch = pa.record_batch(
                [pa.array(values, field.type) for values, field in zip(columns, self.schema, strict=True)],
                schema=self.schema,
            )
            count = max(1, min(_MOST, _BYTES * len(rows) // max(1, batch.nbytes)))
            yield batch
        self._cursor.connection.rollback()  # the table is free for the next release while the file is finished

    def _kept(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """All but the one that only tells that others follow."""
        room = self._job.limit - self._returned
        self._more = self._more or len(rows) > room
        self._returned += min(len(rows), room)
        return rows[:room]


@contextmanager
def reading(job: Job) -> Iterator[Rows]:
    """Begin to read: all of it belongs to one moment, the state of the data set too."""
    with asking(job.dataset):
        connection = psycopg.connect(
            job.dsn, application_name="chengtu-download", connect_timeout=10, options=session(job.seconds)
        )
    with connection, connection.cursor("features") as cursor:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with asking(job.dataset):
            state = _state(connection, job)
            cursor.execute(job.statement.encode(), job.parameters, binary=True)
        yield Rows(job, state, cursor)


def _state(connection: "psycopg.Connection[Any]", job: Job) -> tuple[int, int, int, str]:
    row = connection.execute(query("dataset_state"), {"dataset": job.dataset}).fetchone()
    if row is None:
        raise NoSuchDataset(id=job.dataset)
    if job.cursor is not None and job.cursor.release != row[0]:
        raise ReleaseReplaced(dataset=job.dataset)
    return int(row[0]), int(row[1]), int(row[2]), str(row[3])
