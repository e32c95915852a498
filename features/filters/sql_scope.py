"""What the parts of one filter's SQL share: the data set, its columns, the parameters, and how much was written."""

from typing import Literal, NamedTuple

from psycopg import sql

from core.catalogue import GEOMETRY, Dataset
from core.crs import Srid
from core.language import Text
from features.filters.errors import FilterTooWide, TypesDiffer, UnknownProperty
from features.filters.limits import MAX_NODES

Kind = Literal["number", "text", "boolean", "date", "instant"]
Form = Literal["exact", "float", "computed"]  # an integer or numeric; binary digits; numeric already

_GEOMETRY_NAMES = (GEOMETRY, "geometry")
_KINDS: dict[Kind, Text] = {
    "number": Text("a number", "数值"),
    "text": Text("a text", "文本"),
    "boolean": Text("true or false", "布尔值"),
    "date": Text("a date", "日期"),
    "instant": Text("an instant", "时刻"),
}
_HINTS: dict[tuple[Kind, Kind], Text] = {
    ("text", "number"): Text(" Put it in quotes: '1'.", "请加引号:'1'。"),
    ("number", "text"): Text(" Write it without quotes.", "不要加引号。"),
    ("date", "text"): Text(" Write DATE('2024-05-31').", "请写作 DATE('2024-05-31')。"),
    ("instant", "text"): Text(
        " Write TIMESTAMP('2024-05-31T08:00:00Z').", "请写作 TIMESTAMP('2024-05-31T08:00:00Z')。"
    ),
}


class Scalar(NamedTuple):
    """A value as SQL, its kind, how to speak of it, and what its number is made of."""

    code: sql.Composable
    kind: Kind
    shown: str
    form: Form = "exact"

    @property
    def numeric(self) -> sql.Composable:
        """A number as PostgreSQL's numeric, which neither overflows nor divides whole numbers to whole numbers."""
        if self.form == "computed":
            return self.code
        # The text of a float has the digits that a reader was shown; a cast to numeric would round to fifteen.
        return sql.SQL("{}::text::numeric" if self.form == "float" else "{}::numeric").format(self.code)


def column(name: str) -> sql.Identifier:
    """A column of the table, which goes by `f`; psycopg takes a single % for the start of a parameter."""
    return sql.Identifier("f", name.replace("%", "%%"))


class Scope:
    """The data set that is asked, the CRS of the filter's geometries, and the parameters so far."""

    def __init__(self, dataset: Dataset, crs: Srid) -> None:
        self.dataset = dataset
        self.crs = crs
        self.types = {dataset.key: "bigint"} | dict(dataset.attributes)
        self.parameters: dict[str, object] = {}
        self.wildcards = 0
        self._seen = 0

    def count(self) -> None:
        """Note one more node."""
        self._seen += 1
        if self._seen > MAX_NODES:
            raise FilterTooWide(limit=MAX_NODES)

    def bound(self, value: object) -> sql.Placeholder:
        """A parameter with a value."""
        name = f"f{len(self.parameters)}"
        self.parameters[name] = value
        return sql.Placeholder(name)

    def type_of(self, name: str) -> str:
        """The PostgreSQL type of a property, which must be one of the data set's."""
        if name in self.types:
            return self.types[name]
        if name in _GEOMETRY_NAMES:
            return "geometry"
        raise UnknownProperty(dataset=self.dataset.id, name=name[:60], known=", ".join(self.types))

    def column_of(self, name: str) -> sql.Identifier:
        """The column of a property, which is known."""
        return column(name if name in self.types else GEOMETRY)


def require(what: str, wanted: Kind, scalar: Scalar) -> Scalar:
    """Return the value if it is of the wanted kind; dates and instants can be compared with each other."""
    if scalar.kind == wanted or {scalar.kind, wanted} == {"date", "instant"}:
        return scalar
    hint = _HINTS.get((wanted, scalar.kind), Text("", ""))
    raise TypesDiffer(what=what, wanted=_KINDS[wanted], given=scalar.shown, kind=_KINDS[scalar.kind], hint=hint)
