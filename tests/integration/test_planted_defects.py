"""The checks find all defects that were planted in a made-up survey, rule by rule, and nothing else."""

from collections import defaultdict
from pathlib import Path

import psycopg
from psycopg import sql

from data.survey import RULES, Wish, survey_files
from tests.conftest import Load

EACH = 2
WISH = Wish(parcels=1_500)
LAYERS = ("dltb", "xzq", "xzqjx", "cjdcq", "cjdcqjx", "pdt", "yjjbnttb", "stbhhx", "czcdyd")

type Defects = dict[str, set[str | frozenset[str]]]


def found_in(dsn: str) -> Defects:
    """What was published as findings, by rule: features, or pairs of them."""
    found: Defects = defaultdict(set)
    with psycopg.connect(dsn) as connection:
        for layer in LAYERS:
            table = sql.Identifier("data", f"{layer}_quality")
            if connection.execute("select to_regclass(%s)", [table.as_string()]).fetchone() == (None,):
                continue
            for rule, one, other in connection.execute(sql.SQL("select rule, feature, other from {}").format(table)):
                found[rule].add(one if other is None else frozenset((one, other)))
    return found


def test_what_is_found_is_what_was_planted(database: str, load_into: Load, tmp_path: Path) -> None:
    written = survey_files(WISH, tmp_path, defects=dict.fromkeys(RULES, EACH))
    truth: Defects = {
        rule: {one if isinstance(one, str) else frozenset(one) for one in defects}
        for rule, defects in written.told["rules"].items()
    }
    load_into(written.data, accept=frozenset({"all"}))
    assert found_in(database) == truth
    assert {rule: len(defects) for rule, defects in truth.items()} == dict.fromkeys(RULES, EACH)


def test_a_survey_without_defects_is_published_without_findings(database: str, load_into: Load, tmp_path: Path) -> None:
    written = survey_files(WISH, tmp_path, srid=4530, form="zip")
    report = load_into(written.data)
    assert {one.id for one in report.datasets} == set(LAYERS)
    assert not found_in(database)
