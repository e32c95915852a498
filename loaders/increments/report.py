"""What applying an increment tells, on screen and as JSON."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from core.errors import ChengtuError
from core.language import Language, Text
from loaders.report import LISTED, Changes

Outcome = Literal["applied", "again", "checked", "refused"]


@dataclass(frozen=True)
class Finding:
    """What does not fit: the rule, how many features, which, and a sentence."""

    rule: str
    count: int
    ids: tuple[str, ...]
    text: Text
    accepted: bool = False


class ClassArea(NamedTuple):
    """A class in a district, in square metres: what there was, what it lost and gained, and what there is."""

    class_: str
    before: float
    lost: float
    gained: float
    after: float


class District(NamedTuple):
    """The balance of a district."""

    code: str
    classes: tuple[ClassArea, ...]

    @property
    def before(self) -> float:
        """All of its area before, in square metres."""
        return round(sum(one.before for one in self.classes), 2)

    @property
    def after(self) -> float:
        """All of its area after."""
        return round(sum(one.after for one in self.classes), 2)


class Transition(NamedTuple):
    """What went from one class to another in a village, in square metres."""

    village: str
    from_: str
    to: str
    pieces: int
    area: float


class Balance(NamedTuple):
    """The balance of areas."""

    districts: tuple[District, ...]
    transitions: tuple[Transition, ...]

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "unit": "m2",
            "districts": [
                {
                    "code": one.code,
                    "before": one.before,
                    "after": one.after,
                    "classes": [{**row._asdict(), "class": row.class_} for row in one.classes],
                }
                for one in self.districts
            ],
            "transitions": [
                {"village": one.village, "from": one.from_, "to": one.to, "pieces": one.pieces, "area": one.area}
                for one in self.transitions
            ],
        }


@dataclass(frozen=True)
class IncrementReport:
    """An increment, told."""

    id: str
    source: str
    label: str
    outcome: Outcome
    state_before: str | None
    state: str
    changes: Changes
    findings: tuple[Finding, ...]
    balance: Balance | None
    amendment: int | None = None
    applied_at: str | None = None  # where it was applied before
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The report as plain values; texts as {"en": ..., "zh": ...}."""
        plain = asdict(self)
        plain["changes"] = self.changes._asdict()
        plain["findings"] = [asdict(one) | {"text": one.text._asdict()} for one in self.findings]
        plain["balance"] = self.balance.as_json() if self.balance else None
        return plain

    def lines(self, language: Language) -> list[str]:
        """The report as a person reads it, a line a fact."""
        zh = language == "zh"
        lines = [f"{self.source} -> {self.id}: {_OUTCOMES[self.outcome].in_(language).format(**self._facts())}"]
        for one in self.findings:
            accepted = Text(" (accepted)", "(已接受)").in_(language) if one.accepted else ""
            ids = ", ".join(one.ids[:10]) + (" …" if one.count > min(10, len(one.ids)) else "")
            lines.append(f"  {one.rule}{accepted}: {one.text.in_(language)}{'; id ' + ids if ids else ''}")
        if self.balance:
            lines += _balance_lines(self.balance, zh)
        return [*lines, f"{self.seconds:.1f} s"]

    def _facts(self) -> dict[str, Any]:
        return {**self.changes._asdict(), "state": self.state, "before": self.state_before, "at": self.applied_at}


_OUTCOMES = {
    "applied": Text(
        "the state of {state} is served, before of {before}; {added} added, {removed} removed, {changed} changed",
        "已更新到 {state} 的状态(此前为 {before});新增 {added},删除 {removed},修改 {changed}",
    ),
    "again": Text("was applied already, at {at}; nothing changed", "已于 {at} 应用过,未作改动"),
    "checked": Text(
        "would go from {before} to {state}; {added} to add, {removed} to remove, {changed} to change; nothing was changed",
        "将从 {before} 更新到 {state};将新增 {added},删除 {removed},修改 {changed};未作改动",
    ),
    "refused": Text("refused, the state of {before} stays", "未通过检查,仍为 {before} 的状态"),
}
_SHOWN = 30  # rows of a table on screen


def _balance_lines(balance: Balance, zh: bool) -> list[str]:
    """The balance of each district, and who went where, as tables of text."""
    heads = ("地类", "期初", "减少", "增加", "期末") if zh else ("class", "before", "lost", "gained", "after")
    lines = [line for one in balance.districts for line in _district_lines(one, heads)]
    lines += [
        f"    {flow.village}: {flow.from_} -> {flow.to}  {flow.area:.2f} m² ({flow.pieces})"
        for flow in balance.transitions[:_SHOWN]
    ]
    left = len(balance.transitions) - _SHOWN
    return lines + ([f"    … {left}"] if left > 0 else [])


def _district_lines(one: District, heads: tuple[str, ...]) -> list[str]:
    """The classes that lost or gained something."""
    moved = [row for row in one.classes if row.lost or row.gained]
    return [
        f"  {one.code}: {one.before:.2f} -> {one.after:.2f} m²",
        "    " + "".join(f"{head:>18}" for head in heads),
        *("    " + f"{row.class_:>18}" + "".join(f"{number:>18.2f}" for number in row[1:]) for row in moved),
    ]


class IncrementRefused(ChengtuError):
    """An increment that does not fit what is served; `report` tells all of it."""

    en = "The increment was not applied to {id}: {reasons}"
    zh = "增量未应用到 {id}:{reasons}"
    exit_code = 2

    def __init__(self, report: IncrementReport) -> None:
        self.report = report
        open_ = [one for one in report.findings if not one.accepted]
        reasons = Text(" ".join(one.text.en for one in open_), "".join(one.text.zh for one in open_))
        super().__init__(id=report.id, reasons=reasons)


def finding(rule: str, ids: list[str], en: str, zh: str, **facts: object) -> Finding:
    """A finding about some features, of which it names a few."""
    facts = {"n": len(ids), **facts}
    return Finding(rule, int(str(facts["n"])), tuple(ids[:LISTED]), Text(en.format(**facts), zh.format(**facts)))
