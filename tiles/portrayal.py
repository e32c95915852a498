"""What of a data set its tiles carry, and what it is coloured and labelled by: found in a release, kept in the catalogue."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.types.json import Jsonb

from core.catalogue import Dataset, Field
from core.codelists import codelist_of
from core.database import Connection, query
from tiles.style.uses import properties_of
from tiles.words import CODE_WORTH, class_worth, is_english, label_worth, measured, pairs, telling_worth

INTEGERS = frozenset(("smallint", "integer", "bigint"))
_NUMBERS = INTEGERS | {"real", "double precision", "numeric"}
DRAWABLE = _NUMBERS | {
    "text", "boolean", "date", "time without time zone", "timestamp without time zone", "timestamp with time zone",
}  # fmt: skip

MOST_CLASSES = 24
_MOST_VALUES = 64  # of a field whose name says clearly that it is a class; those beyond the classes are "other"
_MOST_CODES = 64  # of a field that is known to be the class, and whose codes are known by colour
_MOST_FIELDS = 8
_ALL_OF_THEM = 4  # a data set with so few attributes shows them all
_SHORT = 24  # bytes: longer codes are not worth their place in a tile


class Portrayal(NamedTuple):
    """What of a data set's attributes its tiles carry, and what its features are told apart by."""

    fields: tuple[str, ...]  # attributes in every tile, in order; never the geometry; the key only if it is no integer
    class_field: str | None  # colour by this; neighbours of one class may be merged at low zooms
    classes: tuple[str, ...]  # its values, most frequent first (at most 24; 64 of a field that a profile names)
    label_field: str | None
    twins: tuple[tuple[str, str], ...] = ()  # attributes of one meaning: (English, Chinese)
    class_titles: tuple[tuple[str, str], ...] = ()  # of each of `classes`: (English, Chinese); () where none are known


class Statistics(NamedTuple):
    """What is known of the values of one attribute."""

    null_share: float
    width: float  # bytes of a value
    distinct: float
    rows: float

    @property
    def filled(self) -> float:
        """How many rows have a value."""
        return self.rows * (1 - self.null_share)


def portray(
    connection: Connection,
    table: sql.Identifier,
    fields: tuple[Field, ...],
    key: str,
    style: dict[str, Any] | None,
    *,
    class_field: str | None = None,
) -> Portrayal:
    """How an analyzed table of a release is drawn; `style` is the data set's own, `class_field` what a profile says, if any."""
    known, told = _statistics(connection, table), class_field
    twins = pairs(field.name for field in fields)
    english = {chinese: english for english, chinese in twins}
    named = [told] if told in dict(fields) else []
    class_field, values = _class(connection, table, named, english, most=_MOST_CODES)
    if class_field is None:
        class_field, values = _class(connection, table, _class_candidates(fields, key, known), english)
    label = _label(fields, key, known)
    titles = tuple((twin, value) for value, twin in values if twin)
    return Portrayal(
        fields=_carried(fields, key, _chosen(class_field, label, twins, style), known),
        class_field=class_field,
        classes=tuple(value for value, _ in values),
        label_field=label,
        twins=twins,
        class_titles=titles if len(titles) == len(values) else (),
    )


def plain(fields: tuple[Field, ...], key: str, style: dict[str, Any] | None = None) -> Portrayal:
    """How a data set is drawn of which nothing but the names of its attributes is known."""
    twins = pairs(field.name for field in fields)
    label = _label(fields, key, {})
    return Portrayal(_carried(fields, key, _chosen(None, label, twins, style), {}), None, (), label, twins)


def portrayal_of(dataset: Dataset) -> Portrayal:
    """How a data set of the catalogue is drawn: as its load has found, else by the names of its attributes alone."""
    if dataset.portrayal is None:
        return plain(dataset.fields, dataset.key, dataset.style)
    return _with_names(dataset, from_json(dataset.portrayal))


def _with_names(dataset: Dataset, portrayal: Portrayal) -> Portrayal:
    """With the names that the class's code list has; a code that is not in it is its own name."""
    list_ = codelist_of(dataset, portrayal.class_field)
    if list_ is None:
        return portrayal
    names = ((value, list_.name_of(value)) for value in portrayal.classes)
    return portrayal._replace(
        class_titles=tuple((name.en, name.zh) if name else (value, value) for value, name in names)
    )


def as_json(portrayal: Portrayal) -> Jsonb:
    """As the catalogue keeps it."""
    return Jsonb(portrayal._asdict())


def from_json(kept: dict[str, Any]) -> Portrayal:
    """As the catalogue keeps it."""
    return Portrayal(
        fields=tuple(kept["fields"]),
        class_field=kept["class_field"],
        classes=tuple(kept["classes"]),
        label_field=kept["label_field"],
        twins=tuple((english, chinese) for english, chinese in kept["twins"]),
        class_titles=tuple((english, chinese) for english, chinese in kept["class_titles"]),
    )


def save(connection: Connection, id_: str, portrayal: Portrayal) -> None:
    """Keep how a data set of the catalogue is drawn."""
    connection.execute(query("save_portrayal"), {"id": id_, "portrayal": as_json(portrayal)})


