"""What the rules of a profile say of a load: verdicts that may refuse it, and findings that are published with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from psycopg import sql
from psycopg.types.json import Jsonb

from core.catalogue import Field
from core.database import Connection, query
from core.errors import ChengtuError
from core.language import Text
from loaders.candidate import Candidate, Staged, next_release
from loaders.geometry import COLLECTION
from loaders.options import Described, Options
from loaders.profiles import LayerProfile, Profile
from loaders.publish import Write
from loaders.quality import Checked, Quality, RuleResult, check_quality
from loaders.release import KeyNotUnique, make_key, remove
from loaders.report import Report, Verdict
from loaders.staging import ROW_NUMBER, Place, Staging

SUFFIX = "_quality"  # of the data set that holds the findings of another
ALL = "all"  # --accept: whatever is found
_MOST_IDS = 10_000  # of a rule, in a report: the findings themselves are all kept

_FIELDS: tuple[tuple[str, str, Text], ...] = (
    ("rule", "text", Text("Rule", "规则")),
    ("severity", "text", Text("Severity", "级别")),
    ("clause", "text", Text("Clause", "条款")),
    ("title_en", "text", Text("What the rule says (English)", "规则说明(英文)")),
    ("title_zh", "text", Text("What the rule says (Chinese)", "规则说明(中文)")),
    ("feature", "text", Text("Feature", "要素")),
    ("other", "text", Text("Other feature", "另一要素")),
    ("stated", "double precision", Text("Stated", "填报值")),
    ("measured", "double precision", Text("Measured", "检查值")),
    ("note_en", "text", Text("Finding (English)", "问题说明(英文)")),
    ("note_zh", "text", Text("Finding (Chinese)", "问题说明(中文)")),
)


class QualityRefused(ChengtuError):
    """Rules of severity error are broken, and nobody has accepted that."""

    en = "{source} breaks rules and is not published: {broken}. Mend it, or accept them with --accept {ids}."
    zh = "{source} 未通过质量检查,未发布:{broken}。请修改数据,或使用 --accept {ids} 接受。"
    exit_code = 2

    def __init__(self, report: Report, **facts: object) -> None:
        super().__init__(**facts)
        self.report = report


class NoSuchRule(ChengtuError):
    """--accept names a rule that the profile does not have."""

    en = "There is no rule {rule} to accept. The rules: {known}."
    zh = "没有可接受的规则 {rule}。规则有:{known}。"
    exit_code = 2


class _Judged(NamedTuple):
    """A layer whose rules were checked."""

    candidate: Candidate
    as_layer: LayerProfile
    results: tuple[RuleResult, ...]


@dataclass(frozen=True)
class Judgement:
    """What the checks found of each data set of a load."""

    judged: tuple[_Judged, ...]
    verdicts: dict[str, tuple[Verdict, ...]]
    unjudged: tuple[str, ...]  # ids of data sets without rules

    def raise_errors(self, write: Write) -> None:
        """Refuse the load where a rule of severity error is broken and not accepted; the report goes with the refusal."""
        broken = [
            one
            for verdicts in self.verdicts.values()
            for one in verdicts
            if one.severity == "error" and one.count and not one.accepted
        ]
        if broken:
            report = replace(write((), ()), outcome="refused")
            named = ", ".join(f"{one.id} {one.count}" for one in broken)
            ids = ",".join(dict.fromkeys(one.id for one in broken))
            raise QualityRefused(report, source=report.source, broken=named, ids=ids)

    def candidates(self, connection: Connection) -> list[Candidate]:
        """The findings as data sets of their own: where there are any, or were any before."""
        return [
            _findings(connection, one)
            for one in self.judged
            if any(result.count for result in one.results) or _exists(connection, one.candidate.id + SUFFIX)
        ]

    def record(self, connection: Connection, report: Report) -> None:
        """Keep what the rules say of what is served now; what is served without rules has no findings any more."""
        releases = {one.id: one.release for one in report.datasets}
        for one in self.judged:
            id_ = one.candidate.id
            rules = [_kept(verdict) for verdict in self.verdicts[id_]]
            kept = {"id": id_, "release": releases[id_], "profile": one.candidate.profile, "rules": Jsonb(rules)}
            connection.execute(query("record_quality"), kept)
        for id_ in self.unjudged:
            findings = connection.execute(query("findings_of"), {"id": id_}).fetchone()
            connection.execute(query("forget_quality"), {"id": id_})
            if findings is not None:
                remove(connection, findings["id"])


def judge(connection: Connection, staged: Sequence[Staged], options: Options) -> Judgement:
    """Check what was read against the rules of its profile; `NoSuchRule` if something else is to be accepted."""
    ruled = [one for one in staged if one.job.match and one.job.match.as_layer.rules]
    _known(options.accept, ruled)
    for one in ruled:
        _keyed(connection, one)
    results = _checked(connection, ruled)
    judged = tuple(
        _Judged(one.main, as_layer, tuple(result for result in results if result.layer == as_layer.name))
        for one in ruled
        if one.job.match
        for as_layer in (one.job.match.as_layer,)
    )
    verdicts = {one.candidate.id: _verdicts(connection, one, options.accept) for one in judged}
    unjudged = tuple(one.main.id for one in staged if one not in ruled)
    return Judgement(judged, verdicts, unjudged)


def _known(accept: frozenset[str], ruled: Sequence[Staged]) -> None:
    rules = [rule.id for one in ruled if one.job.match for rule in one.job.match.as_layer.rules]
    for rule in sorted(accept - {ALL, *rules}):
        raise NoSuchRule(rule=rule, known=", ".join(dict.fromkeys(rules)) or "-")


def _keyed(connection: Connection, one: Staged) -> None:
    """Make the key; where the profile has a rule on its being unique, that rule tells what is wrong with it."""
    staging = one.main.staging
    try:
        make_key(connection, staging)
    except KeyNotUnique:
        rules = one.job.match.as_layer.rules if one.job.match else ()
        if not any(rule.kind == "unique" for rule in rules):
            raise
        number_rows(connection, staging)
    connection.execute(sql.SQL("analyze {}").format(staging.table))


def number_rows(connection: Connection, staging: Staging) -> None:
    """Tell rows apart by their number, since their key does not."""
    names = {"staging": staging.table, "number": sql.Identifier(ROW_NUMBER)}
    connection.execute(query("number_rows").format(**names))
    staging.key = ROW_NUMBER
    make_key(connection, staging)


def _checked(connection: Connection, ruled: Sequence[Staged]) -> tuple[RuleResult, ...]:
    if not ruled or ruled[0].job.match is None:
        return ()
    profile = ruled[0].job.match.profile
    layers = _served(connection, profile, ruled) | {
        one.job.match.as_layer.name: _to_check(one, one.job.match.as_layer) for one in ruled if one.job.match
    }
    found: Quality = check_quality(connection, layers, profile)
    return found.results


def _to_check(one: Staged, as_layer: LayerProfile) -> Checked:
    staging = one.main.staging
    key = as_layer.key or staging.key
    return Checked(staging.table, key, staging.place.srid, as_layer, repaired=staging.repairs, judged=True)


def _served(connection: Connection, profile: Profile, ruled: Sequence[Staged]) -> dict[str, Checked]:
    """Layers that are not in the source but are being served already: what a layer alone is held against.

    Of several of a kind, the one whose id begins as the load's do.
    """
    srid, start = ruled[0].main.staging.place.srid, ruled[0].main.id.rpartition("_")[0]
    rows = connection.execute(query("datasets_of_profile"), {"profile": f"{profile.id}/%", "srid": srid}).fetchall()
    layers = {}
    for row in sorted(rows, key=lambda row: row["id"].rpartition("_")[0] == start):
        as_layer = profile.layer(row["profile"].partition("/")[2])
        if as_layer is not None:
            table = sql.Identifier("data", row["id"])
            layers[as_layer.name] = Checked(table, row["key_column"], srid, as_layer, repaired=(), judged=False)
    return layers


def _verdicts(connection: Connection, one: _Judged, accept: frozenset[str]) -> tuple[Verdict, ...]:
    named = {"layer": one.as_layer.name, "most": _MOST_IDS}
    found = connection.execute(query("found_ids"), named).fetchall() if one.results else []
    ids = {row["rule"]: tuple(row["ids"]) for row in found}
    return tuple(
        Verdict(
            id=result.rule.id,
            severity=result.rule.severity,
            clause=result.rule.clause,
            title=result.rule.title,
            count=result.count,
            accepted=result.rule.severity == "error" and bool(accept & {ALL, result.rule.id}),
            ids=ids.get(result.rule.id, ()),
            unjudged=result.unjudged,
        )
        for result in one.results
    )


def _exists(connection: Connection, id_: str) -> bool:
    return connection.execute(query("current_release"), {"id": id_}).fetchone() is not None


def _findings(connection: Connection, one: _Judged) -> Candidate:
    """The findings of a data set, as a staging table of their own."""
    base = one.candidate
    place = Place(next_release(connection), base.staging.place.srid, generic=True)
    fields = tuple(Field(name, type_) for name, type_, _ in _FIELDS)
    staging = Staging(connection, place, COLLECTION, key=ROW_NUMBER, fields=fields, ordinates="")
    rules = Jsonb([_kept_rule(result) for result in one.results])
    filled = connection.execute(
        query("fill_quality").format(staging=staging.table, key=sql.Identifier(ROW_NUMBER)),
        {"rules": rules, "layer": one.as_layer.name},
    )
    staging.tally.rows = filled.rowcount
    staging.class_field = "severity"
    title = Text(f"{one.as_layer.title.en}: findings of the checks", f"{one.as_layer.title.zh}:质量检查结果")
    about: dict[str, dict[str, object]] = {name: {"title": title._asdict()} for name, _, title in _FIELDS}
    about["severity"] |= {"codelist": "finding-severities", "class": True}
    return Candidate(base.id + SUFFIX, staging, title, Described(), base.source, about_fields=about)


def _kept_rule(result: RuleResult) -> dict[str, object]:
    rule = result.rule
    return {"id": rule.id, "severity": rule.severity, "clause": rule.clause, "title": rule.title._asdict()}


def _kept(verdict: Verdict) -> dict[str, object]:
    """A verdict without its ids, which the findings have."""
    return {
        "id": verdict.id,
        "severity": verdict.severity,
        "clause": verdict.clause,
        "title": verdict.title._asdict(),
        "count": verdict.count,
        "accepted": verdict.accepted,
        "unjudged": verdict.unjudged._asdict() if verdict.unjudged else None,
    }
