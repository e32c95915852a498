"""What a person does in QGIS, without its window: test_qgis.py runs this under QGIS's own Python, which is not ours.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/acceptance/qgis_session.py URL PICTURE.png
    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/acceptance/qgis_session.py URL  # the layer of many pages

Writes what was seen to standard output, as one JSON object.
"""

import json
import sys
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsFeatureRequest,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsMarkerSymbol,
    QgsNetworkAccessManager,
    QgsPalLayerSettings,
    QgsRectangle,
    QgsSingleSymbolRenderer,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QFont

CORNER = QgsRectangle(126.5050, 43.7900, 126.5100, 43.7950)  # some of the parcels
WHOLE = QgsRectangle(126.490, 43.780, 126.585, 43.866)  # all that is drawn
SIZE = QSize(900, 890)
SYMBOLS = {
    "places": QgsMarkerSymbol.createSimple({"color": "#b3261e", "outline_color": "white", "size": "4"}),
    "roads": QgsLineSymbol.createSimple({"color": "#3b5b92", "width": "0.9"}),
    "parcels": QgsFillSymbol.createSimple({"color": "#e8c96a", "outline_color": "#8a6d1a", "outline_width": "0.1"}),
}


def session(url: str, picture: str) -> dict[str, Any]:
    """Open, count, read, look at a corner, and draw."""
    asked: list[str] = []
    QgsNetworkAccessManager.setRequestPreprocessor(lambda request: asked.append(request.url().toString()))

    parcels = opened(url, "parcels")
    read = [feature.attributes() for feature in parcels.getFeatures()]
    requests = [*asked]
    asked.clear()
    cut = opened(url, "parcels", restrictToRequestBBOX="1")
    corner = [feature["parcel_no"] for feature in cut.getFeatures(QgsFeatureRequest(CORNER))]
    corner_requests = [*asked]

    since = later(url, "2024-12-30T00:00:00Z")

    layers = {"places": opened(url, "places"), "roads": opened(url, "roads"), "parcels": parcels}
    draw(layers, picture)
    return {
        "version": Qgis.QGIS_VERSION,
        "layers": {name: described(layer) for name, layer in layers.items()},
        "read": len(read),
        "requests": requests,
        "parcel": one(parcels, "parcel_no = 77"),
        "place": one(layers["places"], "name = '市中心'"),
        "corner": corner,
        "corner_requests": corner_requests,
        "since": since,
    }


def pages(url: str) -> dict[str, Any]:
    """Read a layer of many pages, whole, in a box, and in time."""
    asked: list[str] = []
    QgsNetworkAccessManager.setRequestPreprocessor(lambda request: asked.append(request.url().toString()))
    seen = {}
    buildings = opened(url, "buildings")
    seen["layer"] = described(buildings)
    seen["names"] = [feature["name"] for feature in buildings.getFeatures()]
    seen["requests"] = [*asked]

    asked.clear()
    cut = opened(url, "buildings", restrictToRequestBBOX="1")
    boxes = [QgsRectangle(126.0005 + n / 100, 43.0005, 126.0105 + n / 100, 43.0105) for n in range(3)]
    seen["boxes"] = [[feature["name"] for feature in cut.getFeatures(QgsFeatureRequest(box))] for box in boxes]
    seen["box_requests"] = [*asked]
    return seen


def later(url: str, since: str) -> dict[str, Any]:
    """The parcels surveyed since a moment, by a filter on the layer."""
    asked: list[str] = []
    QgsNetworkAccessManager.setRequestPreprocessor(lambda request: asked.append(request.url().toString()))
    parcels = opened(url, "parcels")
    accepted = parcels.setSubsetString(f"\"surveyed\" >= '{since}'")
    return {
        "accepted": accepted,
        "found": [feature["parcel_no"] for feature in parcels.getFeatures()],
        "requests": [*asked],
    }


def opened(url: str, name: str, **more: str) -> Any:
    """A layer as the dialogue "Add WFS / OGC API - Features layer" makes it."""
    parts = {"url": url, "typename": name, **more}
    return QgsVectorLayer(" ".join(f"{key}='{value}'" for key, value in parts.items()), name, "OAPIF")


def described(layer: Any) -> dict[str, Any]:
    return {
        "valid": layer.isValid(),
        "count": layer.featureCount(),
        "crs": layer.crs().authid(),
        "geometry": layer.wkbType(),
        "fields": {field.name(): field.typeName() for field in layer.fields()},
    }


def one(layer: Any, expression: str) -> dict[str, Any]:
    """The attributes and the centre of the one feature that an expression finds."""
    (feature,) = layer.getFeatures(expression)
    centre = feature.geometry().centroid().asPoint()
    attributes = {name: plain(feature[name]) for name in layer.fields().names()}
    return attributes | {"centre": [centre.x(), centre.y()]}


def plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else None if value is None else str(value)


def draw(layers: dict[str, Any], picture: str) -> None:
    for name, layer in layers.items():
        layer.setRenderer(QgsSingleSymbolRenderer(SYMBOLS[name]))
    label(layers["places"], "name")
    settings = QgsMapSettings()
    settings.setLayers(list(layers.values()))
    settings.setBackgroundColor(QColor("white"))
    settings.setOutputSize(SIZE)
    settings.setExtent(WHOLE)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)


def label(layer: Any, field: str) -> None:
    text = QgsTextFormat()
    text.setFont(QFont("Noto Sans CJK SC"))
    text.setSize(13)
    settings = QgsPalLayerSettings()
    settings.fieldName = field
    settings.dist = 1.5
    settings.setFormat(text)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    json.dump((session if sys.argv[2:] else pages)(*sys.argv[1:]), sys.stdout, ensure_ascii=False)
    sys.stdout.flush()
    application.exitQgis()
