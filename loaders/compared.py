"""What a new release of a data set with history changed, in numbers."""

from typing import NamedTuple

from core.language import Language, Text


class Part(NamedTuple):
    """Some features, and their area in square metres; None where they have none."""

    features: int
    area: float | None


class ClassChange(NamedTuple):
    """Features that went from one class to another."""

    before: str | None
    after: str | None
    features: int
    area: float | None


class Comparison(NamedTuple):
    """A release beside the one before it. What changed in shape and in class is counted in both; `otherwise` in neither."""

    added: Part
    removed: Part
    reshaped: Part
    reclassified: Part
    otherwise: Part
    classes: tuple[ClassChange, ...]

    def lines(self, language: Language) -> list[str]:
        """As a person reads it, a line a kind of change, and one for the classes that most went between."""
        parts = (self.added, self.removed, self.reshaped, self.reclassified, self.otherwise)
        told = [f"{title.in_(language)} {_told(part)}" for title, part in zip(_TITLES, parts, strict=True)]
        most = sorted(self.classes, key=lambda one: one.area or one.features, reverse=True)[:_SHOWN]
        flows = [f"{one.before} -> {one.after} {_told(Part(one.features, one.area))}" for one in most]
        return ["  " + "; ".join(told), *(["  " + "; ".join(flows)] if flows else [])]


_SHOWN = 10  # of the flows between classes
_TITLES = (
    Text("added", "新增"),
    Text("gone", "减少"),
    Text("changed in shape", "图形变化"),
    Text("in class", "地类变化"),
    Text("otherwise", "其他属性变化"),
)


def _told(part: Part) -> str:
    return f"{part.features}" if part.area is None or not part.features else f"{part.features} ({part.area:.2f} m²)"
