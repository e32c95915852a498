"""The S_ functions as SQL: the index answers first wherever the function allows, then the exact test."""

from typing import NamedTuple

from psycopg import sql

from core.bbox import bbox_polygon
from core.catalogue import GEOMETRY
from core.crs import Srid, lookup, postgis_srid
from core.database import query
from core.geojson import BadShape
from core.language import Text
from core.shapes import reaches_beyond, transform_shape
from features.filters import nodes
from features.filters.nodes import Node
from features.filters.sql_scope import Scalar, Scope, column

_TESTS: dict[nodes.SpatialOp, sql.SQL] = {
    "S_INTERSECTS": sql.SQL("st_intersects({}, {})"),
    "S_EQUALS": sql.SQL("st_equals({}, {})"),
    "S_TOUCHES": sql.SQL("st_touches({}, {})"),
    "S_WITHIN": sql.SQL("st_within({}, {})"),
    "S_OVERLAPS": sql.SQL("st_overlaps({}, {})"),
    "S_CROSSES": sql.SQL("st_crosses({}, {})"),
    "S_CONTAINS": sql.SQL("st_contains({}, {})"),
}
_NOWHERE = sql.SQL("({} is null and null)")  # false of every geometry, and unknown where there is none
# What a geometry of the data set cannot be to a shape of which a part lies beyond its CRS.
_WHOLE = ("S_EQUALS", "S_CONTAINS")


class _Operand(NamedTuple):
    """One side of a test: the data set's geometry, or a literal; None is a literal that its CRS cannot reach."""

    code: sql.Composable | None
    is_column: bool
    is_whole: bool = True


def spatial(scope: Scope, op: nodes.SpatialOp, left: Node, right: Node) -> sql.Composable:
    """How two geometries lie to each other; unknown where the data set's is null."""
    if op == "S_DISJOINT":
        return sql.SQL("(not {})").format(spatial(scope, "S_INTERSECTS", left, right))
    scope.count()
    # Two literals are held against each other as they are, whether the data set's CRS can reach them or not.
    literals = isinstance(left, nodes.Shape | nodes.Box) and isinstance(right, nodes.Shape | nodes.Box)
    srid = postgis_srid(scope.crs) if literals else Srid(scope.dataset.srid)
    one, other = (_operand(scope, op, side, srid) for side in (left, right))
    if one.code is None or other.code is None or (op in _WHOLE and not (one.is_whole and other.is_whole)):
        return _NOWHERE.format(column(GEOMETRY)) if one.is_column or other.is_column else sql.SQL("false")
    test = _TESTS[op].format(
        _united(scope, one.code, is_column=one.is_column), _united(scope, other.code, is_column=other.is_column)
    )
    if one.is_column == other.is_column:
        return test
    shape = one.code if other.is_column else other.code
    return sql.SQL("({} && {} and {})").format(column(GEOMETRY), shape, test)


def area(scope: Scope, name: str, node: Node) -> Scalar:
    """The square metres of a geometry: on the ellipsoid where its CRS is in degrees, else in the plane."""
    srid = Srid(scope.dataset.srid)
    code = _operand(scope, name, node, srid).code or sql.SQL("null::geometry")
    crs = lookup(srid)
    if crs.is_geographic:
        return Scalar(sql.SQL("st_area({}::geography)").format(code), "number", f"{name}(...)", "float")
    metres = crs.axis_info[0].unit_conversion_factor
    square = sql.SQL("(st_area({}) * {})").format(code, sql.Literal(metres * metres))
    return Scalar(square, "number", f"{name}(...)", "float")


def _operand(scope: Scope, op: str, node: Node, srid: Srid) -> _Operand:
    match node:
        case nodes.Property(name):
            if scope.type_of(name) != "geometry":
                raise BadShape(problem=Text(f"{name} is no geometry", f"{name} 不是几何属性"))
            return _Operand(column(GEOMETRY), is_column=True)
        case nodes.Box(numbers):
            return _literal(scope, bbox_polygon(numbers, scope.crs, srid), srid, is_whole=True)
        case nodes.Shape(shape):
            whole = not reaches_beyond(shape, scope.crs, srid)
            return _literal(scope, transform_shape(shape, scope.crs, srid), srid, is_whole=whole)
    problem = Text(
        f"{op} takes the property geometry, a BBOX or a geometry such as POINT(1 2)",
        f"{op} 需要 geometry 属性、BBOX 或几何常量(如 POINT(1 2))",
    )
    raise BadShape(problem=problem)


def _literal(scope: Scope, wkb: bytes | None, srid: Srid, *, is_whole: bool) -> _Operand:
    if wkb is None:
        return _Operand(None, is_column=False)
    code = sql.SQL("st_geomfromwkb({}::bytea, {})").format(scope.bound(wkb), sql.Literal(int(srid)))
    return _Operand(code, is_column=False, is_whole=is_whole)


def _united(scope: Scope, code: sql.Composable, *, is_column: bool) -> sql.Composable:
    """An operand whose overlapping parts are one: GEOS relates them wrongly, or not at all, where they are not."""
    mixed = not is_column or scope.dataset.geometry_type.lower().startswith("geometry")
    return query("union_of_collection").format(shape=code) if mixed else code
