"""Filters in CQL2: read from text or JSON within limits, checked against a data set, written as SQL."""

from features.filters import cql2_json, cql2_text
from features.filters.functions import FUNCTIONS, Function
from features.filters.limits import MAX_DEPTH, MAX_JSON, MAX_TEXT, check_depth, check_length, check_width
from features.filters.literals import storable
from features.filters.nodes import Node
from features.filters.sql import column, to_sql

CONFORMANCE: tuple[str, ...] = tuple(
    f"http://www.opengis.net/spec/cql2/1.0/conf/{name}"
    for name in (
        "basic-cql2",
        "advanced-comparison-operators",
        "case-insensitive-comparison",
        "accent-insensitive-comparison",
        "basic-spatial-functions",
        "basic-spatial-functions-plus",
        "spatial-functions",
        "temporal-functions",
        "array-functions",
        "property-property",
        "functions",
        "arithmetic",
        "cql2-text",
        "cql2-json",
    )
)


def parse(text: str) -> Node:
    """Read CQL2 text; what is too long, too deep or not CQL2 raises a `BadRequest` that says where."""
    check_length(text, MAX_TEXT)
    check_depth(storable(text), MAX_DEPTH, "(", ")", "'\"")
    return cql2_text.read(text)


def parse_json(text: str) -> Node:
    """Read CQL2 JSON, likewise; an operator is two brackets there."""
    check_length(text, MAX_JSON)
    check_width(text)
    check_depth(storable(text), 2 * MAX_DEPTH, "[{", "]}", '"')
    return cql2_json.read(text)


__all__ = ["CONFORMANCE", "FUNCTIONS", "Function", "Node", "column", "parse", "parse_json", "to_sql"]
