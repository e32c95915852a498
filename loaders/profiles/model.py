"""What a profile says: the layers of a product, their fields, and the rules that their features keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.language import Text

type Severity = Literal["error", "warning"]
type Type = Literal["text", "integer", "number", "date"]
type Shape = Literal["point", "line", "polygon", "any", "none"]


@dataclass(frozen=True)
class FieldProfile:
    """One attribute: its name in the standard, how sources may spell it, and what its values are."""

    name: str
    type: Type
    title: Text
    aliases: tuple[str, ...] = ()
    length: int | None = None  # characters
    required: bool = False  # whether a source must have the field; the rule `required` looks at its values
    codelist: str | None = None  # an id of core.codelists
    unit: str | None = None  # UCUM, such as m2


@dataclass(frozen=True)
class Rule:
    """What the features of a layer must keep; `kind` names a check of loaders.quality, `parameters` is what it is told."""

    id: str
    kind: str
    severity: Severity
    clause: str  # of the standard
    title: Text
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LayerProfile:
    """One layer of a product; its fields are stored under the standard's own names, in the profile's order."""

    name: str
    id: str  # of the data set that it becomes
    title: Text
    geometry: Shape
    fields: tuple[FieldProfile, ...]
    aliases: tuple[str, ...] = ()
    key: str | None = None  # the field that identifies a feature; None: the row's number does
    class_field: str | None = None  # what it is coloured by
    label_field: str | None = None
    area_field: str | None = None  # the stated area, in square metres
    time_field: str | None = None
    history: bool = False  # whether older states are kept when features change
    rules: tuple[Rule, ...] = ()

    @property
    def required(self) -> tuple[FieldProfile, ...]:
        """The fields that a source must have."""
        return tuple(one for one in self.fields if one.required)

    @property
    def about_fields(self) -> dict[str, dict[str, Any]]:
        """What the catalogue keeps of the fields."""
        return {
            one.name: _about(one) | ({"class": True} if one.name == self.class_field else {}) for one in self.fields
        }


@dataclass(frozen=True)
class Profile:
    """A standard product, or one of the user's own."""

    id: str
    title: Text
    description: Text
    standard: str
    layers: tuple[LayerProfile, ...]
    edition: str | None = None
    period: str | None = None  # how often a new state is due, as ISO 8601

    def layer(self, name: str) -> LayerProfile | None:
        """The layer of that name in the standard."""
        return next((one for one in self.layers if one.name == name), None)


def _about(one: FieldProfile) -> dict[str, Any]:
    known = {"codelist": one.codelist, "unit": one.unit}
    return {"title": one.title._asdict()} | {name: value for name, value in known.items() if value is not None}
