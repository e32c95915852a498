"""A survey in QGIS with the style that the service has for it: test_qgis_codes.py runs this under QGIS's own Python.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/acceptance/qgis_codes_session.py URL COLLECTION FOLDER

Draws FOLDER/map.png and writes what was seen to standard output, as one JSON object.
"""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsFeature,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsVectorLayer,
)
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QComboBox


def session(url: str, collection: str, folder: str) -> dict[str, Any]:
    """Open the collection, load its style in Chinese, draw it, and look at table and form; then in English."""
    layer = QgsVectorLayer(f"url='{url}' typename='{collection}'", collection, "OAPIF")
    seen = {"version": Qgis.QGIS_VERSION, "valid": layer.isValid(), "count": layer.featureCount()}
    for language in ("en", "zh"):
        message, loaded = layer.loadNamedStyle(styled(url, collection, folder, language))
        seen[language] = {"loaded": loaded, "message": message, **look(layer)}
    draw(layer, str(Path(folder) / "map.png"))
    return seen | {"colours": colours(layer)}


def styled(url: str, collection: str, folder: str, language: str) -> str:
    """The style as a file: QGIS loads it from no address."""
    path = str(Path(folder) / f"{language}.qml")
    urllib.request.urlretrieve(f"{url}/collections/{collection}/style.qml?lang={language}", path)
    return path


def look(layer: Any) -> dict[str, Any]:
    """What the legend, the head of the table, a cell of it, and the form show."""
    fields = layer.fields()
    (feature,) = [one for one in layer.getFeatures() if one["DLBM"] == "0101"]
    return {
        "renderer": layer.renderer().type(),
        "legend": [one.label() for one in layer.renderer().categories()],
        "aliases": {field.name(): layer.attributeAlias(place) for place, field in enumerate(fields)},
        "cell": cell(layer, feature, "DLBM"),
        "owner": cell(layer, feature, "QSXZ"),
        "form": form(layer, feature, "DLBM"),
    }


def cell(layer: Any, feature: QgsFeature, name: str) -> str:
    """What the attribute table writes for a value."""
    place = layer.fields().indexOf(name)
    setup = layer.editorWidgetSetup(place)
    formatter = QgsApplication.fieldFormatterRegistry().fieldFormatter(setup.type())
    return str(formatter.representValue(layer, place, setup.config(), None, feature[name]))


def form(layer: Any, feature: QgsFeature, name: str) -> list[str]:
    """What the form has chosen for a value, and how many there are to choose from."""
    place = layer.fields().indexOf(name)
    setup = layer.editorWidgetSetup(place)
    wrapper = QgsGui.editorWidgetRegistry().create(layer, place, None, None)
    wrapper.setFeature(feature)
    box = wrapper.widget()
    assert isinstance(box, QComboBox), setup.type()
    return [box.currentText(), str(box.count())]


def colours(layer: Any) -> dict[str, str]:
    return {str(one.value()): one.symbol().color().name() for one in layer.renderer().categories()}


def draw(layer: Any, picture: str) -> None:
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setBackgroundColor(QColor("white"))
    settings.setOutputSize(QSize(600, 600))
    extent = layer.extent()
    extent.scale(1.1)
    settings.setExtent(extent)
    settings.setDestinationCrs(layer.crs())
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)


if __name__ == "__main__":
    application = QgsApplication([], True)
    application.initQgis()
    QgsGui.editorWidgetRegistry().initEditors()
    json.dump(session(*sys.argv[1:]), sys.stdout, ensure_ascii=False)
    sys.stdout.flush()
    application.exitQgis()
