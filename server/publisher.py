"""Keeps what this process serves in step with the catalogue: told by NOTIFY, and looking for itself now and then."""

import asyncio
import logging
import threading
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row

from core.catalogue import CHANNEL, Dataset, fingerprint, list_datasets
from core.database import Connection
from core.door import Door
from core.errors import ChengtuError, DatasetQuarantined, NoSuchCollection
from features.offer import RoundTrips
from features.table import Table
from server.resources import configuration
from server.service import Service
from tiles.layer import TileLayer

_TICK = 0.5  # seconds between looks at whether someone asked for one

LOGGER = logging.getLogger("chengtu.catalogue")


class Served(Protocol):
    """Whoever serves a configuration."""

    def publish(self, config: dict[str, Any]) -> None:
        """Serve it from now on."""


class Publisher:
    """Reads the catalogue, tells the host, and knows which data sets are out of service."""

    def __init__(self, service: Service, door: Door) -> None:
        self.quarantined: dict[str, Dataset] = {}
        self.tables: dict[str, Table] = {}  # never changed, but replaced as a whole
        self.layers: dict[str, TileLayer] = {}  # likewise
        self._service = service
        self._door = door
        self._fingerprint = ""
        self._trips = RoundTrips()
        self._look_now = asyncio.Event()
        self._host: Served | None = None
        self._one_at_a_time = threading.Lock()

    def configuration(self) -> dict[str, Any]:
        """The host's configuration for the catalogue as it is now."""
        with self._door.pool.connection() as connection:
            self._fingerprint = fingerprint(connection)
            datasets = list_datasets(connection)
            tables = [self._table_of(one, connection) for one in datasets if one.healthy]
        broken = {one.id: one for one in datasets if not one.healthy}
        for id_, one in broken.items():
            if id_ not in self.quarantined and one.problem is not None:
                LOGGER.warning("quarantined %s: %s", id_, one.problem.en)
        self.quarantined = broken
        self.tables = {one.dataset.id: one for one in tables}
        self.layers = {one.dataset.id: TileLayer(one.dataset) for one in tables}
        return configuration(self._service, self.tables.values(), self._door)

    def _table_of(self, dataset: Dataset, connection: Connection) -> Table:
        return Table(dataset, self._trips.withheld(Table(dataset), connection))

    def problem_of(self, id_: str) -> ChengtuError | None:
        """Why a data set is out of service, if it is."""
        one = self.quarantined.get(id_)
        return DatasetQuarantined(id=id_, reason=one.problem) if one and one.problem else None

    def table(self, id_: str) -> Table:
        """The table of a collection; the error of one that is out of service or is not there."""
        if problem := self.problem_of(id_):
            raise problem
        if id_ not in self.tables:
            raise NoSuchCollection(id=id_[:60])
        return self.tables[id_]

    async def look_again(self, id_: str) -> Table:
        """The table of a collection after a look at the catalogue: a request has met one that is not as it said."""
        if self._host is not None:
            await asyncio.to_thread(self._publish_if_changed, self._host)
        return self.table(id_)

    def look_soon(self) -> None:
        """Ask for a look at the tables: a request has met one that is not as the catalogue says."""
        self._look_now.set()

    async def follow(self, host: Served) -> None:
        """Publish each change, for ever; a database that is away for a while stops nothing."""
        self._host = host
        while True:
            try:
                await self._listen(host)
            except psycopg.Error as error:
                LOGGER.warning("the catalogue cannot be followed: %s", error)
            except ChengtuError as error:
                LOGGER.warning("%s", error)
            await asyncio.sleep(1)

    async def _listen(self, host: Served) -> None:
        connection = await psycopg.AsyncConnection.connect(
            str(self._door.pool.conninfo), autocommit=True, row_factory=dict_row, application_name="chengtu-listen"
        )
        async with connection:
            await connection.execute(f"listen {CHANNEL}")
            while True:
                await asyncio.to_thread(self._publish_if_changed, host)
                await self._change(connection)

    async def _change(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Wait until the catalogue is said to have changed, someone asks for a look, or it is time for one."""
        for _ in range(max(1, round(self._door.settings.catalogue_check / _TICK))):
            if self._look_now.is_set():
                break
            async for _notice in connection.notifies(timeout=_TICK, stop_after=1):
                return
        self._look_now.clear()

    def _publish_if_changed(self, host: Served) -> None:
        with self._one_at_a_time:
            with self._door.pool.connection() as connection:
                now = fingerprint(connection)
            if now != self._fingerprint:
                config = self.configuration()
                host.publish(config)
                LOGGER.info("published %d collections", len(config["resources"]))
