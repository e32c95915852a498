"""What a new release of a data set with history changed, in numbers."""

from typing import NamedTuple


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
