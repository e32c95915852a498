"""The reader of code lists is strict, and the lists that are shipped are whole."""

import re
from datetime import date
from pathlib import Path

import pytest

from core.codelist_files import read_files
from core.codelists import BadCodelist, NoSuchCodelist, codelist, codelists, crosswalk, crosswalks
from core.language import Text

DESCRIBED = """
[[codelist]]
id = "fruit"
title = { zh = "水果", en = "Fruit" }
standard = "ours"
edition = "1"
"""
WALK = """
[[crosswalk]]
id = "walk"
title = { zh = "对照", en = "Walk" }
standard = "ours"
from = "fruit"
to = "fruit"
"""
WALK_COLUMNS = "from_scheme,from_code,to_scheme,to_code,confidence,note_zh,note_en\n"


def files(folder: Path, rows: str, described: str = DESCRIBED, walk: str | None = None) -> None:
    (folder / "walks").mkdir()
    (folder / "index.toml").write_text(described + (WALK if walk is not None else ""), "utf-8")
    (folder / "fruit.csv").write_text(rows, "utf-8")
    if walk is not None:
        (folder / "walks" / "walk.csv").write_text(WALK_COLUMNS + walk, "utf-8")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("code,name_zh\n1,果\n", "column 'name_en' is missing"),
        ("code,name_zh,name_en,taste\n1,果,Fruit,sweet\n", "column 'taste' is not known"),
        ("code,name_zh,name_en\n", "holds no codes"),
        ("code,name_zh,name_en\n1,果,\n", "names in both languages"),
        ("code,name_zh,name_en\n1,果\n", "not as many values as columns"),
        ("code,name_zh,name_en\n1,果,Fruit\n1,瓜,Melon\n", "'1' is there twice"),
        ("code,name_zh,name_en,parent\n1,果,Fruit,2\n2,瓜,Melon,\n", "parent '2' is not among the codes above it"),
        ("code,name_zh,name_en,color\n1,果,Fruit,red\n", "'red' is no colour"),
        ("code,name_zh,name_en,valid_from\n1,果,Fruit,2020-13-01\n", "no time of validity"),
        ("code,name_zh,name_en,valid_from,valid_to\n1,果,Fruit,2021-01-01,2020-01-01\n", "before it begins"),
        ("code,name_zh,name_en,confidence\n1,果,Fruit,sure\n", "'sure' is none of high, medium, low"),
        ("code,name_zh,name_en,assignable\n1,果,Fruit,perhaps\n", "not yes or no"),
    ],
)
def test_a_wrong_list_says_in_which_line_what_is_wrong(tmp_path: Path, rows: str, problem: str) -> None:
    files(tmp_path, rows)
    with pytest.raises(BadCodelist, match=re.escape(problem)) as caught:
        read_files(tmp_path, tmp_path / "walks")
    assert "fruit.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        (DESCRIBED + 'taste = "sweet"\n', "'taste' says nothing of a list"),
        (DESCRIBED.replace('edition = "1"\n', ""), "has no 'edition'"),
        (DESCRIBED.replace('"fruit"', '"Fruit 1"'), "no id of a list"),
        (DESCRIBED + DESCRIBED, "described twice"),
        (DESCRIBED + DESCRIBED.replace('"fruit"', '"berries"'), "the file is missing"),
        ("", "no TOML file beside it describes it"),
    ],
)
def test_a_wrong_description_says_what_is_wrong(tmp_path: Path, described: str, problem: str) -> None:
    files(tmp_path, "code,name_zh,name_en\n1,果,Fruit\n", described)
    with pytest.raises(BadCodelist, match=re.escape(problem)):
        read_files(tmp_path, tmp_path / "walks")


