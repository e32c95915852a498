"""What a load makes for tiles: what they carry, and generalised zooms. The loader, which knows nothing of tiles, is handed it."""

from typing import NamedTuple

from core.catalogue import style_of
from core.database import Connection
from core.language import Text
from core.settings import Settings
from loaders.load import Finish, Progress
from loaders.staging import Staging
from tiles.levels import Budget, Generalised, Table, generalise
from tiles.portrayal import Portrayal, portray, save


class ForTiles(NamedTuple):
    """What goes into service with a release, for its tiles."""

    portrayal: Portrayal
    generalised: Generalised

    @property
    def note(self) -> Text | None:
        """What to tell of it in the report."""
        return self.generalised.note

    def swap(self, connection: Connection, id_: str, /) -> None:
        """Put the generalised zooms in the place of those before, under the swap's lock."""
        self.generalised.swap(connection, id_)

    def record(self, connection: Connection, id_: str, /) -> None:
        """Write of both into the catalogue."""
        save(connection, id_, self.portrayal)
        self.generalised.record(connection, id_)


def finisher(settings: Settings) -> Finish:
    """What a load calls before it publishes a release."""
    budget = Budget(settings.tile_budget, settings.tile_budget_gzip)

    def finish(connection: Connection, staging: Staging, id_: str, tell: Progress) -> ForTiles:
        style = style_of(connection, id_)
        portrayal = portray(connection, staging.table, staging.fields, staging.key, style)
        table = Table(
            name=staging.table,
            key=staging.key,
            key_type=staging.key_type,
            types=dict(staging.fields),
            srid=staging.place.srid,
            portrayal=portrayal,
        )
        made = generalise(connection, staging.name, table, budget, lambda done, total: tell("generalise", done, total))
        return ForTiles(portrayal, made)

    return finish
