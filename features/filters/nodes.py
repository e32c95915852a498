"""What a filter says, as a tree of values: either reading (text or JSON) makes it, one writer turns it into SQL."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal as OneOf

import shapely

ComparisonOp = OneOf["=", "<>", "<", ">", "<=", ">="]
ArithmeticOp = OneOf["+", "-", "*", "/", "%", "DIV", "^"]
SpatialOp = OneOf[
    "S_INTERSECTS", "S_EQUALS", "S_DISJOINT", "S_TOUCHES", "S_WITHIN", "S_OVERLAPS", "S_CROSSES", "S_CONTAINS"
]
TemporalOp = OneOf[
    "T_AFTER", "T_BEFORE", "T_CONTAINS", "T_DISJOINT", "T_DURING", "T_EQUALS", "T_FINISHEDBY", "T_FINISHES",
    "T_INTERSECTS", "T_MEETS", "T_METBY", "T_OVERLAPPEDBY", "T_OVERLAPS", "T_STARTEDBY", "T_STARTS",
]  # fmt: skip
ArrayOp = OneOf["A_EQUALS", "A_CONTAINS", "A_CONTAINEDBY", "A_OVERLAPS"]


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
class Interval:
    """The time between two instants, both included; None is an end that is open."""

    start: "Node | None"
    end: "Node | None"


@dataclass(frozen=True, slots=True)
class Array:
    """A set of values."""

    items: tuple["Node", ...]


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
class AccentI:
    """A text whose accents do not matter."""

    text: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """One of our own functions, by its name in small letters."""

    name: str
    arguments: tuple["Node", ...]


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
class Spatial:
    """How two geometries lie to each other."""

    op: SpatialOp
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Temporal:
    """How two instants or intervals lie to each other."""

    op: TemporalOp
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class ArrayTest:
    """What two sets of values share."""

    op: ArrayOp
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
    Property | Value | Shape | Box | Interval | Array | Arithmetic | CaseI | AccentI | Call
    | Comparison | Between | In | Like | IsNull | Spatial | Temporal | ArrayTest | Not | And | Or
)  # fmt: skip
