"""What happens within a release: edits in SQL are counted, move the catalogue's numbers, and are not lost in silence."""

from pathlib import Path

import geopandas as gpd
import psycopg
import pytest
import shapely
from psycopg.rows import dict_row

from core.catalogue import Dataset, get_dataset
from core.database import connect, prepare
from loaders.release import EditsWouldBeLost
from tests.conftest import Load

INSERT = """
    insert into data.sites (no, seen, geom, ct_release)
    select 9, '2025-01-01', st_point(130, 43, 4490), release from chengtu.dataset
"""


def _sites(path: Path, count: int = 3) -> Path:
    frame = gpd.GeoDataFrame(
        {
            "no": range(1, count + 1),
            "seen": [f"2024-05-{n:02d}T08:00:00" for n in range(1, count + 1)],
        },
        geometry=shapely.points(range(126, 126 + count), [43.0] * count),
        crs=4490,
    )
    frame["seen"] = frame["seen"].astype("datetime64[ms]")
    frame.to_file(path, driver="GPKG")
    return path


@pytest.fixture
def sites(load_into: Load, tmp_path: Path) -> Path:
    path = _sites(tmp_path / "sites.gpkg")
    load_into(path, id="sites", key="no", time="seen")
    return path


def _entry(dsn: str) -> Dataset:
    with connect(dsn) as connection:
        return get_dataset(connection, "sites")


def _run(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def test_a_release_as_loaded_has_no_changes_and_knows_its_times(database: str, sites: Path) -> None:
    entry = _entry(database)
    assert entry.change == 0
    assert entry.interval is not None
    assert [moment.isoformat()[:19] for moment in entry.interval] == ["2024-05-01T08:00:00", "2024-05-03T08:00:00"]


@pytest.mark.parametrize(
    ("statement", "count", "east", "last"),
    [
        (INSERT, 4, 130, "2025-01-01"),
        ("update data.sites set geom = st_point(127.5, 43, 4490), seen = '2024-06-01' where no = 1", 3, 128, "2024-06-01"),
        ("delete from data.sites where no > 1", 1, 128, "2024-05-03"),
    ],
)  # fmt: skip
def test_each_statement_by_hand_is_counted_and_moves_number_and_extents(
    database: str, sites: Path, statement: str, count: int, east: float, last: str
) -> None:
    before = _entry(database)
    _run(database, statement)
    entry = _entry(database)
    assert (entry.change, entry.feature_count) == (1, count)
    assert entry.changed > before.changed
    assert entry.extent is not None
    assert entry.interval is not None
    assert entry.extent.east == east
    assert entry.interval[1].isoformat()[:10] == last


def test_a_statement_that_touches_nothing_or_is_rolled_back_is_no_change(database: str, sites: Path) -> None:
    _run(database, "delete from data.sites where no = 77")
    with psycopg.connect(database) as connection:
        connection.execute("delete from data.sites")
        connection.rollback()
    assert (_entry(database).change, _entry(database).feature_count) == (0, 3)


def test_a_load_does_not_undo_edits_unless_told_to(database: str, sites: Path, load_into: Load, tmp_path: Path) -> None:
    _run(database, "delete from data.sites where no = 1")
    with pytest.raises(EditsWouldBeLost, match="edited 1 times"):
        load_into(sites, id="sites", key="no", time="seen")
    assert _entry(database).feature_count == 2
    load_into(sites, id="sites", key="no", time="seen", discard_edits=True)
    assert (_entry(database).change, _entry(database).feature_count) == (0, 3)


def test_tables_of_an_older_schema_are_watched_after_the_next_start(database: str, sites: Path) -> None:
    _run(database, "drop trigger note_delete on data.sites; delete from chengtu.schema_file where name like '002%'")
    prepare(database)
    _run(database, "delete from data.sites where no = 1")
    assert _entry(database).change == 1
