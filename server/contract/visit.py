"""What is known of a service while QGIS's steps are replayed: each step reads it, and adds what it has learnt."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from core.language import Text
from server.contract.client import Client
from server.contract.geojson import Feature, Page, page

JSON = "application/json"
SCHEMA_JSON = "application/schema+json"
ITEMS = "application/geo+json, application/json"


class Queryable(NamedTuple):
    """A property that QGIS may filter by: JSON Schema's type and format, or a geometry."""

    type: str | None
    format: str | None
    is_geometry: bool


@dataclass
class Visit:
    """One replay against one collection; `got` is what the step under way tells of a good answer."""

    client: Client
    wanted: str | None
    got: Text | None = None
    api_url: str = ""
    data_url: str = ""
    conformance_url: str = ""
    collection: str = ""
    collection_url: str = ""
    openapi: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)  # of the collection
    page_size: int = 100
    simple: dict[str, str] = field(default_factory=dict)  # property -> type, declared as query parameters
    classes: frozenset[str] = frozenset()
    queryables: dict[str, Queryable] = field(default_factory=dict)
    first: tuple[Feature, ...] = ()
    misplaced: bool = False  # coordinates are not longitude and latitude
    sample: tuple[Feature, ...] = ()  # of the data pages
    matched: int | None = None
    allowed: frozenset[str] = frozenset()  # methods on the items
    allowed_one: frozenset[str] = frozenset()  # methods on one item

    @property
    def items_url(self) -> str:
        """Where QGIS asks for features: it builds the address, and follows no link to it."""
        return f"{self.collection_url}/items"

    def items(self, parameters: dict[str, str]) -> Page:
        """A page of features; commas and colons stay readable, as QGIS leaves them."""
        return page(self.client.get(f"{self.items_url}?{urlencode(parameters, quote_via=quote, safe=',:/()')}", ITEMS))

    def forget_ids(self) -> None:
        """The ids of this service tell nothing: do without them from now on."""
        self.sample = tuple(one._replace(id=None) for one in self.sample)
