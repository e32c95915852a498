"""What a load makes for tiles: what they carry, and generalised zooms. The loader, which knows nothing of tiles, is handed it."""

from typing import Any, NamedTuple

from psycopg import sql

from core.catalogue import Dataset, style_of
from core.database import Connection
from core.language import Text
from core.settings import Settings
from loaders.load import Finish
from loaders.publish import Progress
from loaders.staging import Staging
from tiles.levels import Budget, Generalised, Table, generalise
from tiles.portrayal import Portrayal, portray, portrayal_of, restyle, save, served_table


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

    def finish(connection: Connection, staging: Staging, id_: str, tell: Progress) -> ForTiles:
        style = style_of(connection, id_)
        portrayal = portray(
            connection, staging.table, staging.fields, staging.key, style, class_field=staging.class_field
        )
        table = Table(
            name=staging.table,
            key=staging.key,
            key_type=staging.key_type,
            types=dict(staging.fields),
            srid=staging.place.srid,
            portrayal=portrayal,
        )
        made = generalise(
            connection, id_, staging.name, table, _budget(settings), lambda done, total: tell("generalise", done, total)
        )
        return ForTiles(portrayal, made)

    return finish


def draw_by(connection: Connection, settings: Settings, dataset: Dataset, style: dict[str, Any] | None) -> None:
    """Draw a served data set by a style of its own, or by the made one again; its tiles carry what that reads.

    Its features stay as they are meanwhile: generalised ones are made anew where they must carry other attributes.
    """
    connection.execute(sql.SQL("lock table {} in share mode").format(sql.Identifier("data", dataset.id)))
    portrayal = restyle(connection, dataset, style)
    if not dataset.levels or not dataset.levels["zooms"] or portrayal.fields == portrayal_of(dataset).fields:
        return
    table = Table(
        name=served_table(connection, dataset.id),
        key=dataset.key,
        key_type=dataset.key_type,
        types=dict(dataset.fields),
        srid=dataset.srid,
        portrayal=portrayal,
    )
    made = generalise(connection, dataset.id, f"again_{dataset.id}", table, _budget(settings), lambda *_: None)
    made.swap(connection, dataset.id)
    made.record(connection, dataset.id)


def _budget(settings: Settings) -> Budget:
    return Budget(settings.tile_budget, settings.tile_budget_gzip)
