"""The capabilities of WMTS, and its reports of errors, as XML."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element

from core.catalogue import BBox
from core.language import Language
from tiles.layer import MAX_ZOOM
from tiles.matrix import axes_swapped
from tiles.wmts.asking import FORMS, STYLE, VERSION, WmtsError
from tiles.wmts.sets import WmtsSet, urn
from tiles.wmts.xml import add, root, written


class About(NamedTuple):
    """What the service says of itself, in the language of the request."""

    title: str
    abstract: str
    keywords: Sequence[str]
    licence: str
    provider: str
    site: str | None
    contact: str
    email: str | None
    url: str  # of the service, without /wmts
    language: Language


class WmtsLayer(NamedTuple):
    """A layer as the capabilities tell of it."""

    id: str
    title: str
    abstract: str
    keywords: Sequence[str]
    extent: BBox
    interval: tuple[datetime, datetime] | None


def capabilities(about: About, layers: Iterable[WmtsLayer], sets: Sequence[WmtsSet]) -> bytes:
    """The whole document (OGC 07-057r7, 7.1.1)."""
    document = root("Capabilities", {"version": VERSION})
    _identification(document, about)
    _provider(document, about)
    operations = add(document, "ows:OperationsMetadata")
    for name in ("GetCapabilities", "GetTile"):
        _operation(operations, name, about.url)
    contents = add(document, "Contents")
    for layer in layers:
        _layer(contents, layer, sets, about)
    for one in sets:
        _matrix_set(contents, one, about.language)
    add(document, "ServiceMetadataURL", href=f"{about.url}/wmts/{VERSION}/WMTSCapabilities.xml")
    return written(document)


def report(error: WmtsError | None, code: str, message: str, language: Language) -> bytes:
    """An error (OWS 1.1, 8)."""
    document = root("ows:ExceptionReport", {"version": "1.1.0", "lang": language})
    where = error.where if error is not None else None
    exception = add(document, "ows:Exception", exceptionCode=code, **({"locator": where} if where else {}))
    add(exception, "ows:ExceptionText", message)
    return written(document)


def _identification(document: Element, about: About) -> None:
    here = add(document, "ows:ServiceIdentification")
    _described(here, about.title, about.abstract, about.keywords, about.language)
    add(here, "ows:ServiceType", "OGC WMTS")
    add(here, "ows:ServiceTypeVersion", VERSION)
    add(here, "ows:Fees", "NONE")
    add(here, "ows:AccessConstraints", about.licence)


def _described(parent: Element, title: str, abstract: str, keywords: Sequence[str], language: Language) -> None:
    add(parent, "ows:Title", title, lang=language)
    if abstract:
        add(parent, "ows:Abstract", abstract, lang=language)
    if keywords:
        list_ = add(parent, "ows:Keywords")
        for one in keywords:
            add(list_, "ows:Keyword", one, lang=language)


def _provider(document: Element, about: About) -> None:
    here = add(document, "ows:ServiceProvider")
    add(here, "ows:ProviderName", about.provider)
    if about.site:
        add(here, "ows:ProviderSite", href=about.site)
    contact = add(here, "ows:ServiceContact")
    add(contact, "ows:IndividualName", about.contact)
    if about.email:
        address = add(add(contact, "ows:ContactInfo"), "ows:Address")
        add(address, "ows:ElectronicMailAddress", about.email)


def _operation(parent: Element, name: str, url: str) -> None:
    http = add(add(add(parent, "ows:Operation", name=name), "ows:DCP"), "ows:HTTP")
    for encoding, address in (("KVP", f"{url}/wmts?"), ("RESTful", f"{url}/wmts/{VERSION}/")):
        get = add(http, "ows:Get", href=address)
        allowed = add(add(get, "ows:Constraint", name="GetEncoding"), "ows:AllowedValues")
        add(allowed, "ows:Value", encoding)


def _layer(contents: Element, layer: WmtsLayer, sets: Sequence[WmtsSet], about: About) -> None:
    here = add(contents, "Layer")
    _described(here, layer.title, layer.abstract, layer.keywords, about.language)
    _boxes(here, layer, sets)
    style = add(here, "Style", isDefault="true")
    add(style, "ows:Identifier", STYLE)
    for form in FORMS:
        add(here, "Format", form.media)
    if layer.interval is not None:
        _time(here, layer.interval)
    for one in sets:
        _link(here, one, layer.extent)
    for form in FORMS:
        template = f"{about.url}/wmts/{VERSION}/{layer.id}/{{style}}/{{TileMatrixSet}}/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.{form.ending}"
        add(here, "ResourceURL", format=form.media, resourceType="tile", template=template)


def _boxes(here: Element, layer: WmtsLayer, sets: Sequence[WmtsSet]) -> None:
    """In degrees, and in the CRSs of the sets with the axis order of each."""
    west, south, east, north = layer.extent
    if west > east:
        west, east = -180, 180
    degrees = add(here, "ows:WGS84BoundingBox")
    add(degrees, "ows:LowerCorner", f"{_number(west)} {_number(south)}")
    add(degrees, "ows:UpperCorner", f"{_number(east)} {_number(north)}")
    add(here, "ows:Identifier", layer.id)
    for one in {one.matrix_set.srid: one for one in sets}.values():
        left, bottom, right, top = one.matrix_set.reach(layer.extent)
        box = add(here, "ows:BoundingBox", crs=urn(one.matrix_set.srid))
        add(box, "ows:LowerCorner", _pair(left, bottom, one))
        add(box, "ows:UpperCorner", _pair(right, top, one))


def _time(here: Element, interval: tuple[datetime, datetime]) -> None:
    """All times, unless a client names others: an instant or an interval, as OGC APIs have it in `datetime`."""
    whole = "/".join(one.isoformat().replace("+00:00", "Z") for one in interval)
    dimension = add(here, "Dimension")
    add(dimension, "ows:Identifier", "Time")
    add(dimension, "ows:UOM", "ISO8601")
    add(dimension, "Default", whole)
    add(dimension, "Value", whole)


def _link(here: Element, one: WmtsSet, extent: BBox) -> None:
    link = add(here, "TileMatrixSetLink")
    add(link, "TileMatrixSet", one.id)
    all_limits = add(link, "TileMatrixSetLimits")
    zooms = [one.z(level) for level in one.levels if one.matrix_set.mercator_zoom(one.z(level)) <= MAX_ZOOM]
    for limits in one.matrix_set.limits(extent, zooms):
        here_ = add(all_limits, "TileMatrixLimits")
        add(here_, "TileMatrix", str(limits.z + one.ahead))
        for name, value in zip(
            ("MinTileRow", "MaxTileRow", "MinTileCol", "MaxTileCol"), (*limits.rows, *limits.columns), strict=True
        ):
            add(here_, name, str(value))


def _matrix_set(contents: Element, one: WmtsSet, language: Language) -> None:
    here = add(contents, "TileMatrixSet")
    add(here, "ows:Title", one.title.in_(language), lang=language)
    add(here, "ows:Identifier", one.id)
    add(here, "ows:SupportedCRS", urn(one.matrix_set.srid))
    for level in one.levels:
        matrix = one.matrix(level)
        one_matrix = add(here, "TileMatrix")
        add(one_matrix, "ows:Identifier", str(level))
        add(one_matrix, "ScaleDenominator", _number(one.scale(level)))
        add(one_matrix, "TopLeftCorner", _pair(matrix.west, matrix.north, one))
        add(one_matrix, "TileWidth", str(round(matrix.width / matrix.cell)))
        add(one_matrix, "TileHeight", str(round(matrix.height / matrix.cell)))
        add(one_matrix, "MatrixWidth", str(matrix.columns))
        add(one_matrix, "MatrixHeight", str(matrix.rows))


def _pair(x: float, y: float, one: WmtsSet) -> str:
    """A place in the axis order of the set's CRS."""
    first, second = (y, x) if axes_swapped(one.matrix_set) else (x, y)
    return f"{_number(first)} {_number(second)}"


def _number(value: float) -> str:
    return f"{value:.15g}"
