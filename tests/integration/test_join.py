"""A table without geometry finds its places, by code or name or address, and becomes a data set like any other."""

import csv
import itertools
import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import psycopg
import pyogrio
import pytest
import shapely
from click.testing import CliRunner
from psycopg.rows import dict_row

from core.catalogue import Dataset, get_dataset
from core.database import connect
from core.errors import ChengtuError, NoSuchDataset
from core.settings import ROOT, Settings
from data.sample.divisions import find_city
from loaders import Described, Options, load
from loaders.tables import JoinOptions, JoinRefused, JoinReport, Pair, join
from loaders.tables.errors import (
    ManyTables,
    MergedValues,
    NoTable,
    NothingFits,
    NoYear,
    SeveralFit,
    SeveralRows,
    UnclearHeader,
    UnsavedFormulas,
    WhichYear,
)
from loaders.tables.joining import OntoItself
from server.commands.join import join as join_command
from tests.conftest import _database
from tests.integration.test_cli import Shell

ELSEWHERE = {  # squares are enough for these
    "110101": ("东城区", "北京市"),
    "110102": ("西城区", "北京市"),
    "320106": ("鼓楼区", "南京市"),
    "320302": ("鼓楼区", "徐州市"),
    "330102": ("上城区", "杭州市"),
    "330110": ("余杭区", "杭州市"),
    "330113": ("临平区", "杭州市"),
    "330114": ("钱塘区", "杭州市"),
}
ADDRESSES = ["吉林市昌邑区文化路12号", "吉林市昌邑区文化路14号", "吉林市丰满区文化路14号", "吉林市船营区解放大路1号"]

type Join = Callable[..., JoinReport]
_ids = itertools.count(1)