@pytest.mark.parametrize(
    ("walk", "problem"),
    [
        ("fruit,1,fruit,3,exact,,\n", "fruit has no code '3'"),
        ("fruit,3,fruit,1,exact,,\n", "fruit has no code '3'"),
        ("fruit,1,nuts,2,exact,,\n", "does not lead from fruit to fruit"),
        ("fruit,1,fruit,2,certain,,\n", "'certain' is none of exact, rule, human"),
        ("fruit,1,fruit,2,exact,,\nfruit,1,fruit,2,human,,\n", "the same way is there twice"),
        ("fruit,1,fruit,2,exact,,\nfruit,1,fruit,1,rule,,\n", "'1' is decided twice"),
    ],
)
def test_a_wrong_crosswalk_says_what_is_wrong(tmp_path: Path, walk: str, problem: str) -> None:
    files(tmp_path, "code,name_zh,name_en\n1,果,Fruit\n2,瓜,Melon\n", walk=walk)
    with pytest.raises(BadCodelist, match=re.escape(problem)):
        read_files(tmp_path, tmp_path / "walks")


def test_a_code_may_change_its_name_and_takes_its_colour_from_above(tmp_path: Path) -> None:
    files(
        tmp_path,
        "code,name_zh,name_en,parent,color,valid_from,valid_to,sort\n"
        "1,果,Fruit,,#aa0000,,,x\n"
        "11,瓜,Melon,1,,,2019-12-31,y\n"
        "11,西瓜,Water melon,1,,2020-01-01,,z\n",
        DESCRIBED + 'more = ["sort"]\n',
    )
    fruit = read_files(tmp_path, tmp_path / "walks").codelists["fruit"]
    assert fruit.name_of("11", date(2019, 12, 31)) == Text("Melon", "瓜")
    assert fruit.name_of("11", date(2020, 1, 1)) == fruit.name_of("11") == Text("Water melon", "西瓜")
    assert [one.code for one in fruit.on(date(2020, 1, 1))] == ["1", "11"]
    found = fruit.find("11")
    assert found is not None
    assert (found.level, found.parent, found.color, dict(found.more)) == (2, "1", "#aa0000", {"sort": "z"})


ASSIGNED = {  # how many codes features may carry
    "gbt21010-2017": 73,
    "slope-classes": 5,
    "cultivated-types": 2,
    "ownership": 9,
    "urban-village": 8,
    "broad-classes": 3,
}


@pytest.mark.parametrize(("id_", "number"), ASSIGNED.items())
def test_the_lists_are_whole(id_: str, number: int) -> None:
    assert sum(one.assignable for one in codelist(id_).codes) == number


def test_the_classes_of_gbt_21010_are_numbered_without_a_gap() -> None:
    children: dict[str, list[int]] = {}
    for one in codelist("gbt21010-2017").codes:
        if one.parent:
            assert one.code.startswith(one.parent)
            children.setdefault(one.parent, []).append(int(one.code[2:]))
    assert [len(ones) for ones in children.values()] == [3, 4, 7, 4, 7, 4, 2, 10, 6, 9, 10, 7]
    assert all(ones == list(range(1, len(ones) + 1)) for ones in children.values())


def test_the_planning_scheme_has_its_three_levels() -> None:
    levels = [one.level for one in codelist("planning-classes-2023").codes]
    assert [levels.count(level) for level in (1, 2, 3)] == [24, 111, 40]
    for one in codelist("planning-classes-2023").codes:
        assert one.parent == (one.code[:-2] or None)


def test_the_survey_has_its_wetlands_its_convertible_classes_and_its_letters() -> None:
    survey = codelist("survey-classes")
    wetlands = [one.code for one in survey.codes if one.parent == "00"]
    assert wetlands == ["0303", "0304", "0306", "0402", "0603", "1105", "1106", "1108"]
    convertible = {one.code for one in survey.codes if one.code.endswith("K")}
    assert convertible == {"0201K", "0202K", "0203K", "0204K", "0301K", "0302K", "0307K", "0403K", "1104K"}
    for code in convertible - {"1104K"}:
        base, own = survey.name_of(code[:-1]), survey.name_of(code)
        assert base is not None
        assert own is not None
        assert own.zh == f"可调整{base.zh}"
    assert {"05H1", "08H1", "08H2", "08H2A", "0810A", "1104A", "1107A", "201A", "202A", "203A"} <= {
        one.code for one in survey.codes
    }
    assert [one.code for one in survey.codes if one.level == 1 and one.assignable] == ["09"]
    assert all(one.color for one in survey.codes)


