"""pygeoapi-config.yml and the environment: what is not known is an error that names it."""

from pathlib import Path

import pytest

from core.errors import BadSettings
from core.settings import ROOT, Settings, read_settings
from server.service import read_service

GOOD = (ROOT / "pygeoapi-config.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("cors: true", "corss: true", "server.corss"),
        ("max_items: 10000", "max_items: 10", "default_items must not exceed max_items"),
        ("max_items: 10000", "max_items: many", "server.limits.max_items"),
        ("type: process", "type: processor", "resources.grid-cell-query.type"),
        (
            "processor:\n      name: processes.grid_cell_query.GridCellQuery",
            "processr: x",
            "resources.grid-cell-query.processor",
        ),
        ("  provider:\n    name: Chengtu\n", "", "metadata.provider"),
        ("languages: [en, zh]", "languages: [tlh]", "server.languages"),
        ("server:", "server: [", "pygeoapi-config.yml"),
        ("server:", "sever:", "sever"),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path: Path, old: str, new: str, names: str) -> None:
    assert old in GOOD
    path = tmp_path / "pygeoapi-config.yml"
    path.write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(BadSettings, match=names.replace(".", r"\.")):
        read_service(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"nothing\.yml"):
        read_service(tmp_path / "nothing.yml")


def test_an_unknown_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHENGTU_PROT", "5001")
    with pytest.raises(BadSettings, match="CHENGTU_PROT: no such setting"):
        read_settings()


@pytest.mark.parametrize(("name", "value"), [("PORT", "many"), ("PORT", "0"), ("LOG", "loud"), ("WORKERS", "-1")])
def test_a_value_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CHENGTU_{name}", value)
    with pytest.raises(BadSettings, match=f"CHENGTU_{name}"):
        read_settings()


def test_the_private_cluster_can_hold_all_connections_or_it_says_so() -> None:
    with pytest.raises(ValueError, match="must not exceed 90"):
        Settings(workers=20, pool=20)


def test_the_language_follows_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "CHENGTU_LANG"):
        monkeypatch.delenv(name, raising=False)
    assert read_settings().language == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert read_settings().language == "zh"
    monkeypatch.setenv("CHENGTU_LANG", "en")
    assert read_settings().language == "en"
