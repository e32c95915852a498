"""A plain load of a layer, or one kind of check on a survey that was loaded, in a process of its own.

`python -m benchmarks.checking load SOURCE LAYER`, or `python -m benchmarks.checking attributes|areas|topology|all|postgis`;
the database is DATABASE_URL's. A load makes no generalised zooms: it is what checks are compared with.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from psycopg import sql

from core.database import Connection, connect
from core.settings import read_settings
from loaders import Options, load
from loaders.profiles import Profile, Rule, find_profile
from loaders.quality import Checked, check_quality

SHAPES = ("overlap", "gap", "near-edge", "outside", "sliver", "self-crossing")
_ELSEWHERE = (*SHAPES, "area", "inside-named")
_RULES: dict[str, Callable[[Rule], bool]] = {
    "attributes": lambda rule: rule.kind not in _ELSEWHERE,
    "areas": lambda rule: rule.kind == "area",
    "topology": lambda rule: rule.kind in SHAPES,
    "all": lambda rule: True,
}
# What is asked of PostGIS by hand: pairs whose interiors share an area, and how large that is.
_PAIRS = """
    select count(*) as n
    from (
        select st_area(st_intersection(a.geom, b.geom)) as shared
        from data.survey_dltb as a inner join data.survey_dltb as b on a."BSM" < b."BSM" and st_intersects(a.geom, b.geom)
        where hashtext(a."BSM") % 50 = 0 and st_relate(a.geom, b.geom, '2********')
    ) as pair
    where pair.shared > 0.5
"""


def main(kind: str, *arguments: str) -> None:
    """Print what was found, and in how many seconds."""
    dsn = read_settings().database_url or ""
    started = time.monotonic()
    if kind == "load":
        found = _load(dsn, Path(arguments[0]), arguments[1])
    else:
        with connect(dsn) as connection:
            found = _by_postgis(connection) if kind == "postgis" else _by_rules(connection, kind)
    print(json.dumps({"seconds": round(time.monotonic() - started, 2), "found": found}))


def _load(dsn: str, source: Path, layer: str) -> int:
    """Load a layer as it is, by no profile and without rules."""
    options = Options(id=f"survey_{layer.lower()}", layer=layer, profile="none", key="BSM")
    report = load(source, dsn, options, scratch=read_settings().var, archive_limit=10**10)
    return report.datasets[0].rows


def _by_postgis(connection: Connection) -> int:
    row = connection.execute(_PAIRS).fetchone()
    return int(row["n"]) if row else 0


def _by_rules(connection: Connection, kind: str) -> int:
    """Check the parcels against some of their rules, with villages and districts beside them."""
    profile = _only(find_profile("land-survey"), _RULES[kind])
    layers = {layer.name: layer for layer in profile.layers if layer.name in ("DLTB", "CJDCQ", "XZQ")}
    row = connection.execute("select srid from chengtu.dataset where id = 'survey_dltb'").fetchone()
    checked = {
        name: Checked(
            sql.Identifier("data", f"survey_{layer.id}"),
            "BSM",
            int(row["srid"]) if row else 0,
            layer,
            judged=name == "DLTB",
        )
        for name, layer in layers.items()
    }
    return sum(result.count for result in check_quality(connection, checked, profile).results)


def _only(profile: Profile, wanted: Callable[[Rule], bool]) -> Profile:
    return replace(
        profile,
        layers=tuple(replace(one, rules=tuple(filter(wanted, one.rules))) for one in profile.layers),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
