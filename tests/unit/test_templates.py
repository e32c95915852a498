"""Our pages as text: nothing from elsewhere, and nothing that a data set says is taken for markup."""

import importlib
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

WEB = Path(__file__).parents[2] / "web"
PYGEOAPI = Path(importlib.import_module("pygeoapi").__file__ or "").parent / "templates"
OURS = sorted(WEB.rglob("*.html")) + sorted(WEB.rglob("*.css")) + sorted(WEB.rglob("*.js")) + sorted(WEB.rglob("*.svg"))
FETCHED = re.compile(r"""(?:src|href|xlink:href)\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import""")
HOSTILE = "<script>alert(1)</script>\"'&"

CONFIG: dict[str, Any] = {
    "server": {
        "url": "http://127.0.0.1:5000/ogc",
        "limits": {"default_items": 10},
        "templates": {"path": str(WEB / "templates")},
    },
    "metadata": {
        "identification": {
            "title": {"en": "City", "zh": "城市"},
            "description": HOSTILE,
            "keywords": [HOSTILE],
            "terms_of_service": HOSTILE,
        },
        "license": {"name": HOSTILE, "url": "javascript:alert(1)"},
        "provider": {"name": HOSTILE, "url": "https://example.org"},
        "contact": {"name": HOSTILE, "email": "a@example.org"},
    },
    "resources": {
        "parcels": {"type": "collection", "title": {"en": HOSTILE, "zh": HOSTILE}, "description": HOSTILE},
        "cells": {"type": "process"},
    },
}
HOME = CONFIG["server"]["url"]
LINKS = [
    {
        "rel": "alternate",
        "type": "application/geo+json",
        "title": HOSTILE,
        "href": f"{HOME}/collections/parcels/items?f=json",
    },
    {"rel": "collection", "type": "application/json", "title": HOSTILE, "href": f"{HOME}/collections/parcels"},
    {"rel": "license", "type": "text/html", "title": HOSTILE, "href": "javascript:alert(1)"},
    {
        "rel": "next",
        "type": "application/geo+json",
        "title": HOSTILE,
        "href": f"{HOME}/collections/parcels/items?offset=10",
    },
]
FEATURE = {
    "type": "Feature",
    "id": HOSTILE,
    "geometry": {"type": "Point", "coordinates": [1, 2]},
    "properties": {
        HOSTILE: HOSTILE,
        "list": [HOSTILE, {"inner": HOSTILE}],
        "none": None,
        "link": "javascript:alert(1)",
        "yes": True,
    },
}
PATHS = {
    "collections_path": f"{HOME}/collections",
    "dataset_path": f"{HOME}/collections/parcels",
    "items_path": f"{HOME}/collections/parcels/items",
}
COMMON = {"links": LINKS, "title": HOSTILE, "description": HOSTILE, "keywords": [HOSTILE], "id": "parcels", **PATHS}
FIELDS = {
    "geometry": {"format": "geometry-any"},
    HOSTILE: {"type": "string", "title": HOSTILE, "enum": [HOSTILE], "x-ogc-unit": HOSTILE},
}
INPUT = {"title": HOSTILE, "description": HOSTILE, "schema": {"type": HOSTILE, "enum": [HOSTILE]}}
JOB = {
    "jobID": "1",
    "processID": "cells",
    "status": "running",
    "message": HOSTILE,
    "progress": 5,
    "parameters": HOSTILE,
    "created": "2024-01-01T00:00:00.000000Z",
    "started": "2024-01-01T00:00:00.000000Z",
    "finished": None,
    "links": LINKS,
}
TOLD = {"en": HOSTILE, "zh": HOSTILE}
FINDING = {"code": "no-next", "state": "failure", "seen": TOLD, "consequence": TOLD, "advice": TOLD}
REPORT = {
    "url": HOSTILE,
    "collection": HOSTILE,
    "features": 5,
    "families": ["3.44"],
    "requests": 1,
    "seconds": 0.5,
    "state": "failure",
    "steps": [
        {
            "number": 1,
            "id": "data",
            "title": TOLD,
            "asks": TOLD,
            "got": TOLD,
            "exchanges": [{"method": "GET", "url": HOSTILE, "status": None, "size": 0}],
            "findings": [FINDING, FINDING | {"state": "note"}],
            "state": "failure",
        }
    ],
    "filters": [
        {
            "id": "date",
            "title": TOLD,
            "written": HOSTILE,
            "sent": [HOSTILE],
            "places": [{"where": "server", "why": TOLD}],
            "findings": [FINDING],
            "state": "ok",
        }
    ],
}
HISTORY = {
    "id": HOSTILE,
    "title": HOSTILE,
    "key": HOSTILE,
    "columns": [HOSTILE],
    "since": HOSTILE,
    "state_of": HOSTILE,
    "here": HOSTILE,
}
AMENDMENT = {
    "id": 1,
    "label": HOSTILE,
    "source": HOSTILE,
    "day": HOSTILE,
    "applied": HOSTILE,
    "added": 1,
    "removed": 1,
    "changed": 1,
    "undone": HOSTILE,
}
DATA: dict[str, dict[str, Any]] = {
    "landing_page.html": {**COMMON, "process": True, "jobs": True, "tile": True, "stac-collection": True},
    "exception.html": {"code": HOSTILE, "description": HOSTILE},
    "conformance.html": {"conformsTo": [HOSTILE]},
    "collections/index.html": {**COMMON, "collections": [{**COMMON, "itemType": "feature"}]},
    "collections/collection.html": {
        **COMMON,
        "itemType": "feature",
        "itemCount": 12345,
        "updated": HOSTILE,
        "crs": [HOSTILE, "http://www.opengis.net/def/crs/EPSG/0/4490"],
        "storageCrs": HOSTILE,
        "extent": {"spatial": {"bbox": [[126.1, 43.1, 127.2, 44.2]]}, "temporal": {"interval": [[HOSTILE, None]]}},
        "parameter_names": {
            "a": {"id": HOSTILE, "observedProperty": {"label": {"en": HOSTILE}}, "unit": {"symbol": {"value": HOSTILE}}}
        },
        "data_queries": {HOSTILE: {"link": {"href": f"{HOME}/collections/parcels/position"}}},
    },
    "collections/schema.html": {**COMMON, "properties": FIELDS},
    "collections/queryables.html": {**COMMON, "properties": FIELDS},
    "collections/items/index.html": {
        **COMMON,
        "features": [FEATURE],
        "numberMatched": 12345,
        "offset": 10,
        "id_field": "id",
    },
    "collections/items/item.html": {**COMMON, **FEATURE, "links": LINKS, "id_field": "id"},
    "collections/tiles/index.html": {
        **COMMON,
        "tilesets": [HOSTILE],
        "minzoom": 0,
        "maxzoom": 14,
        "tile_type": "vector",
    },
    "collections/tiles/metadata.html": {**COMMON, "tileset": HOSTILE, "metadata": {HOSTILE: HOSTILE}},
    "collections/map/metadata.html": {**COMMON, "extent": {HOSTILE: [1, 2]}},
    "collections/coverage/index.html": {
        **COMMON,
        "query_path": PATHS["items_path"],
        "parameters": {HOSTILE: {}},
        "ranges": {HOSTILE: {"shape": [2, 3]}},
    },
    "collections/edr/query.html": {
        **COMMON,
        "query_path": PATHS["items_path"],
        "query_type": HOSTILE,
        "features": [FEATURE],
    },
    "collections/edr/instances.html": {**COMMON, "instances": [{"id": HOSTILE}]},
    "collections/edr/instance.html": {**COMMON, "data_queries": {HOSTILE: {"link": {"href": HOSTILE}}}},
    "processes/index.html": {**COMMON, "processes": [COMMON]},
    "processes/process.html": {
        **COMMON,
        "inputs": {HOSTILE: INPUT},
        "outputs": {HOSTILE: INPUT},
        "example": {"inputs": {HOSTILE: HOSTILE}},
        "jobControlOptions": ["sync-execute"],
    },
    "jobs/index.html": {"jobs": {"jobs": [JOB], "links": LINKS}, "offset": 10, "now": JOB["started"]},
    "jobs/job.html": {"jobs": JOB, "now": JOB["started"]},
    "jobs/results/index.html": {"job": {"id": "1"}, "result": {HOSTILE: HOSTILE}},
    "openapi/swagger.html": {"openapi-document-path": f"{HOME}/openapi"},
    "openapi/redoc.html": {"openapi-document-path": f"{HOME}/openapi"},
    "asyncapi.html": {"asyncapi-document-path": f"{HOME}/asyncapi"},
    "stac/catalog.html": {**COMMON, "path": "a/b", "type": "Catalog"},
    "stac/collection.html": {**COMMON, "stac_version": "1.0.0"},
    "stac/collection_base.html": {
        **COMMON,
        "path": "a/b",
        "extent": {HOSTILE: HOSTILE},
        "assets": {"a": {"href": HOSTILE, "file:size": 5}},
    },
    "stac/item.html": {**COMMON, "path": "a/b", "properties": {HOSTILE: HOSTILE}, "assets": {}},
    "collections/quality.html": {
        "dataset": HOSTILE,
        "title": HOSTILE,
        "profile": HOSTILE,
        "checked": "2026-01-01T00:00:00Z",
        "current": False,
        "rules": [
            {
                "id": HOSTILE,
                "severity": "error",
                "clause": HOSTILE,
                "title": HOSTILE,
                "count": 1,
                "accepted": True,
                "ids": [HOSTILE],
            }
        ],
        "links": [{"rel": "items", "type": "application/geo+json", "href": HOSTILE, "title": HOSTILE}],
    },
    "qgis.html": {
        "links": LINKS,
        "collections": [{"id": "parcels", "title": HOSTILE}],
        "tiles": {"xyz": HOSTILE, "style": HOSTILE, "most": HOSTILE},
        "chosen": HOSTILE,
        "language": HOSTILE,
        "problem": HOSTILE,
        "report": REPORT,
    },
    "history/life.html": {
        **HISTORY,
        "asked": {"key": HOSTILE},
        "more": True,
        "versions": [
            {
                "id": HOSTILE,
                "properties": {"valid_from": HOSTILE, "valid_to": HOSTILE, HOSTILE: HOSTILE},
                "predecessors": [{"id": HOSTILE, "area": 1.5}],
                "successors": [{"id": HOSTILE, "area": None}],
            }
        ],
    },
    "history/amendments.html": {**HISTORY, "amendments": [AMENDMENT]},
    "history/amendment.html": {
        **HISTORY,
        "amendment": AMENDMENT
        | {
            "report": {
                "findings": [{"rule": HOSTILE, "text": {"en": HOSTILE, "zh": HOSTILE}}],
                "balance": {
                    "districts": [
                        {
                            "code": HOSTILE,
                            "before": 1.5,
                            "after": 1.5,
                            "classes": [{"class": HOSTILE, "before": 1.5, "lost": 0, "gained": 0, "after": 1.5}],
                        }
                    ],
                    "transitions": [{"village": HOSTILE, "from": HOSTILE, "to": HOSTILE, "pieces": 1, "area": 1.5}],
                },
            }
        },
    },
    "tiles/sets.html": {
        "title": HOSTILE,
        "here": f"{HOME}/tiles",
        "map": f"{HOME}/map",
        "xyz": HOSTILE,
        "tilejson": HOSTILE,
        "style": HOSTILE,
        "tilesets": [{"tileMatrixSetId": HOSTILE, "crs": HOSTILE}],
        "links": LINKS,
    },
    "tiles/set.html": {
        **COMMON,
        "crs": HOSTILE,
        "tileMatrixSetId": HOSTILE,
        "tileMatrixSetLimits": [],
        "links": [
            *LINKS,
            {"rel": "tiling-scheme", "href": HOSTILE},
            {"rel": "item", "href": HOSTILE, "templated": True},
        ],
        "layers": [{"id": HOSTILE, "title": HOSTILE, "propertiesSchema": {"properties": {HOSTILE: {}}}}],
    },
    "tiles/matrix_sets.html": {"tileMatrixSets": [{"id": HOSTILE, "title": HOSTILE, "crs": HOSTILE}], "links": LINKS},
    "tiles/matrix_set.html": {
        "id": HOSTILE,
        "crs": HOSTILE,
        "uri": HOSTILE,
        "orderedAxes": [HOSTILE],
        "tileMatrices": [
            {"id": HOSTILE, "scaleDenominator": 1.5, "cellSize": 0.5, "matrixWidth": 1, "matrixHeight": 1}
        ],
    },
    "tilematrixsets/index.html": {"tileMatrixSets": [{"id": "a", "title": HOSTILE}]},
    "tilematrixsets/tilematrixset.html": {
        "id": HOSTILE,
        "crs": HOSTILE,
        "uri": HOSTILE,
        "wellKnownScaleSet": HOSTILE,
        "tileMatrices": [],
    },
}


