"""What the rules of a profile find refuses a release, or is published with it: told by the API, and on the map."""

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import httpx
import pytest
from openapi_spec_validator import validate

from core.catalogue import list_datasets
from core.database import connect
from loaders import QualityRefused, remove
from loaders.judging import NoSuchRule
from tests.conftest import Load, loader_for, service
from tests.survey import square

PROFILE = """
id = "plots"
standard = "test"
title = { zh = "地块", en = "Plots" }

[layers.PLOTS]
id = "plots"
title = { zh = "地块", en = "Plots" }
geometry = "polygon"
key = "NO"
fields = [
  { name = "NO", type = "text", required = true, title = { zh = "编号", en = "Number" } },
  { name = "KIND", type = "text", title = { zh = "种类", en = "Kind" } },
]

[[layers.PLOTS.rules]]
id = "number-unique"
kind = "unique"
fields = ["NO"]
severity = "error"
clause = "1.1"
title = { zh = "编号唯一", en = "Numbers are unique" }

[[layers.PLOTS.rules]]
id = "overlap"
kind = "overlap"
severity = "error"
clause = "1.2"
title = { zh = "图斑不重叠", en = "Plots do not overlap" }

[[layers.PLOTS.rules]]
id = "kind-given"
kind = "required"
fields = ["KIND"]
severity = "warning"
clause = "1.3"
title = { zh = "种类必填", en = "The kind is given" }
"""


def plots(folder: Path, name: str, numbers: list[str], kinds: list[str | None], columns: list[float]) -> Path:
    """Squares in a row; two of them overlap where their columns are less than 1 apart."""
    frame = gpd.GeoDataFrame(
        {"NO": numbers, "KIND": kinds}, geometry=[square(column, 0) for column in columns], crs=4551
    )
    frame.to_file(folder / f"{name}.gpkg", layer="plots")
    return folder / f"{name}.gpkg"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "plots.toml"
    path.write_text(PROFILE, "utf-8")
    return path


def test_errors_refuse_the_release_and_tell_the_features(
    database: str, load_into: Load, tmp_path: Path, profile: Path
) -> None:
    source = plots(tmp_path, "a", ["1", "2", "3"], ["x", None, "x"], [0, 0.5, 5])
    with pytest.raises(QualityRefused) as caught:
        load_into(source, profile=str(profile))
    assert "overlap 1" in str(caught.value)
    assert "--accept overlap" in str(caught.value)
    report = caught.value.report.as_json()
    rules = {rule["id"]: (rule["count"], rule["ids"]) for rule in report["quality"]["plots"]["rules"]}
    assert rules == {"number-unique": (0, []), "overlap": (1, ["1", "2"]), "kind-given": (1, ["2"])}
    assert report["outcome"] == "refused"
    with connect(database) as connection:
        assert list_datasets(connection) == []
    with pytest.raises(NoSuchRule):
        load_into(source, profile=str(profile), accept=frozenset({"overlaps"}))


def test_a_key_that_is_not_unique_can_be_accepted(
    database: str, load_into: Load, tmp_path: Path, profile: Path
) -> None:
    source = plots(tmp_path, "a", ["1", "1", "3"], ["x", "x", "x"], [0, 2, 4])
    with pytest.raises(QualityRefused) as caught:
        load_into(source, profile=str(profile))
    found = {rule.id: rule.ids for rule in caught.value.report.quality["plots"]}
    assert found == {"number-unique": ("1",), "overlap": (), "kind-given": ()}
    load_into(source, profile=str(profile), accept=frozenset({"number-unique"}))
    with connect(database) as connection:
        assert [(one.id, one.key) for one in list_datasets(connection)] == [("plots", "fid"), ("plots_quality", "fid")]


def test_a_dry_run_publishes_nothing(database: str, load_into: Load, tmp_path: Path, profile: Path) -> None:
    report = load_into(plots(tmp_path, "a", ["1", "2"], ["x", "x"], [0, 2]), profile=str(profile), dry_run=True)
    assert report.outcome == "checked"
    assert report.datasets[0].changes.added == 2
    with connect(database) as connection:
        assert list_datasets(connection) == []


