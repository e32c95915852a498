"""A layer's columns as the SQL of rules needs them: by kind, empty text being no value, and with their titles."""

from collections.abc import Callable, Mapping, Sequence

from psycopg import sql

from core.database import Connection, query
from core.language import Text
from loaders.quality.expressions import Expression, Kind, Misunderstood
from loaders.quality.model import Checked

_NUMBERS = ("smallint", "integer", "bigint", "real", "double precision", "numeric")
_TEXTS = ("text", "character", "character varying")


Others = Callable[[str, str], Sequence[str]]  # a layer and a field -> all values that it has


class NotThere(Exception):
    """A rule speaks of a field or a layer that is not there: nothing can be said of it."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


class Columns:
    """The columns of one table, which stands in SQL as `t`."""

    def __init__(self, checked: Checked, types: Mapping[str, str], others: Others) -> None:
        self.checked = checked
        self.others = others
        self._types = types
        self._titles = {one.name: one.title for one in checked.profile.fields}

    def __contains__(self, name: str) -> bool:
        return name in self._types

    @property
    def key(self) -> sql.Composable:
        """What names a feature in findings."""
        return sql.SQL("{}::text").format(self._bare(self.checked.key))

    def field(self, name: str, wanted: Kind | None = None) -> Expression:
        """A field's value as text or as a number; null where it is missing, or no number where one is wanted."""
        type_ = self._type(name)
        if wanted == "truth":
            raise Misunderstood(f"{name} is a field, not a condition")
        if wanted == "number" or (wanted is None and type_.startswith(_NUMBERS)):
            return Expression(self._number(name, type_), "number")
        return Expression(self.text(name), "text")

    def text(self, name: str) -> sql.Composable:
        """A field's value as text, null where it is empty."""
        bare = self._bare(name)
        return sql.SQL("nullif({}, '')").format(bare) if self._is_text(name) else sql.SQL("{}::text").format(bare)

    def number(self, name: str) -> sql.Composable:
        """A field's value as a number."""
        return self._number(name, self._type(name))

    def is_missing(self, name: str) -> sql.Composable:
        """Whether a field has no value, or nothing but spaces."""
        bare = self._bare(name)
        template = "({0} is null or btrim({0}) = '')" if self._is_text(name) else "({0} is null)"
        return sql.SQL(template).format(bare)

    def title(self, name: str) -> Text:
        """What a field is called in findings."""
        title = self._titles.get(name)
        return Text(name, f"{title.zh}({name})" if title else name)

    def titles(self, names: Sequence[str]) -> Text:
        """What several fields are called."""
        titles = [self.title(name) for name in names]
        return Text(", ".join(one.en for one in titles), "、".join(one.zh for one in titles))

    def _number(self, name: str, type_: str) -> sql.Composable:
        bare = self._bare(name)
        if type_.startswith(_NUMBERS):
            return sql.SQL("{}::double precision").format(bare)
        return query("number_of_text").format(text=sql.SQL("{}::text").format(bare))

    def _is_text(self, name: str) -> bool:
        return self._type(name).startswith(_TEXTS)

    def _bare(self, name: str) -> sql.Composable:
        self._type(name)
        return sql.SQL("t.{}").format(sql.Identifier(name))

    def _type(self, name: str) -> str:
        if name not in self._types:
            raise NotThere(Text(f"there is no field {name}", f"缺少字段 {name}"))
        return self._types[name]


def columns_of(connection: Connection, checked: Checked, others: Others) -> Columns:
    """The columns that a layer's table has."""
    named = {"table": checked.table.as_string(connection)}
    rows = connection.execute(query("relation_columns"), named).fetchall()
    return Columns(checked, {row["name"]: row["type"] for row in rows}, others)