def restyle(connection: Connection, dataset: Dataset, style: dict[str, Any] | None) -> Portrayal:
    """Draw a data set by a style of its own, or by the made one again; its tiles carry what that reads."""
    table = served_table(connection, dataset.id)
    portrayal = portray(connection, table, dataset.fields, dataset.key, style, class_field=dataset.class_field)
    kept = {"id": dataset.id, "style": Jsonb(style) if style else None, "portrayal": as_json(portrayal)}
    connection.execute(query("set_style"), kept)
    return portrayal


def served_table(connection: Connection, id_: str) -> sql.Identifier:
    """The table of the release that is served: PostgreSQL keeps statistics of it, not of the one that readers name."""
    row = connection.execute(query("current_release"), {"id": id_}).fetchone()
    return sql.Identifier(*row["partition"].split(".")) if row and row["partition"] else sql.Identifier("data", id_)


def _statistics(connection: Connection, table: sql.Identifier) -> dict[str, Statistics]:
    rows = connection.execute(query("field_statistics"), {"table": table.as_string(connection)}).fetchall()
    return {
        row["name"]: Statistics(row["null_share"], row["width"], row["distinct_values"], row["rows"]) for row in rows
    }


def _class_candidates(fields: Iterable[Field], key: str, known: dict[str, Statistics]) -> list[str]:
    """Attributes that may be classes, the most promising first."""
    worth = {
        field.name: _class_worth(field, known[field.name])
        for field in fields
        if field.name != key and field.name in known and field.type in INTEGERS | {"text"}
    }
    return sorted((name for name in worth if worth[name] > 0), key=lambda name: -worth[name])


def _class_worth(field: Field, values: Statistics) -> float:
    """How much speaks for a class: its name, or that what is called a name is shared by many; few values, few gaps."""
    worth: float = class_worth(field.name)
    if worth <= 1 and label_worth(field.name) >= 8 and values.distinct * 4 <= values.filled:
        worth = 5
    many = values.distinct > MOST_CLASSES
    if (
        values.distinct < 2
        or values.distinct > _MOST_VALUES
        or (many and worth < 6)
        or values.distinct >= values.filled
    ):
        return 0
    return worth * (1 - values.null_share) * (0.5 if many else 1) * (0.9 if is_english(field.name) else 1)


def _class(
    connection: Connection,
    table: sql.Identifier,
    candidates: list[str],
    twin_of: dict[str, str],
    *,
    most: int = MOST_CLASSES,
) -> tuple[str | None, list[tuple[str, str | None]]]:
    """The first candidate that really has several values, with them and what their twin says."""
    for name in candidates:
        twin = twin_of.get(name)
        statement = query("class_values").format(
            table=table, field=sql.Identifier(name), twin=sql.Identifier(twin) if twin else sql.SQL("null")
        )
        values = connection.execute(statement, {"most": most}).fetchall()
        if len(values) > 1:
            return name, [(row["value"], row["twin"]) for row in values]
    return None, []


def _label(fields: Iterable[Field], key: str, known: dict[str, Statistics]) -> str | None:
    """The attribute that names a feature, Chinese before English."""
    worth = {
        field.name: label_worth(field.name) - (0.5 if is_english(field.name) else 0)
        for field in fields
        if field.name != key and field.type in INTEGERS | {"text"} and not _is_empty(known.get(field.name))
    }
    best = max(worth, key=lambda name: worth[name], default=None)
    return best if best is not None and worth[best] > 0 else None


def _is_empty(values: Statistics | None) -> bool:
    return values is not None and (values.null_share > 0.98 or (values.distinct <= 1 < values.rows))


def _chosen(
    class_field: str | None, label: str | None, twins: tuple[tuple[str, str], ...], style: dict[str, Any] | None
) -> list[str]:
    """What a tile must carry: the name in both languages, the class (its titles are known), and what a style reads."""
    names = [*(next((pair for pair in twins if label in pair), (label,)) if label else ()), class_field]
    used = [name for layer in (style or {}).get("layers", ()) for name in properties_of(layer)]
    return [name for name in dict.fromkeys([*names, *used]) if name]


def _carried(fields: tuple[Field, ...], key: str, chosen: list[str], known: dict[str, Statistics]) -> tuple[str, ...]:
    """The attributes of a tile: the key if it is no integer, what was chosen, and the most telling of the others."""
    types = {field.name: field.type for field in fields if field.type in DRAWABLE}
    keys = [key] if types.get(key, "bigint") not in INTEGERS else []
    must = [name for name in dict.fromkeys([*keys, *chosen]) if name in types]
    others = [name for name in types if name not in must and name != key]
    if len(types) <= _ALL_OF_THEM:
        return (*must, *others)
    return (*must, *_telling([Field(name, types[name]) for name in others], known, min(2, _MOST_FIELDS - len(must))))


def _telling(fields: list[Field], known: dict[str, Statistics], most: int) -> list[str]:
    """The most telling measures and codes, of which no two measure the same."""
    found: list[str] = []
    for field in sorted(fields, key=lambda field: -telling_worth(field.name)):
        fits = field.type in _NUMBERS or telling_worth(field.name) <= CODE_WORTH
        values = known.get(field.name)
        dull = values is not None and (_is_empty(values) or values.width > _SHORT)
        repeated = any(measured(field.name) & measured(other) for other in found)
        if len(found) < most and telling_worth(field.name) and fits and not dull and not repeated:
            found.append(field.name)
    return found