def test_a_code_means_what_its_scheme_says() -> None:
    assert codelist("survey-classes").name_of("0303") == Text("Mangrove land", "红树林地")
    assert codelist("planning-classes-2023").name_of("0303") == Text("Shrub land", "灌木林地")
    with pytest.raises(NoSuchCodelist, match="'soup'"):
        codelist("soup")


@pytest.mark.parametrize("id_", codelists())
def test_names_are_in_both_languages_and_told_apart(id_: str) -> None:
    ours = codelist(id_)
    for one in ours.codes:
        assert re.search("[\u4e00-\u9fff]", one.name.zh), one.code
        assert re.fullmatch(r"[A-Z][\x20-\x7e°]*", one.name.en), one.code
        assert one.color is None or re.fullmatch("#[0-9a-f]{6}", one.color)
        assert one.note is None or (one.note.en != one.note.zh)
    siblings = [(one.parent, one.name) for one in ours.codes]
    if id_ != "cass-codes":  # which draws some things in several ways
        assert len(set(siblings)) == len(siblings)
        assert ours.valid_from is not None


def test_the_topographic_codes_stand_below_their_classes() -> None:
    for id_ in ("gb13923-2022", "gb13923-2006"):
        majors = [one.code for one in codelist(id_).codes if one.parent is None]
        assert majors == [f"{number}00000" for number in range(1, 9)]
        for one in codelist(id_).codes:
            assert re.fullmatch(r"\d{6}", one.code)
            assert one.parent is None or one.code.startswith(one.parent.rstrip("0"))
    old, new = codelist("gb13923-2006"), codelist("gb13923-2022")
    assert old.valid_to is not None
    assert new.valid_from is not None
    assert (new.valid_from - old.valid_to).days == 1


@pytest.mark.parametrize("id_", crosswalks())
def test_every_class_that_a_parcel_may_have_leads_somewhere(id_: str) -> None:
    ours = crosswalk(id_)
    source, target = codelist(ours.source), codelist(ours.target)
    assert set(ours.targets) == {one.code for one in source.codes if one.assignable}
    for code in ours.targets:
        match = ours.match(code)
        assert (match.to is None) == (match.confidence == "human")
        assert all(one.code in target for one in match.candidates)
        assert all(one.note for one in match.candidates if one.confidence == "human")


def test_the_crosswalk_to_planning_decides_what_it_can_and_leaves_the_rest_to_a_person() -> None:
    ours = crosswalk("survey-to-planning")
    assert (ours.match("0303").to, ours.match("0303").confidence) == ("0507", "exact")
    assert (ours.match("1104K").to, ours.match("1104K").confidence) == ("1704", "rule")
    shops = ours.match("05H1")
    assert (shops.to, shops.confidence) == (None, "human")
    assert {"0901", "0902", "0903", "0904"} <= {one.code for one in shops.candidates}
    assert ours.match("9999") == ("9999", None, None, ())
    undecided = {code for code in ours.targets if ours.match(code).to is None}
    assert undecided == {"05H1", "08H1", "08H2", "0809", "0810", "09"}


def test_where_the_crosswalk_calls_two_classes_the_same_they_are_called_alike() -> None:
    ours = crosswalk("survey-to-planning")
    source, target = codelist(ours.source), codelist(ours.target)
    for code in ours.targets:
        match = ours.match(code)
        if match.confidence == "exact" and match.to is not None:
            one, other = source.name_of(code), target.name_of(match.to)
            assert one is not None
            assert other is not None
            assert one.zh.removesuffix("用地").removesuffix("地") == other.zh.removesuffix("用地").removesuffix("地")


def test_the_broad_classes_split_as_the_survey_sums_them() -> None:
    ours = crosswalk("survey-to-broad-classes")
    sorted_ = {code: ours.match(code).to for code in ours.targets}
    assert {code for code, to in sorted_.items() if to is None} == {"1208"}
    assert [sorted_[code] for code in ("0101", "1006", "1104A", "1202")] == ["1"] * 4
    assert [sorted_[code] for code in ("05H1", "0603", "09", "1109", "1201")] == ["2"] * 5
    assert [sorted_[code] for code in ("0404", "1101", "1108", "1110", "1207")] == ["3"] * 5
