"""The page on writing a process: what stands there runs."""

import re
from collections.abc import Iterator
from types import ModuleType

import pytest
import yaml
from psycopg import sql

from core.database import open_pool
from core.door import Door
from core.settings import ROOT, Settings
from processes.base import BadInput, Processor

PAGE = (ROOT / "docs" / "write-a-process.md").read_text("utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def process(city_database: str) -> Iterator[Processor]:  # type: ignore[type-arg]
    """The process of the page, over the test city; its query comes from the page too."""
    module = ModuleType("features_nearby")
    module.__dict__["__name__"] = "features_nearby"
    exec(compile(block("python"), "write-a-process.md", "exec"), module.__dict__)
    name, text = re.fullmatch(r"-- name: (\w+)\n(.*)", block("sql"), re.DOTALL).groups()  # type: ignore[union-attr]
    queries = {name: sql.SQL(text)}
    module.__dict__["query"] = queries.__getitem__
    settings = Settings(database_url=city_database)
    pool = open_pool(city_database, settings)
    yield module.__dict__["FeaturesNearby"]({"name": "x", "door": Door(pool, settings)})
    pool.close()


def test_the_process_of_the_page_answers(process: Processor) -> None:  # type: ignore[type-arg]
    inputs = {"dataset": "places", "lon": 126.55, "lat": 43.84}
    assert process.execute({**inputs, "distance": 1})[1]["count"] == 1
    assert process.execute(inputs)[1]["count"] == 1
    assert process.execute({**inputs, "distance": 2000})[1] == {"dataset": "places", "release": 3, "count": 2}


def test_its_example_runs_and_its_limits_hold(process: Processor) -> None:  # type: ignore[type-arg]
    media_type, answer = process.execute(process.metadata["example"]["inputs"])
    assert media_type == "application/json"
    assert answer["dataset"] == "parcels"
    with pytest.raises(BadInput, match="at most 90"):
        process.execute({"dataset": "parcels", "lon": 126.55, "lat": 91})


def test_its_three_lines_name_the_class(process: Processor) -> None:  # type: ignore[type-arg]
    offered = yaml.safe_load(block("yaml"))["resources"][process.metadata["id"]]
    assert offered == {"type": "process", "processor": {"name": "processes.features_nearby.FeaturesNearby"}}
    assert type(process).__name__ == "FeaturesNearby"
