"""Filters in CQL2: read from text or JSON within limits, checked against a data set, written as SQL."""

from features.filters import cql2_json, cql2_text
from features.filters.limits import MAX_DEPTH, MAX_JSON, MAX_TEXT, check_depth, check_length
from features.filters.literals import read_text
from features.filters.nodes import Node
from features.filters.sql import column, to_sql


def parse(text: str) -> Node:
    """Read CQL2 text; what is too long, too deep or not CQL2 raises a `BadRequest` that says where."""
    check_length(text, MAX_TEXT)
    check_depth(read_text(text), MAX_DEPTH, "(", ")", "'\"")
    return cql2_text.read(text)


def parse_json(text: str) -> Node:
    """Read CQL2 JSON, likewise; an operator is two brackets there."""
    check_length(text, MAX_JSON)
    check_depth(read_text(text), 2 * MAX_DEPTH, "[{", "]}", '"', escape="\\")
    return cql2_json.read(text)


__all__ = ["Node", "column", "parse", "parse_json", "to_sql"]
