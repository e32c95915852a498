"""The generalised zooms that a load makes: the tiles' work, handed to the loader, which knows nothing of tiles."""

from core.database import Connection
from core.settings import Settings
from loaders.load import Finish, Progress
from loaders.staging import Staging
from tiles.levels import Budget, Generalised, Table, generalise
from tiles.portrayal import Portrayal


def finisher(settings: Settings) -> Finish:
    """What a load calls before it publishes a release."""
    budget = Budget(settings.tile_budget, settings.tile_budget_gzip)

    def finish(connection: Connection, staging: Staging, tell: Progress) -> Generalised:
        table = Table(
            name=staging.table,
            key=staging.key,
            key_type=staging.key_type,
            types=dict(staging.fields),
            srid=staging.place.srid,
            portrayal=_plain(staging),
        )
        return generalise(connection, staging.name, table, budget, lambda done, total: tell("generalise", done, total))

    return finish


def _plain(staging: Staging) -> Portrayal:
    """The first few texts, until the data set's own portrayal is found."""
    texts = tuple(field.name for field in staging.fields if field.type == "text" or field.name == staging.key)
    integer = staging.key_type in ("smallint", "integer", "bigint")
    return Portrayal(tuple(name for name in texts if not integer or name != staging.key)[:3], None, (), None)
