"""Heads and cells of tables as statistics offices write them."""

import io
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from loaders.formats.sheet_parts import Merged, _inspect, filled, inspect
from loaders.tables.errors import UnclearHeader
from loaders.tables.headers import Unit, join_rows, read_header, title_unit, unit_of, years_in
from loaders.tables.values import read_column

HERE = Path("table.xlsx")


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("人口(万人)", "人口", "万人"),
        ("人口\uff08万人\uff09", "人口", "万人"),
        ("GDP/亿元", "GDP", "亿元"),
        ("GDP\uff08单位\uff1a亿元\uff09", "GDP", "亿元"),
        ("面积 [km²]", "面积", "km2"),
        ("面积【平方公里】", "面积", "平方公里"),
        ("人均GDP(元/人)", "人均GDP", "元/人"),
        ("产值(亿元/年)", "产值", "亿元/年"),
        ("城镇化率(%)", "城镇化率", "%"),
        ("人口(常住)", "人口(常住)", None),
        ("男/女", "男/女", None),
        ("  人口\n 总数 ", "人口 总数", None),
    ],
)
def test_a_header_is_a_name_and_perhaps_a_unit(header: str, name: str, unit: str | None) -> None:
    read = read_header(header)
    assert (read.name, read.unit) == (name, unit)
    assert read.title == " ".join(header.split())


@pytest.mark.parametrize(
    ("unit", "ucum", "sums"),
    [
        ("万人", "10*4.{person}", True),
        ("平方公里", "km2", True),
        ("％", "%", False),
        ("人/平方公里", "{person}/km2", False),
        ("亿元/年", "10*8.{CNY}/a", False),
        ("标准箱", "{标准箱}", True),
    ],
)
def test_units_are_written_as_ucum_has_them(unit: str, ucum: str, sums: bool) -> None:
    assert unit_of(unit) == Unit(ucum, sums)


def test_a_title_may_name_one_unit_for_all() -> None:
    assert title_unit(["各区人口\uff08单位\uff1a万人\uff09"]) == "万人"
    assert title_unit(["人口统计表", "单位:亿元"]) == "亿元"
    assert title_unit(["单位:统计局"]) is None
    assert title_unit(["单位:万人、亿元", "单位:亿元"]) is None


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2024年人口", (2024,)),
        ("rk_2023_v2", (2023,)),
        ("2019-2023年", (2019, 2023)),
        ("２０２４年", (2024,)),
        ("320240", ()),
    ],
)
def test_years_are_found_in_titles(text: str, years: tuple[int, ...]) -> None:
    assert years_in(text) == years


@pytest.mark.parametrize(
    ("upper", "rows", "names"),
    [
        (["代码", "人口", "", "GDP"], [["", "男", "女", ""]], ["代码", "人口 男", "人口 女", "GDP"]),
        (["代码", "人口(万人)", ""], [[None, "男", "女"]], ["代码", "人口 男(万人)", "人口 女(万人)"]),
        (["代码", "人口", ""], [["代码", "2022", "2023"]], ["代码", "人口 2022", "人口 2023"]),  # merged downwards
        (["代码", "人口"], [["220202", "1"]], None),
        (["代码", "人口", ""], [["220202", "1", "2"]], None),
        (["代码", "名称"], [["", "昌邑区"]], None),
        (["代码", "人口", ""], [], None),
    ],
)
def test_a_header_of_two_rows_is_read_as_one(
    upper: Sequence[str], rows: Sequence[Sequence[str | None]], names: Sequence[str] | None
) -> None:
    assert join_rows(HERE, upper, rows) == names


@pytest.mark.parametrize(
    ("upper", "rows"),
    [
        (["代码", "人口", "", "GDP"], [["a", "男", "女", "b"]]),
        (["", "人口", "", "GDP"], [["", "男", "女", ""]]),
        (["代码", "人口", "", "", ""], [["", "男", "女", "", ""]]),
        (["代码", "人口", ""], [["", "男", "女"], ["", "城", "乡"]]),
    ],
)
def test_a_header_that_is_neither_is_refused(upper: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with pytest.raises(UnclearHeader):
        join_rows(HERE, upper, rows)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "１２", "—", None, ""], [1234, 12, None, None, None]),
        (["1 234 567", "12"], [1234567, 12]),
        (["1,234.5", "…", "-3", "1e3"], [1234.5, None, -3.0, 1000.0]),
        (["1,2", "3"], ["1,2", "3"]),  # no number that anyone can be sure of
        (["0303", "1"], ["0303", "1"]),
        (["12345678901234567", "1"], ["12345678901234567", "1"]),
        (["无", "暂无"], ["无", "暂无"]),
        (["2024-01-05", "2024年2月6日"], None),
        ([None, ""], [None, ""]),
    ],
)
def test_cells_are_numbers_where_all_of_them_are(cells: Sequence[str | None], values: Sequence[object] | None) -> None:
    read = read_column(pa.chunked_array([pa.array(cells, pa.string())]))
    if values is None:
        assert pa.types.is_date(read.values.type)
    else:
        assert read.values.to_pylist() == values


def test_merged_cells_and_formulas_without_results_are_seen(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.title = "人口 & 经济"
    for row in (["区", "年", "n"], ["甲", 2022, "=A1"], [None, 2023, "=B1"], ["乙", 2023, 3]):
        made.active.append(row)
    made.active.merge_cells("A2:B3")
    made.save(tmp_path / "a.xlsx")
    parts = inspect(tmp_path / "a.xlsx", "人口 & 经济")
    assert parts == ((Merged(0, 2, 3),), 2)
    assert inspect(tmp_path / "a.xlsx", "none").unsaved == 0
    rows = [["区"], ["甲"], [None], [None], []]
    assert list(filled(rows, parts.merged)) == [["区"], ["甲"], ["甲"], [None], []]


@pytest.mark.parametrize("part", [b"<c ", b"<c ><f>", b"<c>          ", b"<mergeCell ", b"<a", b"<c><f>a"])
def test_a_hostile_part_of_a_workbook_is_passed_over(part: bytes) -> None:
    assert _inspect(io.BytesIO(part * 300_000)) == ((), 0)


def test_percents_keep_their_number_and_odd_values_are_told() -> None:
    assert read_column(pa.chunked_array([["12.5%", "100％"]]))[:2] == (pa.array([12.5, 100.0]), True)
    odd = read_column(pa.chunked_array([["1", "2", "3", "4", "约5"]]))
    assert (odd.odd, odd.odd_count, odd.is_number) == ("约5", 1, False)
    marks = read_column(pa.chunked_array([["1", "—", "…"]]))
    assert (marks.values.to_pylist(), marks.marks) == ([1, None, None], 2)
