"""The rules of the land survey on a tiny one: what each defect is found by, and that nothing else finds it."""

import os
from collections.abc import Iterator
from typing import Any, LiteralString

import pytest
from psycopg import sql

from core.database import Connection, connect
from core.language import Text
from loaders.profiles import FieldProfile, LayerProfile, Profile, Rule, find_profile
from loaders.quality import BadRule, Checked, Quality, check_quality
from tests.conftest import _database, loader_for
from tests.survey import SRID, write_survey

PROFILE = find_profile("land-survey")
LAYERS = ("DLTB", "CJDCQ", "XZQ")
FIRST, SECOND, THIRD = (f"22020221100000{n:04d}" for n in range(3))


@pytest.fixture(scope="module")
def survey(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database that serves the tiny survey, which has nothing wrong."""
    folder = tmp_path_factory.mktemp("survey")
    with _database(server_dsn, f"chengtu_rules_{os.getpid()}", template) as dsn:
        loader_for(dsn, folder)(write_survey(folder / "survey.gpkg"))
        yield dsn


@pytest.fixture
def connection(survey: str) -> Iterator[Connection]:
    """Whatever a test does to the survey is undone."""
    with connect(survey) as connection:
        yield connection
        connection.rollback()


def layers(**repaired: tuple[tuple[str, str], ...]) -> dict[str, Checked]:
    return {
        name: Checked(
            sql.Identifier("data", name.lower()), "BSM", SRID, layer, repaired=repaired.get(name, ()), judged=True
        )
        for name in LAYERS
        if (layer := PROFILE.layer(name))
    }


def findings(connection: Connection) -> list[dict[str, Any]]:
    return connection.execute("select * from pg_temp.ct_findings order by rule, key").fetchall()


def found(connection: Connection, quality: Quality) -> dict[str, list[str | None]]:
    """The keys of each rule's findings, by layer and rule; the counts must agree."""
    keys: dict[str, list[str | None]] = {}
    for one in findings(connection):
        keys.setdefault(f"{one['layer']}.{one['rule']}", []).append(one["key"])
    assert {f"{one.layer}.{one.rule.id}": one.count for one in quality.results if one.count} == {
        name: len(those) for name, those in keys.items()
    }
    return keys


def test_a_right_survey_breaks_no_rule(connection: Connection) -> None:
    quality = check_quality(connection, layers(), PROFILE)
    assert found(connection, quality) == {}
    assert {one.layer for one in quality.results} == set(LAYERS)
    assert not any(one.unjudged for one in quality.results)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("required-fields", "\"QSDWDM\" = ' ' where \"BSM\" = '{0}'"),
        ("class-known", '"DLBM" = \'9999\', "DLMC" = \'?\', "GDPDJB" = null where "BSM" = \'{0}\''),
        ("class-known", "\"DLBM\" = '201', \"DLMC\" = '城市' where \"BSM\" = '{0}'"),
        ("class-name", "\"DLMC\" = '旱地' where \"BSM\" = '{0}'"),
        ("ownership-known", "\"QSXZ\" = '99' where \"BSM\" = '{0}'"),
        ("slope-class-required", '"GDPDJB" = null where "BSM" = \'{0}\''),
        ("slope-class-known", "\"GDPDJB\" = '7' where \"BSM\" = '{0}'"),
        ("cultivated-type-required", "\"GDPDJB\" = '3' where \"BSM\" = '{0}'"),
        ("cultivated-type-known", "\"GDPDJB\" = '3', \"GDLX\" = 'XX' where \"BSM\" = '{0}'"),
        ("deduction-coefficient", '"KCXS" = 1.2, "KCMJ" = 12000, "TBDLMJ" = -2000 where "BSM" = \'{0}\''),
        ("deduction-coefficient", '"KCXS" = 1.2 where "BSM" = \'{0}\''),
        ("deduction-area", '"KCXS" = 0.05, "KCMJ" = 510, "TBDLMJ" = 9490 where "BSM" = \'{0}\''),
        ("deduction-area", '"KCMJ" = 500 where "BSM" = \'{0}\''),
        ("class-area", '"TBDLMJ" = 9000 where "BSM" = \'{0}\''),
        ("unit-known", "\"ZLDWDM\" = '2202029999990000000' where \"BSM\" = '{0}'"),
        ("unit-inside", "\"ZLDWDM\" = '2202021010020000000' where \"BSM\" = '{0}'"),
        ("refinement-known", "\"TBXHDM\" = 'XX' where \"BSM\" = '{0}'"),
        ("settlement-known", "\"CZCSXM\" = '299' where \"BSM\" = '{0}'"),
    ],
)
def test_a_wrong_value_is_found_by_its_own_rule(connection: Connection, rule: str, change: LiteralString) -> None:
    update(connection, change)
    assert found(connection, check_quality(connection, layers(), PROFILE)) == {f"DLTB.{rule}": [FIRST]}