@pytest.fixture(scope="module")
def places(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with districts (real ones of Jilin, and squares), parcels and addresses."""
    folder = tmp_path_factory.mktemp("places")
    jilin = find_city("220200").districts
    squares = [shapely.box(x, 30, x + 0.5, 30.5) for x in range(len(ELSEWHERE))]
    districts = gpd.GeoDataFrame(
        {
            "code": [*jilin.codes, *ELSEWHERE],
            "gb": [f"156{code}" for code in (*jilin.codes, *ELSEWHERE)],
            "name": [*jilin.names, *(name for name, _ in ELSEWHERE.values())],
            "city": ["吉林市"] * len(jilin.codes) + [city for _, city in ELSEWHERE.values()],
        },
        geometry=[*jilin.shapes, *squares],
        crs=4490,
    )
    corners = [shapely.Point(126.5 + n / 100, 43.8) for n in range(len(ADDRESSES))]
    addresses = gpd.GeoDataFrame({"address": ADDRESSES, "n": range(len(ADDRESSES))}, geometry=corners, crs=4490)
    parcels = gpd.GeoDataFrame(
        {"no": ["00101", "00102", "00103"], "count": [101, 102, 103]},
        geometry=[shapely.box(n, 0, n + 1, 1, ccw=False) for n in range(3)],
        crs=4551,
    )
    parcels["geometry"] = parcels.translate(540_000, 4_850_000)
    with _database(server_dsn, "chengtu_places", template) as dsn:
        for id_, frame, key in (
            ("districts", districts, "code"),
            ("addresses", addresses, None),
            ("parcels", parcels, "no"),
        ):
            frame.to_file(folder / f"{id_}.gpkg")
            load(folder / f"{id_}.gpkg", dsn, Options(key=key), scratch=folder, archive_limit=10**9)
        yield dsn


@pytest.fixture
def join_it(places: str, tmp_path: Path) -> Join:
    """Join a file: join_it(path, to="districts", on="代码=code", title_zh=...), under an id of its own."""

    def run(path: Path, **given: Any) -> JoinReport:
        described = {name: given.pop(name) for name in list(given) if name in Described.__dataclass_fields__}
        for name in ("on", "within"):
            if name in given:
                given[name] = Pair(*given[name].split("="))
        given.setdefault("id", f"table_{next(_ids)}")
        options = JoinOptions(**given, described=Described(**described))
        return join(path, places, options, scratch=tmp_path / "scratch", archive_limit=10**9)

    return run


def rows(dsn: str, id_: str, columns: str = "*") -> list[dict[str, Any]]:
    statement = f"select {columns} from data.{id_} order by 1"
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def described(dsn: str, id_: str) -> Dataset:
    with connect(dsn) as connection:
        return get_dataset(connection, id_)


def text(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join([*lines, ""]), encoding)
    return path


def book(path: Path, *cells: Sequence[object], merged: Sequence[str] = ()) -> Path:
    made = openpyxl.Workbook()
    for row in cells:
        made.active.append(list(row))
    for area in merged:
        made.active.merge_cells(area)
    made.save(path)
    return path


def refused(join_it: Join, path: Path, **options: Any) -> ChengtuError:
    with pytest.raises(ChengtuError) as caught:
        join_it(path, **options)
    assert caught.value.text.zh
    return caught.value


def test_a_workbook_of_a_statistics_office_is_understood(places: str, join_it: Join, tmp_path: Path) -> None:
    path = book(
        tmp_path / "人口.xlsx",
        ["吉林市2024年人口与经济"],
        ["区划代码", "名称", "人口(万人)", None, "GDP/亿元", "城镇化率"],
        [None, None, "男", "女", None, None],
        [220202, "昌邑区", "1.2", 1.5, 100.25, "61.5%"],
        ["220203", "龙潭区", "２", "—", 200, "…"],
        [220204000000, "船营区", 3, 3.5, 300.5, "80%"],
        ["220200", "吉林市", 6.8, 5, 600.75, "70%"],
        ["注:数据来源于统计年鉴"],
        merged=["A1:F1", "A2:A3", "B2:B3", "C2:D2", "E2:E3", "F2:F3"],
    )
    report = join_it(path, id="people_2024", to="districts")
    joined = report.joined
    assert (joined.column, joined.method) == ("区划代码", "code")
    assert joined.reason.en == "3 of 3 different values of 区划代码 are code of districts"
    assert joined.matched == {"exact": 2, "form": 1}
    assert joined.year == "2024"
    assert [(one["text"][:6], one["kind"]) for one in joined.aside] == [("220200", "total"), ("注:数据来源", "note")]
    assert [(one.column, one.stated, one.sum) for one in joined.totals_differing] == [("人口 男(万人)", 6.8, 6.2)]
    assert joined.totals_held == 3
    assert joined.places_without_rows == 14
    dataset = described(places, "people_2024")
    assert (dataset.key, dataset.time, dataset.srid) == ("区划代码", "as_of", 4490)
    assert dataset.title.zh == "吉林市2024年人口与经济"
    assert dataset.description.en.startswith("From 人口.xlsx, statistics of 2024; joined by 区划代码 to release")
    about = {name: (one.title.zh, one.unit) for name, one in dataset.about_fields.items()}
    assert about["人口 女"] == ("人口 女(万人)", "10*4.{person}")
    assert (about["GDP"], about["城镇化率"]) == (("GDP/亿元", "10*8.{CNY}"), ("城镇化率", "%"))
    assert about["place"] == ("所关联地点的主键", None)
    columns = '"区划代码", "人口 男" as men, "人口 女" as women, "GDP" as gdp, "城镇化率" as share, place, as_of::text'
    assert [tuple(one.values()) for one in rows(places, "people_2024", columns)] == [
        ("220202", 1.2, 1.5, 100.25, 61.5, "220202", "2024-12-31"),
        ("220203", 2.0, None, 200.0, None, "220203", "2024-12-31"),
        ("220204000000", 3.0, 3.5, 300.5, 80.0, "220204", "2024-12-31"),
    ]
    same = "select count(*) from data.people_2024 as t join data.districts as d on t.place = d.code and t.geom = d.geom"
    with psycopg.connect(places) as connection:
        assert connection.execute(same).fetchone() == (3,)
    again = join_it(path, id="people_2024", to="districts")
    assert again.datasets[0].outcome == "unchanged"
    assert "totals that agree with the sum: 2 / 3" in again.lines("en")


def test_a_gbk_table_with_titles_and_a_column_of_years_has_a_row_for_each_year(
    places: str, join_it: Join, tmp_path: Path
) -> None:
    lines = ["各区人口统计表(单位:万人)", '名称,年份,常住人口,"户数(户)"', '昌邑区,2022,"1,060.5","12,345"']
    path = text(
        tmp_path / "rk.csv",
        *lines,
        "龙潭 区,2022年,50,1000",
        "合计,2022,1110.5,13345",
        "昌邑,2023,61,１３００",
        encoding="gbk",
    )
    report = join_it(path, id="yearly", to="districts")
    assert report.layers[0].encoding == "GB18030"
    assert (report.joined.method, report.joined.year) == ("name", "2022–2023")
    assert report.joined.matched == {"exact": 1, "form": 1, "suffix": 1}
    assert report.joined.totals_differing == ()
    assert any("unit 万人" in note.en for note in report.layers[0].notes)
    dataset = described(places, "yearly")
    assert dataset.key == "id"
    assert dataset.interval
    assert [one.year for one in dataset.interval] == [2022, 2023]
    found = rows(places, "yearly", 'id, "年份" as year, "常住人口" as n, "户数" as households, place')
    assert [tuple(one.values()) for one in found] == [
        ("昌邑-2023", 2023, 61.0, 1300, "220202"),
        ("昌邑区-2022", 2022, 1060.5, 12345, "220202"),
        ("龙潭 区-2022", 2022, 50.0, 1000, "220203"),
    ]


def test_a_name_that_contradicts_its_code_is_told(join_it: Join, tmp_path: Path) -> None:
    lines = ["代码,名称,n", "220202,昌邑区,1", "220203,船营区,2", "220204,船营,3", "320106,鼓楼区,4", "320302,鼓楼区,5"]
    report = join_it(text(tmp_path / "a.csv", *lines), to="districts")
    assert [(one.row, one.code, one.name) for one in report.joined.contradicting] == [(2, "220203", "船营区")]
    assert "rows whose name contradicts their code, which was followed: 1 (2: 220203 船营区)" in report.lines("en")


def test_totals_are_told_from_places_and_held_by_year(join_it: Join, tmp_path: Path) -> None:
    lines = [
        "年份,区,组,n",
        "2022,昌邑区,合计,3",
        "2022,昌邑区,男,2",
        "2022,龙潭区,合计,4",
        "合计,,,9",
        "2022,全市,合计,8",
    ]
    report = join_it(text(tmp_path / "a.csv", *lines, "2022,平均,,3.5", "2022,小计,,1"), to="districts", by=("组",))
    assert report.datasets[0].rows == 3
    kinds = [(one["row"], one["kind"]) for one in report.joined.aside]
    assert kinds == [(4, "total"), (5, "total"), (6, "subtotal"), (7, "subtotal")]
    assert report.joined.totals_held == 1
    assert [(one.row, one.stated, one.sum) for one in report.joined.totals_differing] == [(5, 8.0, 7.0)]


def test_units_of_another_year_are_followed_and_a_split_is_told(places: str, join_it: Join, tmp_path: Path) -> None:
    lines = ["代码,名称,n", "110101,东城区,1", "110103,崇文区,2", "110104000000,宣武区,3", "330104,江干区,4"]
    path = text(tmp_path / "2008年.csv", *lines)
    error = refused(join_it, path, to="districts")
    assert isinstance(error, JoinRefused)
    (lost,) = error.report.joined.unmatched
    assert (lost.value, lost.why, lost.rows) == ("330104", "split", (4,))
    assert lost.candidates == ("330102 上城区 (2021)", "330114 钱塘区 (2021)")
    assert error.report.joined.changed[0].steps == ("110103 崇文区 -> 110101 东城区 (2010, merged)",)
    own = text(
        tmp_path / "own.csv",
        "old_code,old_name,new_code,new_name,date,kind",
        "330104,江干区,330102,上城区,2021-04-09,merged",
    )
    report = join_it(path, to="districts", id="old", divisions=(own,))
    assert report.joined.matched == {"exact": 1, "changed": 3}
    assert any("110103 崇文区 -> 110101 东城区" in line for line in report.lines("zh"))
    found = rows(places, "old", '"代码", place')
    assert [tuple(one.values()) for one in found] == [
        ("110101", "110101"),
        ("110103", "110101"),
        ("110104000000", "110102"),
        ("330104", "330102"),
    ]


def test_a_name_that_two_places_have_is_not_matched_but_within_its_parent(
    places: str, join_it: Join, tmp_path: Path
) -> None:
    path = text(tmp_path / "a.csv", "市,区,n", "南京,鼓楼区,1", "徐州市,鼓楼,2", "吉林市,丰满区,3")
    error = refused(join_it, path, to="districts", on="区=name", method="name")
    assert isinstance(error, JoinRefused)
    assert [(one.value, one.why, one.candidates) for one in error.report.joined.unmatched] == [
        ("鼓楼区", "ambiguous", ("320106", "320302")),
        ("鼓楼", "ambiguous", ("320106", "320302")),
    ]
    report = join_it(path, to="districts", on="区=name", method="name", within="市=city", id="within")
    assert report.joined.matched == {"exact": 2, "suffix": 1}
    assert [one["id"] for one in rows(places, "within", "id")] == ["南京-鼓楼区", "吉林市-丰满区", "徐州市-鼓楼"]


def test_rows_without_a_place_are_listed_and_go_in_only_when_that_is_accepted(
    places: str, join_it: Join, tmp_path: Path
) -> None:
    path = text(tmp_path / "a.csv", "code,note,n", "220202,x,1", "999999,y,2", ",z,3", "220203,=1+1,4", "220204,,5")
    listed = tmp_path / "unmatched.csv"
    error = refused(join_it, path, to="districts", on="code=code", unmatched=listed, id="lost")
    assert isinstance(error, JoinRefused)
    assert "2 rows have no place in districts, such as 999999, -" in str(error)
    assert "999999 (row 2): no such place" in "\n".join(error.report.lines("en"))
    assert list(csv.reader(listed.read_text("utf-8-sig").splitlines())) == [
        ["row", "why", "code", "note", "n"],
        ["2", "no such place", "999999", "y", "2"],
        ["3", "empty", "", "z", "3"],
    ]
    with pytest.raises(NoSuchDataset):
        described(places, "lost")
    report = join_it(path, to="districts", on="code=code", accept_unmatched=True, id="lost")
    assert report.datasets[0].null_geometries == 2
    keys = rows(places, "lost", "id, code, place, geom is null as placeless")
    assert {tuple(one.values())[:3] for one in keys if one["placeless"]} == {
        ("#3", None, None),
        ("999999", "999999", None),
    }


def test_addresses_are_matched_by_road_and_number(places: str, join_it: Join, tmp_path: Path) -> None:
    lines = ["店名,地址", "甲,文化路１２号", "乙,丰满区文化路14号2单元", "丙,吉林市船营区解放大路1#"]
    path = text(tmp_path / "shops.csv", *lines)
    report = join_it(path, to="addresses", on="地址=address", method="address", id="shops")
    assert report.joined.matched == {"form": 1, "door": 2}
    assert described(places, "shops").geometry_type == "Point"
    again = text(tmp_path / "again.csv", *lines, "丁,文化路14号", "戊,文化路99号")
    error = refused(join_it, again, to="addresses", on="地址=address", method="address")
    assert isinstance(error, JoinRefused)
    assert [one.why for one in error.report.joined.unmatched] == ["ambiguous", "unknown"]


def test_codes_that_lost_their_zeros_or_are_longer_find_their_place(places: str, join_it: Join, tmp_path: Path) -> None:
    path = book(tmp_path / "p.xlsx", ["宗地", "价"], [101, 5], [102, 6], ["00103", 7])
    assert join_it(path, to="parcels", on="宗地=no").joined.matched == {"exact": 1, "zeros": 2}
    path = text(tmp_path / "v.csv", "村,n", "220202001001,1", "220202001002,2", "2202030010010000123,3")
    assert join_it(path, to="districts", on="村=code").joined.matched == {"above": 3}


def test_how_to_join_is_found_or_asked(places: str, join_it: Join, tmp_path: Path) -> None:
    numbers = text(tmp_path / "n.csv", "序号,代码,人数", "1,156220202,101", "2,156220203,102", "3,156220211,103")
    joined = join_it(numbers).joined
    assert (joined.dataset, joined.column) == ("districts", "代码")
    two = text(tmp_path / "two.csv", "from,to,n", "220202,220203,1", "220203,220202,2")
    error = refused(join_it, two, to="districts")
    assert isinstance(error, SeveralFit)
    assert "--to districts --on from=code" in str(error)
    assert join_it(two, to="districts", on="from").joined.field == "code"
    words = text(tmp_path / "w.csv", "a,b", "x,1", "昌邑区,2", "y,3")
    error = refused(join_it, words, to="districts")
    assert isinstance(error, NothingFits)
    assert "--on-name a=name (33%)" in str(error)


def test_what_cannot_be_joined_says_what_to_do(join_it: Join, tmp_path: Path) -> None:
    twice = text(tmp_path / "t.csv", "code,kind,n", "220202,a,1", "220202,b,2", "220203,a,3")
    error = refused(join_it, twice, to="districts")
    assert isinstance(error, SeveralRows)
    assert "220202 (1, 2)" in str(error)
    assert "--by COLUMN" in str(error)
    assert join_it(twice, to="districts", by=("kind",)).datasets[0].rows == 3
    spelt = text(tmp_path / "s.csv", "name,n", "昌邑区,1", "昌邑,2")
    assert isinstance(refused(join_it, spelt, to="districts", on="name=name", method="name"), SeveralRows)
    years = text(tmp_path / "2023年.csv", "2024年统计", "code,n", "220202,1", "220203,2")
    assert isinstance(refused(join_it, years, to="districts"), WhichYear)
    assert join_it(years, to="districts", year=2023).joined.year == "2023"
    bad = text(tmp_path / "y.csv", "code,年份,n", "220202,去年,1", "220203,2023,2")
    assert isinstance(refused(join_it, bad, to="districts"), NoYear)
    plain = text(tmp_path / "districts.csv", "code,n", "220202,1", "220203,1")
    assert isinstance(refused(join_it, plain, to="districts", id=None), OntoItself)
    assert isinstance(refused(join_it, plain, to="nowhere"), NoSuchDataset)
    for option in ({"on": "cod=code"}, {"on": "code=cod"}, {"by": ("kind",)}, {"year_field": "y"}):
        assert "code" in str(refused(join_it, plain, to="districts", **option))


def test_awkward_workbooks_are_read_right_or_refused(join_it: Join, tmp_path: Path) -> None:
    down = book(
        tmp_path / "down.xlsx",
        ["名称", "年份", "n"],
        ["昌邑区", 2022, 1],
        [None, 2023, 2],
        ["龙潭区", 2022, 3],
        merged=["A2:A3"],
    )
    assert join_it(down, to="districts").joined.matched == {"exact": 3}
    shared = book(tmp_path / "n.xlsx", ["code", "n"], ["220202", 5], ["220203", None], merged=["B2:B3"])
    assert isinstance(refused(join_it, shared, to="districts"), MergedValues)
    formulas = book(tmp_path / "f.xlsx", ["code", "n"], ["220202", "=1+1"], ["220203", 2])
    assert isinstance(refused(join_it, formulas, to="districts"), UnsavedFormulas)
    deep = [["code", "人口", None], [None, "男", "女"], [None, "成人", "儿童"], ["220202", 1, 2]]
    deep_path = book(tmp_path / "deep.xlsx", *deep)
    assert isinstance(refused(join_it, deep_path, to="districts"), UnclearHeader)
    nameless = text(tmp_path / "nameless.csv", "code,人口,,GDP", "220202,1,2,3")
    assert isinstance(refused(join_it, nameless, to="districts"), UnclearHeader)
    made = openpyxl.Workbook()
    made.active.append(["code", "n"])
    made.create_sheet("二").append(["code", "n"])
    made.save(tmp_path / "two.xlsx")
    assert isinstance(refused(join_it, tmp_path / "two.xlsx", to="districts"), ManyTables)
    assert isinstance(refused(join_it, tmp_path / "two.xlsx", to="districts", layer="三"), NoTable)
    (tmp_path / "空.xlsx").write_bytes(b"")
    assert "空.xlsx" in str(refused(join_it, tmp_path / "空.xlsx", to="districts"))


@pytest.mark.parametrize(("driver", "suffix"), [("GPKG", ".gpkg"), ("OpenFileGDB", ".gdb")])
def test_a_table_of_a_database_is_joined_too(join_it: Join, tmp_path: Path, driver: str, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    frame = pd.DataFrame({"code": ["220202", "220203"], "n": [1.5, 2.0]})
    pyogrio.write_dataframe(frame, path, driver=driver, layer="people")
    report = join_it(path, to="districts")
    assert (report.layers[0].layer, report.joined.matched) == ("people", {"exact": 2})


def test_a_dry_run_matches_and_publishes_nothing(places: str, join_it: Join, tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", "code,n", "220202,1", "220203,2")
    assert join_it(path, to="districts", dry_run=True, id="dry").outcome == "checked"
    with pytest.raises(NoSuchDataset):
        described(places, "dry")


PAGE = (ROOT / "docs" / "tables.md").read_text("utf-8")


def test_the_example_in_the_docs_is_what_happens(places: str, tmp_path: Path) -> None:
    chengtu = Shell(places, tmp_path / "var")
    table, command, answer = (
        re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)[0] for kind in ("csv", "sh", "text")
    )
    text(tmp_path / "population.csv", table.strip())
    _, *arguments = shlex.split(command)
    arguments[arguments.index("population.csv")] = str(tmp_path / "population.csv")
    told = chengtu(*arguments)
    assert (told.returncode, told.stderr) == (0, "")
    plain = re.sub(r" \(release \d+\)", "", told.stdout).replace(f"{tmp_path}/", "")
    for line in answer.strip().splitlines():
        assert line in plain.splitlines(), plain


def test_every_option_that_the_docs_name_exists() -> None:
    options = {option for parameter in join_command.params for option in parameter.opts}
    assert set(re.findall(r"(?<=[` ])(--[a-z-]+)", PAGE)) <= options | {"--help"}


def test_the_command_line_tells_machines_what_did_not_match(places: str, tmp_path: Path) -> None:
    path = text(tmp_path / "人数.csv", "区,人数", "昌邑区,1", "没有区,2")
    asked = ["--as", "people", "--to", "districts", "--on-name", "区=name", "--unit", "人数=人", "--json"]
    settings = Settings(database_url=places, var=tmp_path)
    told = CliRunner().invoke(join_command, [str(path), *asked], obj=settings)
    assert isinstance(told.exception, JoinRefused)
    assert "--accept-unmatched" in str(told.exception)
    assert json.loads(told.stdout)["outcome"] == "refused"
    told = CliRunner().invoke(join_command, [str(path), *asked, "--accept-unmatched"], obj=settings)
    report = json.loads(told.stdout)
    assert report["joined"]["matched"] == {"exact": 1}
    assert report["joined"]["unmatched"] == [{"value": "没有区", "why": "unknown", "rows": [2], "candidates": []}]
    assert described(places, "people").about_fields["人数"].unit == "{person}"


@pytest.mark.parametrize(
    "arguments", [["--on", "a=b", "--on-name", "c=d"], ["--within", "a"], ["--unit", "a"], ["--year", "24"]]
)
def test_options_that_contradict_or_are_half_are_refused(arguments: list[str]) -> None:
    told = CliRunner().invoke(join_command, ["a.csv", *arguments], obj=Settings())
    assert told.exit_code == 2
