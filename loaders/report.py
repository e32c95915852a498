"""What a load tells at its end, on screen and as JSON."""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Literal, NamedTuple

from core.catalogue import BBox
from core.language import Language, Text
from loaders.compared import ClassChange, Comparison, Part
from loaders.profiles.model import Severity

LISTED = 50  # ids named in a report; the counts are always whole


class Changes(NamedTuple):
    """Rows that a release adds, removes and changes against the one before, by key."""

    added: int
    removed: int
    changed: int


@dataclass
class Tally:
    """Counts that grow while rows stream by, for one family of geometries."""

    rows: int = 0
    null: int = 0
    empty: int = 0
    repaired: Counter[str] = field(default_factory=Counter)
    repaired_keys: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    refused_keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Published:
    """One data set of a load: a layer gives one for each family of geometries in it."""

    id: str
    outcome: Literal["published", "unchanged"]
    release: int
    geometry_type: str
    rows: int
    null_geometries: int
    empty_geometries: int
    repaired: dict[str, int]
    repaired_keys: tuple[str, ...]
    refused: dict[str, int]
    refused_keys: tuple[str, ...]
    srid: int
    extent: BBox | None
    changes: Changes
    comparison: Comparison | None = None  # with the state before, of a data set with history
    state_of: date | None = None


@dataclass(frozen=True)
class LayerRead:
    """What reading a layer told: how its text, its coordinates and its profile were understood."""

    layer: str
    driver: str
    rows: int
    encoding: str | None
    encoding_reason: Text | None
    sample_text: tuple[str, ...]
    crs_reason: Text
    crs_certain: bool
    profile: str | None
    profile_reason: Text | None
    notes: tuple[Text, ...]


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a data set: how many findings, and the keys of the features they concern."""

    id: str
    severity: Severity
    clause: str
    title: Text
    count: int
    accepted: bool
    ids: tuple[str, ...]
    unjudged: Text | None = None  # why it could not be judged, such as for want of another layer


@dataclass(frozen=True)
class Report:
    """A load, told: rows in, what became of them, what the checks found, and how everything was understood."""

    source: str
    outcome: Literal["published", "refused", "checked"]
    rows_in: int
    layers: tuple[LayerRead, ...]
    quality: dict[str, tuple[Verdict, ...]]  # by data set
    notes: tuple[Text, ...]
    datasets: tuple[Published, ...]
    seconds: float
    peak_megabytes: int

    def as_json(self) -> dict[str, Any]:
        """The report as plain values; texts as {"en": ..., "zh": ...}."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain | {"quality": {id_: {"rules": rules} for id_, rules in plain["quality"].items()}}

    def to_keep(self) -> dict[str, Any]:
        """The same, with as many ids of findings as a history needs."""
        short = {id_: tuple(replace(one, ids=one.ids[:LISTED]) for one in rules) for id_, rules in self.quality.items()}
        return replace(self, quality=short).as_json()

    def lines(self, language: Language) -> list[str]:
        """The report as a person reads it, a line a fact."""
        zh = language == "zh"
        told = [line for layer in self.layers for line in _layer_lines(self.source, layer, zh)]
        lines = [*dict.fromkeys(told)]  # layers of one source have much in common
        lines += self.more_lines(language)
        lines += [("注意: " if zh else "note: ") + note.in_(language) for note in self.notes]
        for id_, rules in self.quality.items():
            lines += _quality_lines(id_, rules, zh)
        for dataset in self.datasets:
            lines += _dataset_lines(dataset, zh)
        lines.append(f"{self.seconds:.1f} s, {self.peak_megabytes} MB")
        return lines

    def more_lines(self, language: Language) -> list[str]:
        """What a kind of load tells besides, between the source and the data sets."""
        return []


