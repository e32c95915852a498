"""What PostgreSQL says of a query for features, in our own words."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from core.database import one_line, speaking_plainly
from core.errors import BadRequest, ChengtuError


class TableChanged(Exception):
    """The table is no longer as the catalogue of a moment ago said."""


class GeometryBroken(ChengtuError):
    """A stored geometry is such that a spatial function fails on it."""

    en = "A geometry of {dataset} is broken, so that this filter fails on it ({reason}). Its owner must repair it."
    zh = "数据集 {dataset} 中存在损坏的几何,导致该过滤条件无法执行({reason})。请联系数据责任部门修复。"
    status = 500


@contextmanager
def asking(dataset: str) -> Iterator[None]:
    """Turn what goes wrong with a statement over a data set's table into `TableChanged` or one of our errors."""
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
    except psycopg.errors.InternalError_ as error:  # GEOS gives up
        raise GeometryBroken(dataset=dataset, reason=one_line(error)) from error