@pytest.fixture(scope="module")
def dirty(
    server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory, profile: Path
) -> Iterator[tuple[str, Load]]:
    """A service over plots that overlap, which was accepted."""
    from tests.conftest import _database  # noqa: PLC0415 — a database that a module shares

    folder = tmp_path_factory.mktemp("dirty")
    with _database(server_dsn, "chengtu_test_quality", template) as dsn:
        load = loader_for(dsn, folder)
        load(
            plots(folder, "a", ["1", "2", "3"], ["x", None, "x"], [0, 0.5, 5]),
            profile=str(profile),
            accept=frozenset({"all"}),
        )
        with service(dsn) as url:
            yield url, load


def test_the_verdicts_and_the_findings_are_served(dirty: tuple[str, Load]) -> None:
    with httpx.Client(base_url=dirty[0], timeout=30) as api:
        answer = api.get("/collections/plots/quality")
        document = answer.json()
        assert document["profile"] == "plots/PLOTS"
        assert document["current"] is True
        rules = {rule["id"]: rule for rule in document["rules"]}
        assert (rules["overlap"]["count"], rules["overlap"]["ids"], rules["overlap"]["accepted"]) == (
            1,
            ["1", "2"],
            True,
        )
        assert (rules["kind-given"]["severity"], rules["kind-given"]["ids"]) == ("warning", ["2"])
        assert rules["number-unique"]["count"] == 0
        assert (
            api.get("/collections/plots/quality", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        )
        features = api.get("/collections/plots_quality/items?filter=rule='overlap'").json()["features"]
        assert [(one["properties"]["feature"], one["properties"]["other"]) for one in features] == [("1", "2")]
        assert features[0]["geometry"]["type"] in ("Polygon", "MultiPolygon")
        links = [one["href"] for one in api.get("/collections/plots").json()["links"] if one["rel"] == "quality"]
        assert [httpx.get(link).status_code for link in links] == [200, 200]
        described = api.get("/openapi").json()
        assert [path for path in described["paths"] if path.endswith("/quality")] == ["/collections/plots/quality"]
        validate(described)


def test_there_is_a_page_in_both_languages(dirty: tuple[str, Load]) -> None:
    with httpx.Client(base_url=dirty[0], timeout=30) as api:
        page = api.get("/collections/plots/quality?f=html&lang=zh").text
        assert "图斑不重叠" in page
        assert '/collections/plots/items/1"' in page
        assert "Plots do not overlap" in api.get("/collections/plots/quality?f=html&lang=en").text
        assert "/quality" in api.get("/collections/plots?f=html").text


@pytest.mark.parametrize("path", ["/collections/plots_quality/quality", "/collections/nothing/quality"])
def test_what_was_not_checked_is_not_found(dirty: tuple[str, Load], path: str) -> None:
    answer = httpx.get(dirty[0] + path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "NotFound"


def test_a_mended_release_empties_the_findings(dirty: tuple[str, Load], tmp_path: Path, profile: Path) -> None:
    dirty[1](plots(tmp_path, "b", ["1", "2", "3"], ["x", "y", "x"], [0, 2, 5]), profile=str(profile), id="plots")
    rules = httpx.get(dirty[0] + "/collections/plots/quality").json()["rules"]
    assert [rule["count"] for rule in rules] == [0, 0, 0]


def test_findings_go_with_what_they_are_about(database: str, load_into: Load, tmp_path: Path, profile: Path) -> None:
    source = plots(tmp_path, "a", ["1", "2"], ["x", "x"], [0, 0.5])
    for _ in range(2):
        load_into(source, profile=str(profile), accept=frozenset({"all"}))
        with connect(database) as connection:
            assert [one.id for one in list_datasets(connection)] == ["plots", "plots_quality"]
            remove(connection, "plots")
            assert list_datasets(connection) == []
    load_into(source, profile=str(profile), accept=frozenset({"all"}))
    load_into(source, id="plots", profile="none")
    with connect(database) as connection:
        assert [one.id for one in list_datasets(connection)] == ["plots"]
