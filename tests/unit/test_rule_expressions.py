"""The little language of rules: what it means in SQL, and what it refuses."""

import pytest
from psycopg import sql

from core.codelists import codelists
from loaders.profiles import Profile, shipped_profiles
from loaders.quality import KINDS
from loaders.quality.expressions import Expression, Kind, Misunderstood, compiled


def field(name: str, wanted: Kind | None) -> Expression:
    return Expression(sql.SQL("t.{}").format(sql.Identifier(name)), wanted or "text")


def as_sql(text: str, wanted: Kind) -> str:
    return compiled(text, field, wanted).as_string(None)


@pytest.mark.parametrize(
    ("text", "wanted", "meaning"),
    [
        ("TBMJ - KCMJ", "number", '( t."TBMJ" - t."KCMJ" )'),
        ("TBMJ / KCMJ", "number", '(t."TBMJ" / nullif(t."KCMJ", 0))'),
        ("-coalesce(KCMJ, 0)", "number", '(- coalesce(t."KCMJ", 0.0::double precision))'),
        ('left(DLBM, 2) == "01"', "truth", "(left(t.\"DLBM\", (2.0::double precision)::integer) = '01')"),
        ('DLBM in ("0101", "0102")', "truth", "(t.\"DLBM\" in ('0101', '0102'))"),
        ("not (KCXS > 0 or missing(BZ))", "truth", '(not ((t."KCXS" > 0.0::double precision) or (t."BZ") is null))'),
        ('图斑 == "a\'b; drop table x"', "truth", "(t.\"图斑\" = 'a''b; drop table x')"),
    ],
)
def test_an_expression_becomes_sql(text: str, wanted: Kind, meaning: str) -> None:
    assert as_sql(text, wanted) == meaning


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("TBMJ -", "number"),
        ("__import__('os')", "number"),
        ("TBMJ.real", "number"),
        ("pg_sleep(5)", "number"),
        ("TBMJ ** 2", "number"),
        ("[x for x in y]", "number"),
        ('"01" + "02"', "number"),
        ("TBMJ - KCMJ", "truth"),
        ("DLBM in ()", "truth"),
        ("left(DLBM)", "text"),
        ("0 < KCXS < 1", "truth"),
        ("True", "truth"),
        ("(" * 300 + "1" + ")" * 300, "number"),
        ("1 + " * 400 + "1", "number"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, wanted: Kind) -> None:
    with pytest.raises(Misunderstood):
        as_sql(text, wanted)


@pytest.mark.parametrize("profile", shipped_profiles(), ids=lambda profile: profile.id)
def test_the_rules_that_are_shipped_can_be_checked(profile: Profile) -> None:
    for layer in profile.layers:
        names = {one.name for one in layer.fields}
        lists = {one.name: one.codelist for one in layer.fields}
        ids = [rule.id for rule in layer.rules]
        for rule in layer.rules:
            assert set(KINDS[rule.kind]) <= rule.parameters.keys(), rule.id
            spoken = [rule.parameters.get("field"), rule.parameters.get("name"), *rule.parameters.get("fields", ())]
            assert {one for one in spoken if one} <= names, rule.id
            assert set(rule.parameters.get("after", ())) <= set(ids), rule.id
            others = [rule.parameters.get("layer"), *rule.parameters.get("boundary", ())]
            assert all(profile.layer(one) for one in others if one), rule.id
            if rule.kind in ("codelist", "name-of-code"):
                assert (rule.parameters.get("codelist") or lists[rule.parameters["field"]]) in codelists(), rule.id
