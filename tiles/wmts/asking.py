"""What a WMTS client asks for, by parameters or by address, and what is wrong with it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from core.errors import ChengtuError
from core.language import Text
from tiles.matrix import Tile
from tiles.wmts.sets import WmtsSet

VERSION: Final = "1.0.0"
STYLE: Final = "default"


class Form(NamedTuple):
    """A format of tiles, and how addresses of it end."""

    media: str
    ending: str


MVT: Final = Form("application/vnd.mapbox-vector-tile", "mvt")
FORMS: Final = (MVT,)  # a renderer of pictures is one more
_ANY = ("", "tiles")  # Tianditu's clients name no format
_OTHER_NAMES = {"application/x-protobuf": MVT, "mvt": MVT, "pbf": MVT}


class WmtsError(ChengtuError):
    """What is reported as an ows:Exception, with the parameter that it is about."""

    locator: ClassVar[str | None] = None

    @property
    def where(self) -> str | None:
        """The parameter to mend."""
        named = self.facts.get("name")
        return str(named) if named else self.locator


class Missing(WmtsError):
    """A parameter that must be given."""

    en = "The parameter {name} is missing."
    zh = "缺少参数 {name}。"
    code = "MissingParameterValue"
    status = 400


class Twice(WmtsError):
    """A parameter that is given more than once."""

    en = "The parameter {name} is given more than once. Give it once."
    zh = "参数 {name} 重复出现,请只给出一次。"
    code = "InvalidParameterValue"
    status = 400


class Invalid(WmtsError):
    """A value that a parameter cannot have."""

    en = "{name}={value} is not offered. Offered are: {known}."
    zh = "不提供 {name}={value}。可用:{known}。"
    code = "InvalidParameterValue"
    status = 400


class NoPictures(WmtsError):
    """A picture, where there are only vector tiles."""

    en = (
        "FORMAT={value} is not offered: tiles are vectors here, as {known}. Clients that draw vector tiles (OpenLayers,"
        " MapLibre, QGIS by /xyz) show them; pictures may be offered by a later version."
    )
    zh = (
        "不提供 FORMAT={value}:此处只有矢量瓦片,格式为 {known}。"
        "请使用能绘制矢量瓦片的客户端(OpenLayers、MapLibre、QGIS 经 /xyz);图片瓦片将由后续版本提供。"
    )
    code = "InvalidParameterValue"
    status = 400
    locator = "Format"


class NotSupported(WmtsError):
    """An operation that is not offered."""

    en = "REQUEST={value} is not offered. Offered are: GetCapabilities, GetTile."
    zh = "不支持 REQUEST={value}。可用:GetCapabilities、GetTile。"
    code = "OperationNotSupported"
    status = 501

    @property
    def where(self) -> str:
        """The operation itself (OWS 1.1, table 25)."""
        return str(self.facts["value"])


class WrongVersion(WmtsError):
    """No version of the protocol that we speak."""

    en = "None of the versions {value} is spoken here. Version 1.0.0 is."
    zh = "不支持版本 {value},仅支持 1.0.0。"
    code = "VersionNegotiationFailed"
    status = 400


class OutOfRange(WmtsError):
    """A row or column beyond the matrix."""

    en = "{name}={value} is beyond the matrix {level}, which has {name} from 0 to {last}."
    zh = "{name}={value} 超出矩阵 {level} 的范围(0 至 {last})。"
    code = "TileOutOfRange"
    status = 400


class TileAsked(NamedTuple):
    """A tile that a client asks for, its layer not yet looked up."""

    layer: str
    form: Form
    matrix_set: WmtsSet
    tile: Tile


def read_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters by their names in lower case: names are taken in any case, and unknown ones passed over (6.1 of OWS)."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() in given and name.lower() in _ONCE:
            raise Twice(name=name[:40])
        given[name.lower()] = value
    return given


_OF_TILES = ("layer", "style", "format", "tilematrixset", "tilematrix", "tilerow", "tilecol", "time")
_ONCE = frozenset((*_OF_TILES, "service", "request", "version", "acceptversions"))


def required(given: Mapping[str, str], name: str) -> str:
    """The value of a parameter that must be given; its name is told as the standard writes it."""
    value = given.get(name.lower(), "").strip()
    if not value:
        raise Missing(name=name)
    return value


def check_version(given: Mapping[str, str], *, negotiating: bool) -> None:
    """For capabilities any of several versions will do, for a tile it must be ours; a client may name none."""
    named = given.get("acceptversions" if negotiating else "version", "")
    if not named or VERSION in [one.strip() for one in named.split(",")]:
        return
    if negotiating:
        raise WrongVersion(name="AcceptVersions", value=named[:40])
    raise Invalid(name="VERSION", value=named[:40], known=VERSION)


def read_tile(given: Mapping[str, str], sets: Mapping[str, WmtsSet]) -> TileAsked:
    """The tile that parameters name."""
    layer = required(given, "Layer")
    check_style(given.get("style", ""))
    form = read_form(given.get("format", ""))
    named = required(given, "TileMatrixSet")
    if named not in sets:
        raise Invalid(name="TileMatrixSet", value=named[:60], known=", ".join(sets))
    one = sets[named]
    level = _level(required(given, "TileMatrix"), one)
    matrix = one.matrix(level)
    row = _place(required(given, "TileRow"), "TileRow", matrix.rows, level)
    column = _place(required(given, "TileCol"), "TileCol", matrix.columns, level)
    return TileAsked(layer, form, one, Tile(one.z(level), column, row))


def check_style(style: str) -> None:
    """There is one."""
    if style not in ("", STYLE):
        raise Invalid(name="Style", value=style[:60], known=STYLE)


def read_form(named: str, forms: Sequence[Form] = FORMS) -> Form:
    """The format of this name."""
    if named.lower() in _ANY:
        return forms[0]
    by_name = _OTHER_NAMES | {one.media: one for one in forms}
    if form := by_name.get(named.lower()):
        return form
    known = ", ".join(one.media for one in forms)
    if named.lower().startswith("image/") or named.lower() in ("png", "jpg", "jpeg", "gif", "webp"):
        raise NoPictures(value=named[:60], known=known)
    raise Invalid(name="Format", value=named[:60], known=known)


def _level(named: str, one: WmtsSet) -> int:
    level = _whole(named)
    if level not in one.levels:
        known = Text(f"{one.levels[0]} to {one.levels[-1]}", f"{one.levels[0]} 至 {one.levels[-1]}")
        raise Invalid(name="TileMatrix", value=named[:20], known=known)
    return level


def _place(named: str, name: str, count: int, level: int) -> int:
    place = _whole(named)
    if place is None:
        raise Invalid(name=name, value=named[:20], known=f"0 … {count - 1}")
    if place >= count:
        raise OutOfRange(name=name, value=named[:20], level=level, last=count - 1)
    return place


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