def test_an_identifier_that_two_parcels_have(connection: Connection) -> None:
    connection.execute("create temporary table twice as select * from data.dltb")
    connection.execute('update twice set "BSM" = %s where "BSM" = %s', [FIRST, SECOND])
    checked = layers()
    checked["DLTB"] = checked["DLTB"]._replace(table=sql.Identifier("pg_temp", "twice"))
    assert found(connection, check_quality(connection, checked, PROFILE)) == {"DLTB.bsm-unique": [FIRST]}
    assert findings(connection)[0]["note_en"] == f"BSM {FIRST} is that of 2 features"


def test_a_deduction_from_a_wood_is_found(connection: Connection) -> None:
    update(connection, f'"KCXS" = 0.1, "KCMJ" = 1000, "TBDLMJ" = 9000 where "BSM" = \'{SECOND}\'')
    quality = check_quality(connection, layers(), PROFILE)
    assert found(connection, quality) == {"DLTB.deduction-only-for-farmland": [SECOND]}
    (one,) = findings(connection)
    assert one["note_en"] == "must be empty here: KCXS, KCMJ"
    assert one["note_zh"] == "此处应为空:扣除地类系数(KCXS)、扣除地类面积(KCMJ)"
    assert one["stated"] == 0.1


def test_an_area_that_the_ellipsoid_does_not_have(connection: Connection) -> None:
    """Stated areas of village and district go along; otherwise their sums would be wrong, too."""
    update(connection, f'"TBMJ" = 10100, "TBDLMJ" = 10100 where "BSM" = \'{FIRST}\'')
    connection.execute('update data.cjdcq set "DCMJ" = 20100 where "ZLDWDM" like \'220202101001%\'')
    connection.execute('update data.xzq set "DCMJ" = 40100')
    assert found(connection, check_quality(connection, layers(), PROFILE)) == {"DLTB.area-ellipsoidal": [FIRST]}
    (one,) = findings(connection)
    assert one["stated"] == 10_100
    assert one["measured"] == pytest.approx(10_000, abs=1)


@pytest.mark.parametrize(
    ("layer", "rule", "key", "note"),
    [
        ("CJDCQ", "village-sum", "220202211100000001", "DCMJ is 21000, the TBMJ of its DLTB add up to 20000"),
        ("XZQ", "district-sum", "220202210100000001", "DCMJ is 21000, the TBMJ of its DLTB add up to 40000"),
    ],
)
def test_sums(connection: Connection, layer: str, rule: str, key: str, note: str) -> None:
    statement = sql.SQL('update {} set "DCMJ" = 21000 where "BSM" = {}')
    connection.execute(statement.format(sql.Identifier("data", layer.lower()), key))
    assert found(connection, check_quality(connection, layers(), PROFILE)) == {f"{layer}.{rule}": [key]}
    assert findings(connection)[0]["note_en"] == note


