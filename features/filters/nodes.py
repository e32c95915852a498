"""What a filter says, as a tree of values: either reading (text or JSON) makes it, one writer turns it into SQL."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal as OneOf

import shapely

ComparisonOp = OneOf["=", "<>", "<", ">", "<=", ">="]
ArithmeticOp = OneOf["+", "-", "*", "/"]


@dataclass(frozen=True, slots=True)
class Property:
    """An attribute of the feature, or its geometry."""

    name: str


@dataclass(frozen=True, slots=True)
class Value:
    """A literal; instants have a time zone."""

    value: bool | int | Decimal | str | date | datetime


@dataclass(frozen=True, slots=True)
class Shape:
    """A literal geometry, in the axis order of the filter's CRS."""

    geometry: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Box:
    """A literal bounding box of four or six numbers, in the axis order of the filter's CRS."""

    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers combined."""

    op: ArithmeticOp
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class CaseI:
    """A text whose case does not matter."""

    text: "Node"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared."""

    op: ComparisonOp
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Between:
    """A value within a range, both ends included."""

    value: "Node"
    low: "Node"
    high: "Node"


@dataclass(frozen=True, slots=True)
class In:
    """A value that is one of a list."""

    value: "Node"
    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A text that fits a pattern: % stands for any characters, _ for one, a backslash takes their meaning away."""

    text: "Node"
    pattern: "Node"


@dataclass(frozen=True, slots=True)
class IsNull:
    """A value that is not known."""

    value: "Node"


@dataclass(frozen=True, slots=True)
class Intersects:
    """Two geometries that share a point."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more conditions."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more conditions."""

    operands: tuple["Node", ...]


Node = (
    Property | Value | Shape | Box | Arithmetic | CaseI
    | Comparison | Between | In | Like | IsNull | Intersects | Not | And | Or
)  # fmt: skip
