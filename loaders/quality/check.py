"""All rules of a profile on all its layers, in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from core.database import Connection, query
from core.language import Text
from loaders.profiles import Profile, Rule
from loaders.quality.attributes import check_rows, check_sums, check_unique, missing_fields
from loaders.quality.columns import Columns, NotThere, columns_of
from loaders.quality.expressions import Misunderstood
from loaders.quality.findings import Finding, write_findings
from loaders.quality.model import BadRule, Checked, Quality, RuleResult
from loaders.quality.rows import ROW_KINDS, RowCheck, row_check
from loaders.quality.shaped import SHAPE_KINDS, check_shapes
from loaders.quality.shapes import Layer, read_layer

# The kinds of rules, and the parameters that each of them needs.
KINDS: Mapping[str, tuple[str, ...]] = {
    "required": (),
    "required-if": ("fields", "when"),
    "allowed-if": ("fields", "when"),
    "codelist": ("field",),
    "name-of-code": ("field", "name"),
    "equal": ("left", "right"),
    "range": ("field",),
    "pattern": ("field", "pattern"),
    "length": ("field", "lengths"),
    "holds": ("condition",),
    "prefix-in": ("field", "digits", "layer", "of"),
    "unique": ("fields",),
    "sum-by": ("field", "code", "digits", "layer", "by", "sum"),
    "inside-named": ("field", "digits", "layer", "of"),
    "area": ("field",),
    "self-crossing": (),
    "overlap": (),
    "gap": (),
    "near-edge": (),
    "outside": ("boundary",),
    "sliver": (),
}


def check_quality(connection: Connection, layers: Mapping[str, Checked], profile: Profile) -> Quality:
    """Hold the judged layers against the rules of their profile; findings become rows of pg_temp.ct_findings.

    `layers` go by their name in the profile; those not judged are what others are held against. All are in one CRS.
    The findings last as long as the transaction. Raises `BadRule` for a rule that says nothing that could be checked.
    """
    connection.execute(query("drop_findings"))
    connection.execute(query("make_findings"))
    connection.execute(query("make_located"))
    run = _Run(connection, layers)
    judged = [one for one in layers.values() if one.judged and one.profile in profile.layers]
    for step in (run.attributes, run.shapes, run.sums):
        for one in judged:
            step(one)
    return run.quality(judged)


class _Run:
    """One check of some layers."""

    def __init__(self, connection: Connection, layers: Mapping[str, Checked]) -> None:
        self._connection = connection
        self._layers = layers
        self._columns = {name: columns_of(connection, one, self._values_of) for name, one in layers.items()}
        self._unjudged: dict[tuple[str, str], Text] = {}

    def attributes(self, one: Checked) -> None:
        """The rules that look at single rows, and at what must be unique."""
        columns = self._columns[one.profile.name]
        checks: list[RowCheck] = []
        for rule in one.profile.rules:
            with self._understood(one, rule):
                if rule.kind in ROW_KINDS:
                    checks.append(row_check(rule, columns))
                if rule.kind == "required":
                    lacking = [Finding(rule.id, note, None) for note in missing_fields(columns, rule)]
                    write_findings(self._connection, one.profile.name, one.srid, lacking)
                if rule.kind == "unique":
                    check_unique(self._connection, columns, rule)
        check_rows(self._connection, columns, checks)

    def shapes(self, one: Checked) -> None:
        """The rules that look at polygons."""
        name = one.profile.name
        rules = [rule for rule in one.profile.rules if rule.kind in SHAPE_KINDS]
        if rules:
            check_shapes(
                self._connection, self._columns[name], rules, self._other, lambda rule: self._understood(one, rule)
            )

    def sums(self, one: Checked) -> None:
        """The rules on what areas add up to, once it is known where everything lies."""
        for rule in one.profile.rules:
            if rule.kind == "sum-by":
                with self._understood(one, rule):
                    parts = self._columns_of(rule.parameters["layer"])
                    check_sums(self._connection, self._columns[one.profile.name], parts, rule)

    def quality(self, judged: Sequence[Checked]) -> Quality:
        """How often each rule is broken."""
        rows = self._connection.execute(query("count_findings")).fetchall()
        counts = {(row["layer"], row["rule"]): row["n"] for row in rows}
        return Quality(
            tuple(
                RuleResult(rule, name, counts.get((name, rule.id), 0), self._unjudged.get((name, rule.id)))
                for one in judged
                for name in (one.profile.name,)
                for rule in one.profile.rules
            )
        )

    @contextmanager
    def _understood(self, one: Checked, rule: Rule) -> Iterator[None]:
        """Note where a rule finds nothing to look at; say so where it cannot be understood."""
        named = {"rule": rule.id, "layer": one.profile.name}
        if rule.kind not in KINDS:
            raise BadRule(**named, problem=Text(f"there is no kind {rule.kind}", f"没有规则类型 {rule.kind}"))
        if lacking := [name for name in KINDS[rule.kind] if name not in rule.parameters]:
            raise BadRule(**named, problem=Text(f"{lacking[0]} is missing", f"缺少 {lacking[0]}"))
        try:
            yield
        except NotThere as error:
            self._unjudged[one.profile.name, rule.id] = error.reason
        except Misunderstood as error:
            raise BadRule(**named, problem=str(error)) from error

    def _columns_of(self, layer: str) -> Columns:
        if layer not in self._columns:
            raise NotThere(Text(f"there is no layer {layer}", f"缺少图层 {layer}"))
        return self._columns[layer]

    def _values_of(self, layer: str, field: str) -> list[str]:
        columns = self._columns_of(layer)
        statement = query("values_of").format(value=columns.text(field), table=columns.checked.table)
        return [row["value"] for row in self._connection.execute(statement)]

    def _other(self, layer: str, texts: Sequence[str]) -> Layer:
        """Another layer's polygons."""
        return read_layer(self._connection, self._columns_of(layer), texts=texts)
