"""Which filters each family of QGIS versions hands to the server, by the conformance classes it compares letter by letter."""

from typing import Final, NamedTuple

from core.language import Text
from server.contract.report import Place

CRS_CLASS: Final = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs"
SCHEMAS_CLASS: Final = "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas"

# QGIS takes the final names and those of the drafts, which have 0.0 in the place of 1.0 (qgsoapifprovider.cpp).
_FEATURES3 = "http://www.opengis.net/spec/ogcapi-features-3/{}/conf/"
_CQL2 = "http://www.opengis.net/spec/cql2/{}/conf/"
GATE: Final = (f"{_FEATURES3}filter", f"{_FEATURES3}features-filter", f"{_CQL2}cql2-text", f"{_CQL2}basic-cql2")
ADVANCED: Final = f"{_CQL2}advanced-comparison-operators"
CASE: Final = f"{_CQL2}case-insensitive-comparison"
SPATIAL_FUNCTIONS: Final = f"{_CQL2}basic-spatial-functions"
SPATIAL_OPERATORS: Final = f"{_CQL2}basic-spatial-operators"
_FINAL_ONLY = {SPATIAL_FUNCTIONS}  # the drafts knew it by the other name


class Family(NamedTuple):
    """Versions of QGIS that filter alike."""

    name: str
    cql2: bool
    spatial: tuple[str, ...]  # any of these classes opens spatial filters


FAMILIES: Final = (
    Family("3.22–3.30", False, ()),
    Family("3.32–3.42", True, (SPATIAL_OPERATORS,)),
    Family("3.44 / 4.x", True, (SPATIAL_FUNCTIONS, SPATIAL_OPERATORS)),
)


def has(classes: frozenset[str], template: str) -> bool:
    """Whether a class is declared under a name that QGIS knows."""
    editions = ("1.0",) if template in _FINAL_ONLY else ("1.0", "0.0")
    return any(template.format(edition) in classes for edition in editions)


def missing_gate(classes: frozenset[str]) -> list[str]:
    """The classes without which QGIS sends no CQL2 at all, as far as they are missing."""
    return [one.format("1.0") for one in GATE if not has(classes, one)]


class Needs(NamedTuple):
    """What a kind of filter needs beyond the gate, for a family."""

    classes: tuple[str, ...] = ()  # all of them
    spatial: bool = False


def cql2_place(family: Family, classes: frozenset[str], needs: Needs, *, geometry: bool, properties: bool) -> Place:
    """Where `family` runs a filter that only CQL2 can express."""
    if not family.cql2:
        return _local(Text("this version does not know CQL2", "该版本不支持 CQL2"))
    missing = missing_gate(classes) + [one.format("1.0") for one in needs.classes if not has(classes, one)]
    if needs.spatial and not any(has(classes, one) for one in family.spatial):
        missing.append(family.spatial[0].format("1.0"))
    if missing:
        names = ", ".join(one.split("/conf/")[1] for one in missing)
        return _local(Text(f"not declared: {names}", f"未声明:{names}"))
    if needs.spatial and not geometry:
        return _local(Text("the queryables have no geometry with a `$ref`", "queryables 中没有带 `$ref` 的几何"))
    if not needs.spatial and not properties:
        return _local(Text("there are no queryables", "没有 queryables"))
    return Place("server", Text("as CQL2 text", "以 CQL2 文本发送"))


def date_place(family: Family, classes: frozenset[str], fields: list[str], *, queryable: bool) -> Place:
    """Where `family` compares a date: by `datetime=`, or as CQL2 where that is declared."""
    if not fields:
        return _local(Text("no field holds dates", "没有日期字段"))
    if family.cql2 and not missing_gate(classes):
        if queryable:
            return Place("server", Text("as CQL2 text", "以 CQL2 文本发送"))
        return _local(Text("the field is not among the queryables", "该字段不在 queryables 中"))
    return Place("server", Text("as `datetime=`, whatever the field", "以 `datetime=` 发送,不区分字段"))


def equality_place(family: Family, classes: frozenset[str], simple: list[str], *, queryable: bool) -> Place:
    """Where `family` compares a property with a value: by a query parameter of its name, or as CQL2."""
    if family.cql2 and not missing_gate(classes):
        return cql2_place(family, classes, Needs(), geometry=False, properties=queryable)
    if not family.cql2:
        return _local(Text("this version filters only dates on the server", "该版本只在服务器过滤日期"))
    if not simple:
        return _local(
            Text(
                "the OpenAPI document declares no property with in: query, style: form, explode: false",
                "OpenAPI 文档未以 in: query、style: form、explode: false 声明任何属性",
            )
        )
    names = ", ".join(simple[:3]) + (" …" if len(simple) > 3 else "")
    return Place("server", Text(f"as a parameter: {names}", f"以参数发送:{names}"))


def _local(why: Text) -> Place:
    return Place("local", why)
