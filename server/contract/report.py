"""What a check hands back: its steps, what was found in each, and where QGIS would run which filter."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from core.language import Text

State = Literal["ok", "note", "warning", "failure", "skipped"]
_RANK: dict[State, int] = {"ok": 0, "skipped": 1, "note": 2, "warning": 3, "failure": 4}


class Exchange(NamedTuple):
    """One request as it went over the wire; `status` is None where no answer came."""

    method: str
    url: str
    status: int | None
    size: int


class Finding(NamedTuple):
    """One thing that is not as QGIS would like it: what was seen, what its user notices, what the operator can do."""

    code: str
    state: State
    seen: Text
    consequence: Text
    advice: Text


class Found(Exception):
    """A finding after which a step cannot go on."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


class Step(NamedTuple):
    """One of QGIS's eleven steps, replayed."""

    number: int
    id: str
    title: Text
    asks: Text
    got: Text | None
    exchanges: tuple[Exchange, ...]
    findings: tuple[Finding, ...]
    skipped: bool = False

    @property
    def state(self) -> State:
        """The worst of its findings."""
        return "skipped" if self.skipped and not self.findings else worst(one.state for one in self.findings)


class Place(NamedTuple):
    """Where a family of QGIS versions runs a filter, and why there."""

    where: Literal["server", "local"]
    why: Text


class Filter(NamedTuple):
    """A kind of filter: what the user writes, what QGIS sends, where it runs, and how the trial went."""

    id: str
    title: Text
    written: str | None
    sent: tuple[str, ...]  # what was tried
    places: tuple[Place, ...]  # one for each family of versions
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        """The worst that the trial found."""
        return worst(one.state for one in self.findings)


class Report(NamedTuple):
    """A whole check of one collection of one service."""

    url: str
    collection: str | None
    features: int | None
    families: tuple[str, ...]
    steps: tuple[Step, ...]
    filters: tuple[Filter, ...]
    requests: int
    seconds: float

    @property
    def state(self) -> State:
        """The worst of all."""
        return worst([one.state for one in self.steps] + [one.state for one in self.filters])

    @property
    def codes(self) -> tuple[str, ...]:
        """What was found, by name, in order and each once."""
        found = [one.findings for one in self.steps] + [one.findings for one in self.filters]
        return tuple(dict.fromkeys(one.code for findings in found for one in findings))

    def as_json(self) -> dict[str, Any]:
        """Plain values, with every text in both languages."""
        return _plain(self._asdict() | {"state": self.state, "codes": self.codes})  # type: ignore[no-any-return]


def worst(states: Iterable[State]) -> State:
    """The gravest of some states; ok where there are none."""
    return max(states, key=lambda state: _RANK[state], default="ok")


def _plain(value: Any) -> Any:  # noqa: ANN401 — any JSON value
    if isinstance(value, Step | Filter):
        value = value._asdict() | {"state": value.state}
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
