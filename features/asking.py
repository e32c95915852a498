"""What PostgreSQL says of a question that it cannot answer, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from core.database import one_line, speaking_plainly
from core.errors import BadRequest


class TableChanged(Exception):
    """The table is no longer as the catalogue of a moment ago said."""


@contextmanager
def in_our_words() -> Iterator[None]:
    """Tell a bad value and a table that changed from a server that is busy or gone."""
    try:
        with speaking_plainly():
            yield
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.InsufficientPrivilege,
    ) as error:
        raise TableChanged(one_line(error)) from error
    except psycopg.DataError as error:
        raise BadRequest(reason=one_line(error)) from error