def test_a_unit_with_a_part_that_states_no_area_is_not_added_up(connection: Connection) -> None:
    update(connection, f'"TBMJ" = null where "BSM" = \'{FIRST}\'')
    assert found(connection, check_quality(connection, layers(), PROFILE)) == {"DLTB.required-fields": [FIRST]}


@pytest.mark.parametrize("code", ["220202", "220202101000", "220202000000"])
def test_codes_of_districts_may_be_short_or_filled_with_zeros(connection: Connection, code: str) -> None:
    connection.execute('update data.xzq set "XZQDM" = %s', [code])
    assert found(connection, check_quality(connection, layers(), PROFILE)) == {}


@pytest.mark.parametrize(
    ("rule", "shape", "key", "other"),
    [
        ("overlap", "st_buffer(geom, 5, 'join=mitre')", FIRST, SECOND),
        (
            "gap",
            "st_difference(geom, st_expand(st_pointn(st_exteriorring(st_geometryn(geom, 1)), 3), 5))",
            FIRST,
            THIRD,
        ),
        ("outside-boundary", "st_union(geom, st_translate(geom, -20, 0))", FIRST, None),
    ],
)
def test_a_wrong_shape_is_found_by_its_own_rule_with_its_place(
    connection: Connection, rule: str, shape: str, key: str, other: str | None
) -> None:
    """The area that the parcel states is not held against a shape that is wrong anyway."""
    inside = sql.SQL(
        "update data.dltb set geom = st_multi(st_intersection({}, (select st_union(geom) from data.xzq)))"
        " where \"BSM\" = '220202211000000000'"
    )
    everywhere = sql.SQL("update data.dltb set geom = st_multi({}) where \"BSM\" = '220202211000000000'")
    statement = everywhere if rule == "outside-boundary" else inside
    connection.execute(statement.format(sql.SQL(shape)))  # type: ignore[arg-type]
    quality = check_quality(connection, layers(), PROFILE)
    assert set(found(connection, quality)) == {f"DLTB.{rule}"}
    first = findings(connection)[0]
    assert (first["key"], first["other"]) == (key, other)
    (place,) = connection.execute("select st_srid(geom) as srid, st_area(geom) as m2 from pg_temp.ct_findings limit 1")
    assert place["srid"] == SRID
    assert place["m2"] == pytest.approx(first["measured"], rel=0.001)


def test_shapes_that_were_repaired_are_the_self_crossings(connection: Connection) -> None:
    checked = layers(DLTB=((THIRD, "Ring Self-intersection"),))
    assert found(connection, check_quality(connection, checked, PROFILE)) == {"DLTB.self-crossing": [THIRD]}
    (one,) = findings(connection)
    assert (one["note_en"], one["note_zh"]) == ("Ring Self-intersection", "环自相交")


def test_parcels_alone_are_held_against_what_is_served(connection: Connection) -> None:
    update(connection, f"\"ZLDWDM\" = '2202029999990000000' where \"BSM\" = '{FIRST}'")
    checked = {name: one._replace(judged=name == "DLTB") for name, one in layers().items()}
    quality = check_quality(connection, checked, PROFILE)
    assert found(connection, quality) == {"DLTB.unit-known": [FIRST]}
    assert {one.layer for one in quality.results} == {"DLTB"}


def test_what_cannot_be_judged_says_why(connection: Connection) -> None:
    quality = check_quality(connection, {"DLTB": layers()["DLTB"]}, PROFILE)
    assert found(connection, quality) == {}
    unjudged = {one.rule.id: one.unjudged for one in quality.results if one.unjudged}
    assert unjudged["unit-known"] == Text("there is no layer CJDCQ", "缺少图层 CJDCQ")
    assert set(unjudged) == {"unit-known", "unit-inside", "outside-boundary"}


def one_layer(*rules: Rule) -> tuple[Profile, dict[str, Checked]]:
    """The parcels as a layer of a profile of one's own."""
    given = PROFILE.layer("DLTB")
    assert given
    layer = LayerProfile("OWN", "own", given.title, "polygon", given.fields, key="BSM", rules=rules)
    profile = Profile("own", given.title, given.title, "own", (layer,))
    return profile, {"OWN": Checked(sql.Identifier("data", "dltb"), "BSM", SRID, layer)}