_BOTH = {"zh": HOSTILE, "en": HOSTILE}
_LISTED = {"id": HOSTILE, "title": _BOTH, "standard": HOSTILE, "edition": HOSTILE, "valid": [HOSTILE, None]}
_CODE = {"scheme": HOSTILE, "code": HOSTILE, "name": _BOTH, "color": HOSTILE, "confidence": "human", "note": _BOTH}
_CODES: dict[str, Any] = {
    "codelists/codelists.html": {
        "codelists": [_LISTED | {"confidence": "high", "count": 1, "href": HOSTILE}],
        "links": LINKS,
    },
    "codelists/codelist.html": _LISTED
    | {
        "confidence": "high",
        "colors": _BOTH,
        "note": _BOTH,
        "links": [*LINKS, {"rel": "related", "title": HOSTILE, "href": HOSTILE}],
        "codes": [
            _CODE
            | {"parent": None, "level": 1, "assignable": False, "valid": [HOSTILE, None], "confidence": "low"}
            | {HOSTILE: HOSTILE}
        ],
    },
    "codelists/crosswalks.html": {"crosswalks": [{"id": HOSTILE, "title": _BOTH}], "links": LINKS},
    "codelists/crosswalk.html": {
        **_LISTED,
        "note": _BOTH,
        "from": HOSTILE,
        "to": HOSTILE,
        "matches": [{"from": _CODE, "to": None, "confidence": "human", "candidates": [_CODE]}],
        "links": LINKS,
    },
}
DATA |= _CODES


