"""The conformance classes that we implement, by standard; /conformance lists them as JSON and on its page."""

from features.editing import CONFORMANCE as EDITING
from features.filters import CONFORMANCE as FILTERS


def _of(standard: str, *classes: str) -> tuple[str, ...]:
    return tuple(f"http://www.opengis.net/spec/{standard}/1.0/conf/{name}" for name in classes)


COMMON = (
    *_of("ogcapi-common-1", "core", "landing-page", "json", "html", "oas30"),
    *_of("ogcapi-common-2", "collections", "json", "html"),
    *_of("ogcapi-common-3", "schemas", "advanced-property-roles", "returnables-and-receivables"),
)
FEATURES = (
    *_of("ogcapi-features-1", "core", "oas30", "html", "geojson"),
    *_of("ogcapi-features-2", "crs"),
    *_of("ogcapi-features-3", "queryables", "queryables-query-parameters", "filter", "features-filter"),
    # Part 5 was published as Part 3 of Common; QGIS looks for it under its old name.
    *_of("ogcapi-features-5", "schemas", "core-roles-features", "returnables-and-receivables"),
)
TILES = (
    *_of("ogcapi-tiles-1", "core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets"),
    *_of("ogcapi-tiles-1", "collections-selection", "datetime", "mvt", "oas30"),
    *(
        f"http://www.opengis.net/spec/tms/2.0/conf/{name}"
        for name in (
            "tilematrixset",
            "tilematrixsetlimits",
            "tilesetmetadata",
            "json-tilematrixset",
            "json-tilesetmetadata",
        )
    ),
)
CQL2 = (*FILTERS, *_of("cql2", "basic-spatial-operators"))  # the latter is what QGIS before 3.44 calls the functions
PROCESSES = _of("ogcapi-processes-1", "core", "ogc-process-description", "json", "oas30")

CONFORMANCE = tuple(sorted({*COMMON, *FEATURES, *EDITING, *TILES, *CQL2, *PROCESSES}))