def rule(kind: str, **parameters: object) -> Rule:
    return Rule("mine", kind, "error", "", Text("", ""), parameters)


@pytest.mark.parametrize(
    ("mine", "keys"),
    [
        (rule("range", field="TBMJ", least=20_000), 4),
        (rule("length", field="DLBM", lengths=[3, 5]), 4),
        (rule("pattern", field="DLBM", pattern="^03"), 2),
        (rule("holds", condition='TBMJ / SJNF > 5 or DLBM == "0101"'), 2),
        (rule("holds", condition="missing(GDPDJB) or given(GDPDJB) and length(GDPDJB) == 1"), 0),
        (rule("equal", left="round(TBMJ / 3, 0)", right="3333", relative=0.01), 0),
        (rule("required", fields=["BZ"], when='DLBM == "0101"'), 2),
        (rule("unique", fields=["DLBM", "QSXZ"]), 2),
        (rule("codelist", field="DLBM", codelist="planning-classes-2023"), 0),
        (rule("overlap"), 0),
    ],
)
def test_rules_of_ones_own(connection: Connection, mine: Rule, keys: int) -> None:
    profile, checked = one_layer(mine)
    assert check_quality(connection, checked, profile).results[0].count == keys


@pytest.mark.parametrize(
    ("mine", "problem"),
    [
        (rule("telepathy"), "there is no kind telepathy"),
        (rule("range"), "field is missing"),
        (rule("holds", condition="TBMJ +"), "'TBMJ +' is no expression"),
        (rule("holds", condition="DLBM + 1 > 2 and BSM"), "BSM is a field, not a condition"),
    ],
)
def test_a_rule_that_cannot_be_understood_says_so(connection: Connection, mine: Rule, problem: str) -> None:
    profile, checked = one_layer(mine)
    with pytest.raises(BadRule, match="The rule mine of OWN") as error:
        check_quality(connection, checked, profile)
    assert problem in error.value.text.en


def test_text_where_numbers_are_wanted_is_no_value(connection: Connection) -> None:
    connection.execute('create temporary table own as select "BSM", "TBMJ"::text, geom from data.dltb')
    connection.execute('update own set "TBMJ" = \'much\' where "BSM" = %s', [FIRST])
    profile, checked = one_layer(rule("range", field="TBMJ", least=20_000))
    checked = {"OWN": checked["OWN"]._replace(table=sql.Identifier("pg_temp", "own"))}
    assert check_quality(connection, checked, profile).results[0].count == 3


def test_a_field_that_is_not_there_is_told(connection: Connection) -> None:
    layer = PROFILE.layer("DLTB")
    assert layer
    fields = (*layer.fields, FieldProfile("MORE", "text", Text("More", "更多"), required=True))
    mine = LayerProfile("OWN", "own", layer.title, "polygon", fields, key="BSM", rules=(rule("required"),))
    profile = Profile("own", layer.title, layer.title, "own", (mine,))
    checked = {"OWN": Checked(sql.Identifier("data", "dltb"), "BSM", SRID, mine)}
    assert check_quality(connection, checked, profile).results[0].count == 1
    assert findings(connection)[0]["note_zh"] == "图层缺少字段 更多(MORE)"


def update(connection: Connection, change: LiteralString) -> None:
    connection.execute(sql.SQL("update data.dltb set " + change.replace("{0}", FIRST)))


def test_many_findings_are_all_kept(connection: Connection) -> None:
    connection.execute("update data.dltb set \"QSXZ\" = '99', \"DLMC\" = '?'")
    names = found(connection, check_quality(connection, layers(), PROFILE))
    assert {name: len(keys) for name, keys in names.items()} == {"DLTB.ownership-known": 4, "DLTB.class-name": 4}
