"""How a data set looks, whatever its shapes: its colours by class, and the legend that says so."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from core.catalogue import Dataset
from core.codelists import codelist_of
from core.language import Language, Text
from tiles.portrayal import INTEGERS, Portrayal
from tiles.style.colours import OTHER, PAPERS, Paper, Theme, class_colours, hashed_colour, of_building, on, usual_colour
from tiles.style.roles import Role, Shape, role_of, shapes_of

Json = dict[str, Any]
Expression = Any  # of MapLibre: JSON

_OTHER = Text("Other", "其他")


class Entry(NamedTuple):
    """A line of the legend: a class (none for all else, or where there are no classes), its title and its colour."""

    value: str | None
    title: str
    colour: str


class Ink(NamedTuple):
    """All that decides how a data set looks."""

    dataset: Dataset
    portrayal: Portrayal
    theme: Theme
    language: Language
    in_city: bool = False  # among others: what would be a blur far out stays away there

    @property
    def paper(self) -> Paper:
        """What it is drawn on."""
        return PAPERS[self.theme]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What its geometries are."""
        return shapes_of(self.dataset)

    def role(self, shape: Shape) -> Role:
        """The part that its areas, lines or points play."""
        role = role_of(self.dataset, shape)
        class_field = self.portrayal.class_field or ""
        return "road" if role == "line" and re.search("highway|road", class_field) else role

    @property
    def is_classed(self) -> bool:
        """Whether classes show: not in places, nor in divisions that other data sets cover."""
        role = self.role(self.shapes[0])
        hidden = role == "place" or (role == "boundary" and self.in_city)
        return bool(self.portrayal.classes) and not hidden

    def legend(self) -> list[Entry]:
        """The classes that it is coloured by, or the one colour that it has."""
        if not self.is_classed:
            return [Entry(None, self.dataset.title.in_(self.language), self._plain())]
        classes, titles = self.portrayal.classes, self.portrayal.class_titles
        said = titles or tuple((value, value) for value in classes)
        entries = [
            Entry(value, Text(*title).in_(self.language), self._shade(colour))
            for value, title, colour in zip(classes, said, self._class_colours(), strict=True)
        ]
        if codelist_of(self.dataset, self.portrayal.class_field):
            entries.sort(key=lambda one: one.value or "")  # a list of codes is read in their order
        return [*entries, Entry(None, _OTHER.in_(self.language), self._shade(OTHER))]

    def _class_colours(self) -> list[str]:
        """The colours of the classes: those of their code list, else the usual ones."""
        classes = self.portrayal.classes
        usual = class_colours(zip(classes, _english(self.portrayal), strict=True))
        if (list_ := codelist_of(self.dataset, self.portrayal.class_field)) is None:
            return usual
        found = [list_.find(value) for value in classes]
        return [one.color if one and one.color else colour for one, colour in zip(found, usual, strict=True)]

    def coloured(self, change: Callable[[str], str] = str) -> Expression:
        """The colour of a feature by its class; `change` makes another of each, such as one for edges."""
        entries = self.legend()
        return self.by_class(
            {one.value: change(one.colour) for one in entries if one.value}, change(entries[-1].colour)
        )

    def by_class(self, results: dict[str, Any], otherwise: Any) -> Expression:  # noqa: ANN401 — numbers or colours
        """What a feature gets by its class."""
        field = self.portrayal.class_field
        if field is None or not results:
            return otherwise
        whole = dict(self.dataset.fields).get(field) in INTEGERS
        # Each value in a list of its own: QGIS (up to 3.22 at least) passes over those that are not.
        pairs = [part for value, result in results.items() for part in ([int(value) if whole else value], result)]
        return ["match", ["get", field], *pairs, otherwise]

    def _shade(self, colour: str) -> str:
        """A colour as it is on this paper."""
        shade = on(self.theme, colour)
        return of_building(self.theme, shade) if self.role(self.shapes[0]) == "building" else shade

    def _plain(self) -> str:
        """The one colour: what its title speaks of, else one that always stays with its id."""
        shape = self.shapes[0]
        match self.role(shape):
            case "road":
                return self.paper.street
            case "place" | "boundary":
                return self.paper.quiet
            case "building":
                return self._shade("#cbbfb2")
        found = usual_colour(self.dataset.title.en) if shape == "area" else None
        return (
            on(self.theme, found or hashed_colour(self.dataset.id))
            if shape == "area"
            else hashed_colour(self.dataset.id)
        )


def by_zoom(*stops: Any) -> Expression:  # noqa: ANN401 — numbers and expressions by turns
    """A number that grows with the zoom: zoom, number, zoom, number, ..."""
    return ["interpolate", ["exponential", 1.4], ["zoom"], *stops]


def _english(portrayal: Portrayal) -> tuple[str, ...]:
    """The English title of each class, where it has one."""
    return tuple(english for english, _ in portrayal.class_titles) or ("",) * len(portrayal.classes)
