"""The host's feature provider: a data set of the catalogue, asked in SQL."""

import json
from http import HTTPStatus
from typing import Any, NamedTuple, Self

from pygeoapi.provider.base import BaseProvider, ProviderGenericError, ProviderItemNotFoundError

from core.crs import CRS84, Srid
from core.database import query
from core.door import Door
from core.errors import BadRequest, ChengtuError, DatabaseBusy, DatasetQuarantined
from core.language import spoken
from features import queries
from features.asking import TableChanged, asking
from features.documents import value_schema
from features.filters import Node
from features.queries import Statement
from features.search import Bounds, Search
from features.table import Table


class Source(NamedTuple):
    """What a provider serves, and the door to it; copies of the host's configuration share it."""

    table: Table
    door: Door

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


class FilterOf(NamedTuple):
    """A parsed CQL2 filter, with the CRS of its geometries."""

    node: Node
    srid: Srid


class Refused(ProviderGenericError):  # type: ignore[misc]
    """One of our errors in the form that the host turns into a response."""

    def __init__(self, error: ChengtuError) -> None:
        super().__init__(user_msg=error.message(spoken.get()))
        self.http_status_code = HTTPStatus(error.status)
        self.ogc_exception_code = error.code


class TableProvider(BaseProvider):  # type: ignore[misc]
    """Features of one data set. Made anew for each request by the host, so it must cost nothing to make.

    Stock pygeoapi mistakes the axis order of EPSG:4490 and of the Gauss-Krüger zones; here the table keeps
    x = east in its own SRID, and only the CRS asked for decides the order that goes out.
    """

    def __init__(self, provider_def: dict[str, Any]) -> None:
        source: Source = provider_def["data"]
        self.table = source.table
        self.dataset = source.table.dataset
        self.door = source.door
        self.name, self.type, self.data = provider_def["name"], provider_def["type"], source
        self.id_field, self.time_field = self.dataset.key, self.dataset.time
        self.title_field = self.uri_field = self.filename = self.options = None
        self.editable = self.include_extra_query_parameters = False
        self.properties: list[str] = []
        self.get_fields()

    def get_fields(self) -> dict[str, dict[str, str]]:
        """The attributes with their JSON Schema types; dates by format; what else its page shows of them."""
        self._fields = {
            field.name: value_schema(field.type) | self._about(field.name) for field in self.dataset.attributes
        }
        return self._fields

    def _about(self, name: str) -> dict[str, str]:
        about = self.dataset.about_fields.get(name)
        if about is None:
            return {}
        told = {"title": about.title.in_(spoken.get()), "x-ogc-unit": about.unit}
        if about.codelist:
            told["x-ogc-codelistUri"] = f"{self.door.settings.base_url}/codelists/{about.codelist}"
        return {key: value for key, value in told.items() if value}

    def query(
        self,
        offset: int = 0,
        limit: int = 10,
        resulttype: str = "results",
        bbox: Bounds | list[float] | None = None,
        datetime_: str | None = None,
        properties: list[tuple[str, str]] | None = None,
        sortby: list[dict[str, str]] | None = None,
        select_properties: list[str] | None = None,
        skip_geometry: bool = False,
        q: str | None = None,
        filterq: FilterOf | None = None,
        crs_transform_spec: Srid | None = None,
        **ignored: object,
    ) -> dict[str, Any]:
        """One page as a GeoJSON FeatureCollection in the CRS asked for, in that CRS's axis order."""
        search = Search(
            limit=limit,
            offset=offset,
            hits_only=resulttype == "hits",
            bounds=bbox if isinstance(bbox, Bounds) else Bounds(tuple(bbox), CRS84) if bbox else None,
            datetime=datetime_,
            equals=properties or (),
            text=q,
            filter=filterq.node if filterq else None,
            filter_srid=filterq.srid if filterq else CRS84,
            sort=[(one["property"], one["order"] == "-") for one in sortby or ()],
            properties=select_properties or (),
            geometry=not skip_geometry,
            crs=crs_transform_spec or CRS84,
        )
        try:
            return self._collection(search)
        except ChengtuError as error:
            raise Refused(error) from error

    def get(self, identifier: str, crs_transform_spec: Srid | None = None, **ignored: object) -> dict[str, Any]:
        """The feature with a key; 404 where there is none, whatever the identifier looks like."""
        if len(identifier) > 1000 or "\0" in identifier:
            raise ProviderItemNotFoundError
        try:
            found = self._found(identifier, crs_transform_spec or CRS84)
        except BadRequest as error:
            raise ProviderItemNotFoundError from error  # a key of the wrong type names no feature
        except ChengtuError as error:
            raise Refused(error) from error
        if not found:
            raise ProviderItemNotFoundError
        feature: dict[str, Any] = json.loads(found[0]["feature"])
        return feature

    def _found(self, identifier: str, crs: Srid) -> list[dict[str, Any]]:
        for statement in queries.items(self.table, identifier, crs):
            if found := self._ask(statement):
                return found
        return []

    def _collection(self, search: Search) -> dict[str, Any]:
        rows = [] if search.hits_only else self._ask(queries.page(self.table, search))
        features = [json.loads(row["feature"]) for row in rows[: search.limit] if row["feature"] is not None]
        collection = {"type": "FeatureCollection", "features": features, "numberReturned": len(features)}
        matched = self._matched(search, rows)
        if matched is not None:
            collection["numberMatched"] = matched
        return collection

    def _matched(self, search: Search, rows: list[dict[str, Any]]) -> int | None:
        if rows and search.everything:
            return int(rows[0]["feature_count"])
        return rows[0]["matched"] if rows and rows[0]["matched"] is not None else self._count(search)

    def _count(self, search: Search) -> int | None:
        """How many features match; None where counting takes too long."""
        budget = self.door.settings.statement_timeout if search.hits_only else self.door.settings.count_budget
        try:
            rows = self._ask(queries.count(self.table, search), budget)
        except DatabaseBusy:
            return None
        return int(rows[0]["matched"]) if rows else 0

    def _ask(self, statement: Statement, seconds: float | None = None) -> list[dict[str, Any]]:
        """Run one statement; what PostgreSQL says of a bad value, or of a table that changed, in our words."""
        try:
            with asking(self.dataset.id), self.door.pool.connection() as connection, connection.transaction():
                if seconds is not None:
                    connection.execute(query("time_limit"), {"milliseconds": str(int(seconds * 1000))})
                return connection.execute(statement.text, statement.parameters).fetchall()
        except TableChanged as error:
            raise DatasetQuarantined(id=self.dataset.id, reason=str(error)) from error

    def __repr__(self) -> str:
        return f"<TableProvider {self.dataset.id}>"
