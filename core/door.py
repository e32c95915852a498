"""The door through which the host's plugins reach the database, handed to them with their definition."""

from typing import Self

from core.database import Pool
from core.settings import Settings


class Door:
    """The pool and the settings of this server process.

    The host copies its configuration deeply, plugin definitions and all: a door stays the same door.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self.pool = pool
        self.settings = settings

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __repr__(self) -> str:
        return "<Door>"  # never the connection string
