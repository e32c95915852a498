"""A vector-tile layer as QGIS opens and draws it, without its window: test_qgis_tiles.py runs this under QGIS's own Python.

QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/acceptance/qgis_tiles_session.py TILES STYLE PICTURE.png
"""

import sys
from urllib.parse import quote

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize

PLACE = QgsRectangle(126.5050, 43.7900, 126.5150, 43.7970)  # some of the parcels


def draw(tiles: str, style: str, picture: str) -> None:
    """Open the tiles with their style, and draw a part of the city."""
    uri = f"type=xyz&url={quote(tiles, safe='')}&styleUrl={quote(style, safe='')}&zmin=0&zmax=18"
    layer = QgsVectorTileLayer(uri, "tiles")
    if not layer.isValid() or not layer.loadDefaultStyle()[1]:
        sys.exit("QGIS does not open the layer")
    settings = QgsMapSettings()
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    move = QgsCoordinateTransform(degrees, settings.destinationCrs(), QgsProject.instance())
    settings.setExtent(move.transformBoundingBox(PLACE))
    settings.setLayers([layer])
    settings.setOutputSize(QSize(900, 700))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    draw(*sys.argv[1:])