def render(template: str, language: str) -> str:
    """Render a page exactly as the host does."""
    util = importlib.import_module("pygeoapi.util")
    importlib.import_module("pygeoapi.l10n")._cfg_cache.clear()
    config = deepcopy(CONFIG)
    page: str = util.render_j2_template(
        config, config["server"]["templates"], template, deepcopy(DATA[template]), Locale(language)
    )
    return page


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(WEB)))
def test_no_file_fetches_from_elsewhere(path: Path) -> None:
    assert FETCHED.findall(path.read_text()) == []


def test_every_page_of_the_host_that_fetches_from_elsewhere_is_replaced() -> None:
    theirs = [path.relative_to(PYGEOAPI) for path in PYGEOAPI.rglob("*.html") if FETCHED.search(path.read_text())]
    assert len(theirs) > 5
    assert [path for path in theirs if not (WEB / "templates" / path).exists()] == []


def test_every_page_we_replace_is_tried_here() -> None:
    pages = {
        str(path.relative_to(WEB / "templates"))
        for path in (WEB / "templates").rglob("*.html")
        if not path.name.startswith("_")
    }
    assert pages - set(DATA) == {"map.html"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("template", DATA)
def test_what_a_data_set_says_of_itself_is_never_markup(template: str, language: str) -> None:
    page = render(template, language)
    assert "<script>alert" not in page
    assert "javascript:alert" not in re.sub(r">[^<]*<", "><", page)  # as text it does no harm
    assert f'<html lang="{language}">' in page
    assert 'href="/ogc/static/chengtu.css"' in page


@pytest.mark.parametrize("template", DATA)
def test_every_page_has_the_words_of_both_languages(template: str) -> None:
    def words(page: str) -> set[str]:
        return set(re.findall(r"[\u4e00-\u9fff]+", re.sub(r"<[^>]*>", " ", page)))

    chinese, english = words(render(template, "zh")), words(render(template, "en"))
    assert {"数据集", "地图", "首页"} & chinese
    assert english <= {"中文", "城市", "出错了"}
