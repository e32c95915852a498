"""Brings generalised features up to the features, just before they are asked for: small changes here, large ones apart.

Run as `python -m server.tiles.keeping`, it is the process that makes all generalised zooms of a data set anew: that takes
as much time and memory as in a load, which no server process has to spare. It reads the database and the data set from its
standard input, and ends with it.
"""

import asyncio
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process

from core.database import connect
from core.errors import ChengtuError
from core.settings import ROOT
from tiles.layer import TileLayer
from tiles.levels import catch_up, wants

_NICE = 5  # requests that are answered at once go first


class LevelsInTheMaking(ChengtuError):
    """So much of a data set has changed that its low zooms are being made anew."""

    en = "The low zooms of {id} are being made anew after many changes. Ask again shortly, or for a higher zoom."
    zh = "数据集 {id} 变更较多,正在重新生成低级别瓦片。请稍后重试,或请求更高级别。"
    status = 503


class LevelKeeper:
    """One process's way to generalised features that show all changes."""

    def __init__(self, dsn: str, patience: float | None) -> None:
        """`patience`: the seconds to wait for zooms that are made anew; None: as long as it takes."""
        self._dsn = dsn
        self._patience = patience
        self._making: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, layer: TileLayer) -> None:
        """Return when they do; `LevelsInTheMaking` where that takes too long."""
        match await asyncio.to_thread(self._looked, layer.id):
            case "patch":
                await asyncio.to_thread(self._patch, layer.id)
            case "rebuild":
                await self._wait(layer.id)

    def _looked(self, id_: str) -> str:
        with connect(self._dsn, purpose="chengtu-levels") as connection:
            return wants(connection, id_)

    def _patch(self, id_: str) -> None:
        with connect(self._dsn, purpose="chengtu-levels") as connection:
            catch_up(connection, id_)

    async def _wait(self, id_: str) -> None:
        if id_ not in self._making:
            self._making[id_] = task = asyncio.create_task(self._rebuild(id_))
            task.add_done_callback(lambda _: self._making.pop(id_, None))
        try:
            await asyncio.wait_for(asyncio.shield(self._making[id_]), self._patience)
        except TimeoutError as error:
            raise LevelsInTheMaking(id=id_) from error

    async def _rebuild(self, id_: str) -> None:
        command = (sys.executable, "-P", "-m", "server.tiles.keeping")
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL, cwd=ROOT)
        try:
            await _tell(process, self._dsn, id_)
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise LevelsInTheMaking(id=id_)


async def _tell(process: Process, dsn: str, id_: str) -> None:
    """Say what to do; the pipe stays open, so that the process ends with this one."""
    if process.stdin is not None:
        process.stdin.write(f"{id_}\n{dsn}\n".encode())
        await process.stdin.drain()


def main() -> None:
    """Make the zooms of one data set anew."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server, which hears it too, decides
    os.nice(_NICE)
    id_, dsn = sys.stdin.readline().strip(), sys.stdin.readline().strip()
    threading.Thread(target=_end_with_server, daemon=True).start()
    with connect(dsn, purpose="chengtu-levels") as connection:
        catch_up(connection, id_)


def _end_with_server() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
