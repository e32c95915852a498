"""A file that QGIS takes its vector-tile connections from: the city's, and one a data set."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from core.catalogue import Dataset
from core.language import Language
from tiles.layer import MAX_ZOOM


def vector_tile_connections(service: str, datasets: Iterable[Dataset], base: str, language: Language) -> bytes:
    """What QGIS itself writes and reads (its class QgsManageConnectionsDialog)."""
    root = Element("qgsVectorTileConnections", version="1.0")
    _add(root, service, f"{base}/xyz", f"{base}/style.json?lang={language}")
    for one in datasets:
        if one.extent is not None:
            style = f"{base}/collections/{one.id}/style.json?lang={language}"
            _add(root, f"{service}: {one.title.in_(language)}", f"{base}/xyz/{one.id}", style)
    body: bytes = tostring(root, encoding="utf-8")
    return b"<!DOCTYPE connections>\n" + body


def _add(root: Element, name: str, tiles: str, style: str) -> None:
    """A connection; QGIS 3.22 opens no layer by its style alone, so both addresses are given."""
    SubElement(
        root,
        "vectortile",
        name=name,
        url=f"{tiles}/{{z}}/{{x}}/{{y}}.mvt",
        styleUrl=style,
        zmin="0",
        zmax=str(MAX_ZOOM),
        serviceType="generic",
        authcfg="",
        username="",
        password="",
        referer="",
    )
