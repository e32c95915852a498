"""What a data set is coloured and labelled by, found in its names alone; with its values it is test_styles_api's."""

import pytest

from core.catalogue import Field
from tiles.portrayal import Portrayal, as_json, from_json, plain
from tiles.style.uses import properties_of
from tiles.words import class_worth, label_worth, pairs, telling_worth


def fields(**types: str) -> tuple[Field, ...]:
    return tuple(Field(name, type_) for name, type_ in types.items())


@pytest.mark.parametrize(
    "name", ["use_zh", "landuse", "LandUse", "DLMC", "用途", "用地性质", "road_type", "fclass", "土地用途", "建筑类别"]
)
def test_a_name_that_says_class_is_taken_for_one(name: str) -> None:
    assert class_worth(name) >= 6


@pytest.mark.parametrize("name", ["district_name", "owner_type", "data_origin", "is_valid", "宗地面积", "address"])
def test_what_belongs_to_something_else_is_no_class(name: str) -> None:
    assert class_worth(name) == 0


def test_names_of_classes_go_before_their_codes() -> None:
    assert class_worth("use_zh") > class_worth("use_code") > 0
    assert class_worth("DLMC") > class_worth("DLBM") > 0


@pytest.mark.parametrize("name", ["name", "NAME", "name_zh", "name:en", "名称", "XZQMC", "road_name", "小区名称"])
def test_a_name_is_taken_for_a_label(name: str) -> None:
    assert label_worth(name) >= 6


@pytest.mark.parametrize("name", ["district_name", "owner_name", "权利人名称", "DLMC", "height"])
def test_the_name_of_something_else_is_no_label(name: str) -> None:
    assert label_worth(name) == 0


def test_measures_that_tell_much_go_before_codes_and_areas() -> None:
    order = ["building_height", "lanes", "area_m2", "block_code", "remarks"]
    assert sorted(order, key=telling_worth, reverse=True) == order
    assert telling_worth("remarks") == 0


def test_attributes_of_one_meaning_in_two_languages_are_found() -> None:
    assert pairs(["name_en", "name_zh", "use:zh", "use:en", "token"]) == (("name_en", "name_zh"), ("use:en", "use:zh"))
    assert pairs(["NAME", "NAME_EN", "名称", "名称_英文"]) == (("NAME_EN", "NAME"), ("名称_英文", "名称"))
    assert pairs(["open", "garden", "citizen"]) == ()


def test_few_attributes_are_all_carried_and_many_are_not() -> None:
    few = fields(id="bigint", name="text", note="text", picture="bytea")
    assert plain(few, "id").fields == ("name", "note")
    many = fields(id="bigint", name="text", **{f"note_{n}": "text" for n in range(20)}, height="real", floors="integer")
    assert plain(many, "id").fields == ("name", "height", "floors")


def test_a_key_that_is_no_integer_is_carried_and_an_integer_is_not() -> None:
    assert "code" in plain(fields(code="text", name="text"), "code").fields
    assert "code" not in plain(fields(code="bigint", name="text"), "code").fields
    assert "fid" not in plain(fields(name="text"), "fid").fields


def test_of_two_measures_of_the_same_one_is_enough() -> None:
    several = fields(
        code="text", name="text", note="text", floors_above="smallint", floors_below="smallint", height_m="real"
    )
    assert plain(several, "code").fields == ("code", "name", "floors_above", "height_m")


def test_names_are_carried_in_both_languages() -> None:
    portrayal = plain(fields(id="bigint", name_zh="text", name_en="text", a="text", b="text", c="text"), "id")
    assert portrayal.label_field == "name_zh"
    assert set(portrayal.fields) == {"name_en", "name_zh"}


def test_what_a_style_reads_is_carried_whatever_it_is() -> None:
    style = {"layers": [{"filter": ["==", "b", 1], "layout": {"text-field": "{c} {d}"}, "paint": {}}]}
    many = fields(id="bigint", **dict.fromkeys("abcdefghijk", "text"))
    assert plain(many, "id", style).fields == ("b", "c", "d")


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        ({"filter": ["all", ["==", "$type", "Polygon"], ["!in", "kind", "a", "b"]]}, ("kind",)),
        ({"filter": ["==", ["get", "kind"], "has"]}, ("kind",)),
        ({"filter": ["any", ["!has", "x"], ["has", "y"]]}, ("x", "y")),
        ({"paint": {"fill-color": {"property": "use", "stops": [["a", "red"]]}}}, ("use",)),
        ({"paint": {"fill-color": ["match", ["get", "use"], ["get", "a"], "red", "blue"]}}, ("use", "a")),
        ({"layout": {"text-field": {"stops": [[10, "{name}"], [14, "{name} {ref}"]]}}}, ("name", "ref")),
        ({"layout": {"text-font": ["literal", ["get", "no"]]}}, ()),
        ({}, ()),
    ],
)
def test_the_attributes_that_a_layer_reads_are_found(layer: dict[str, object], names: tuple[str, ...]) -> None:
    assert properties_of(layer) == names


def test_a_portrayal_comes_back_as_it_was_kept() -> None:
    whole = Portrayal(("a", "b"), "a", ("x", "y"), "b", (("b_en", "b"),), (("X", "x"), ("Y", "y")))
    assert from_json(as_json(whole).obj | {"of_a_later_version": 1}) == whole