def _layer_lines(source: str, layer: LayerRead, zh: bool) -> list[str]:
    language: Language = "zh" if zh else "en"
    lines = [f"{source} [{layer.layer}] {layer.driver}: {layer.rows} {'条记录' if zh else 'rows'}"]
    if layer.profile and layer.profile_reason:
        lines.append(f"{'数据规范' if zh else 'profile'} {layer.profile}: {layer.profile_reason.in_(language)}")
    if layer.encoding and layer.encoding_reason:
        lines.append(f"{'文字编码' if zh else 'text'} {layer.encoding}: {layer.encoding_reason.in_(language)}")
    if layer.sample_text:
        lines.append(("示例文字: " if zh else "for example: ") + " · ".join(layer.sample_text))
    lines.append(f"{'坐标系' if zh else 'CRS'}: {layer.crs_reason.in_(language)}")
    return lines + [("注意: " if zh else "note: ") + note.in_(language) for note in layer.notes]


def _quality_lines(id_: str, rules: tuple[Verdict, ...], zh: bool) -> list[str]:
    """A line for each rule that is broken, and one for all that are kept."""
    broken = [one for one in rules if one.count]
    judged = [one for one in rules if one.unjudged is None]
    kept = len(judged) - len(broken)
    lines = [f"{id_}: {'符合的检查规则' if zh else 'rules kept'} {kept} / {len(judged)}"]
    label = "未检查" if zh else "not judged"
    lines += [f"  {label} {one.id}: {one.unjudged.zh if zh else one.unjudged.en}" for one in rules if one.unjudged]
    for one in broken:
        words = {"error": "错误" if zh else "error", "warning": "警告" if zh else "warning"}
        accepted = (" (已接受)" if zh else " (accepted)") if one.accepted else ""
        ids = ", ".join(one.ids[:10]) + (" …" if len(one.ids) > 10 else "")
        title = one.title.zh if zh else one.title.en
        lines.append(f"  {words[one.severity]}{accepted} {one.id}: {one.count} — {title} ({one.clause}); id {ids}")
    return lines


def _dataset_lines(dataset: Published, zh: bool) -> list[str]:
    changes = dataset.changes
    if dataset.outcome == "unchanged":
        first = (
            f"{dataset.id}: {'与现有版本相同,未作改动' if zh else 'same as the release being served, nothing changed'}"
        )
    elif zh:
        first = (
            f"{dataset.id}: 已发布 {dataset.rows} 条,新增 {changes.added},删除 {changes.removed},修改 {changes.changed}"
        )
    else:
        counts = f"{changes.added} added, {changes.removed} removed, {changes.changed} changed"
        first = f"{dataset.id}: {dataset.rows} features published; {counts}"
    lines = [first, f"  {dataset.geometry_type}, EPSG:{dataset.srid}{_extent(dataset.extent)}"]
    if dataset.comparison:
        lines += dataset.comparison.lines("zh" if zh else "en")
    if dataset.null_geometries or dataset.empty_geometries:
        label = "无几何 / 空几何" if zh else "without geometry / with an empty one"
        lines.append(f"  {label}: {dataset.null_geometries} / {dataset.empty_geometries}")
    lines += _reasons("已修复" if zh else "repaired", dataset.repaired, dataset.repaired_keys)
    lines += _reasons("几何无法保存" if zh else "geometry refused", dataset.refused, dataset.refused_keys)
    return lines


def _extent(extent: BBox | None) -> str:
    return "" if extent is None else ", " + " ".join(f"{degrees:.5f}" for degrees in extent)


def _reasons(label: str, counted: dict[str, int], keys: tuple[str, ...]) -> list[str]:
    if not counted:
        return []
    total = sum(counted.values())
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counted.items()))
    more = " …" if total > len(keys) else ""
    return [f"  {label} {total}: {reasons}; id {', '.join(keys[:10])}{more if len(keys) <= 10 else ' …'}"]


def _plain(value: Any) -> Any:  # noqa: ANN401 — any JSON value
    """Tuples with field names become objects, other tuples arrays."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Text | Changes | BBox | Comparison | Part | ClassChange):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
