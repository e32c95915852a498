"""The command line: plain words in two languages, exit codes, JSON for machines, and no traces."""

import json
import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from core.settings import ROOT, Settings
from tests.integration.test_releases import parcels


class Shell:
    """Runs `chengtu` over one database."""

    def __init__(self, dsn: str, var: Path) -> None:
        self.environment = os.environ | {"DATABASE_URL": dsn, "CHENGTU_VAR": str(var), "LC_ALL": "C.UTF-8"}

    def __call__(self, *arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [str(ROOT / "chengtu"), *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment | environment, capture_output=True, text=True, check=False, cwd="/"
        )


@pytest.fixture
def chengtu(database: str, tmp_path: Path) -> Shell:
    return Shell(database, tmp_path / "var")


def test_load_reports_for_people_and_for_machines(chengtu: Shell, tmp_path: Path) -> None:
    path = parcels(tmp_path / "parcels.gpkg", {1: "甲", 2: "乙"})
    told = chengtu("load", path, "--key", "no", "--title-zh", "宗地")
    assert (told.returncode, told.stderr) == (0, "")
    assert "parcels: 2 features published; 2 added, 0 removed, 0 changed" in told.stdout
    again = chengtu("load", path, "--key", "no", "--json")
    report = json.loads(again.stdout)
    assert report["rows_in"] == 2
    assert report["datasets"][0]["outcome"] == "unchanged"
    assert report["datasets"][0]["extent"]["west"] == pytest.approx(126.498, abs=0.001)


def test_load_speaks_chinese_where_the_locale_does(chengtu: Shell, tmp_path: Path) -> None:
    told = chengtu("load", parcels(tmp_path / "parcels.gpkg", {1: "甲"}), LC_ALL="zh_CN.UTF-8")
    assert "parcels: 已发布 1 条,新增 1,删除 0,修改 0" in told.stdout
    assert "加载矢量文件并发布" in chengtu("load", "--help", LC_ALL="zh_CN.UTF-8").stdout


def test_datasets_are_listed_shown_and_removed(chengtu: Shell, tmp_path: Path) -> None:
    chengtu("load", parcels(tmp_path / "parcels.gpkg", {1: "甲"}), "--title-en", "Parcels")
    listed = chengtu("datasets", "list")
    assert "parcels" in listed.stdout
    assert "published" in listed.stdout
    assert [one["id"] for one in json.loads(chengtu("datasets", "list", "--json").stdout)] == ["parcels"]
    assert json.loads(chengtu("datasets", "show", "parcels", "--json").stdout)["report"]["rows_in"] == 1
    assert "title: " in chengtu("datasets", "show", "parcels").stdout
    assert chengtu("datasets", "remove", "parcels", "--yes").returncode == 0
    assert json.loads(chengtu("datasets", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["load", "/no/such.shp"], 2, "/no/such.shp"),
        (["load", "https://example.org/a.shp"], 2, "a.shp"),
        (["load"], 2, "SOURCE"),
        (["load", "x.shp", "--srs"], 2, "--srs"),
        (["datasets", "show", "nothing"], 2, "There is no data set nothing"),
        (["datasets", "remove", "nothing", "--yes"], 2, "There is no data set nothing"),
        (["nothing"], 2, "nothing"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(chengtu: Shell, arguments: list[str], code: int, words: str) -> None:
    answer = chengtu(*arguments)
    assert answer.returncode == code
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


def test_a_database_that_is_not_there_is_exit_code_3(chengtu: Shell) -> None:
    answer = chengtu("datasets", "list", DATABASE_URL="host=127.0.0.1 port=1 dbname=x")
    assert answer.returncode == 3
    assert answer.stderr.startswith("chengtu: The database does not answer")
    assert answer.stderr.count("\n") == 1


def test_a_misspelt_setting_is_named(chengtu: Shell) -> None:
    answer = chengtu("datasets", "list", CHENGTU_PROT="1")
    assert (answer.returncode, "CHENGTU_PROT" in answer.stderr) == (2, True)


def test_a_data_set_is_described_anew_without_a_load(chengtu: Shell, tmp_path: Path) -> None:
    chengtu("load", parcels(tmp_path / "parcels.gpkg", {1: "甲"}), "--title-en", "Parcels")
    told = chengtu(
        "datasets", "set", "parcels", "--editable", "--title-zh", "宗地", "--keyword", "land", "--max-age", "60"
    )
    assert (told.returncode, "described anew" in told.stderr) == (0, True)
    assert "CHENGTU_EDIT_KEY" in told.stderr
    assert "so already" in chengtu("datasets", "set", "parcels", "--max-age", "60").stderr
    found = json.loads(chengtu("datasets", "set", "parcels", "--not-editable", "--json").stdout)
    assert (found["editable"], found["max_age"], found["keywords"]) == (False, 60, ["land"])
    assert found["title"] == {"en": "Parcels", "zh": "宗地"}
    assert found["release"] == 1
    assert chengtu("datasets", "set", "parcels").returncode == 2
    assert chengtu("datasets", "set", "nothing", "--editable").returncode == 2


def test_a_key_that_is_too_short_is_refused_and_not_repeated(chengtu: Shell) -> None:
    for key in ("short", "with blanks in between", "a-key-with-密-in-it"):
        answer = chengtu("doctor", CHENGTU_EDIT_KEY=key)
        assert (answer.returncode, "CHENGTU_EDIT_KEY" in answer.stderr) == (2, True)
        assert key not in answer.stdout + answer.stderr
    key = "a-key-that-is-long-enough"
    assert key not in chengtu("doctor", CHENGTU_EDIT_KEY=key).stdout
    assert key not in repr(Settings(edit_key=key))


def test_doctor_finds_what_is_wrong_and_says_what_to_do(chengtu: Shell, database: str, tmp_path: Path) -> None:
    chengtu("load", parcels(tmp_path / "parcels.gpkg", {1: "甲"}))
    healthy = chengtu("doctor", "--json")
    found = {one["name"]: one for one in json.loads(healthy.stdout)}
    assert healthy.returncode == 0
    assert {"Python", "pygeoapi", "GDAL", "PROJ", "PostgreSQL", "PostGIS", "disk", "catalogue"} <= found.keys()
    with psycopg.connect(database) as connection:
        connection.execute("drop table data.parcels")
        connection.execute("create table data.stray (n integer)")
    sick = chengtu("doctor")
    assert sick.returncode == 3
    assert "parcels: its table is gone" in sick.stdout
    assert "chengtu datasets remove parcels" in sick.stdout
    assert "data.stray" in sick.stdout


def test_up_names_the_port_that_is_taken(chengtu: Shell, live_server: str) -> None:
    answer = chengtu("up", "--no-sample", CHENGTU_PORT=live_server.rsplit(":", 1)[1])
    assert answer.returncode == 3
    assert "CHENGTU_PORT" in answer.stderr


def test_help_is_there_for_every_command(chengtu: Shell) -> None:
    for command in ([], ["up"], ["load"], ["datasets"], ["datasets", "list"], ["doctor"]):
        answer = chengtu(*command, "--help")
        assert (answer.returncode, answer.stderr) == (0, "")
        assert "Usage" in answer.stdout
