"""The documents say what is: settings, configuration keys, links."""

import re
from pathlib import Path

import pytest
import yaml

from core.settings import ROOT, Settings
from server.service import Service, read_service

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_settings_table_lists_every_setting_with_its_default_and_meaning() -> None:
    table = (ROOT / "docs" / "settings.md").read_text("utf-8")
    documented = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)? ?\| (.+?) \|$", table, flags=re.MULTILINE)
    expected = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default).removeprefix(f"{ROOT}/")
        variable = "DATABASE_URL" if name == "database_url" else f"CHENGTU_{name.upper()}"
        expected.append((variable, default, field.description))
    assert documented == expected


def test_the_configuration_table_knows_every_key() -> None:
    table = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    keys = {f"server.{name}" for name in Service.model_fields["server"].annotation.model_fields} - {"server.limits"}  # type: ignore[union-attr]
    assert keys <= set(re.findall(r"`(server\.\w+)`", table))


def test_the_shipped_configuration_is_valid() -> None:
    assert "grid-cell-query" in read_service(ROOT / "pygeoapi-config.yml").resources


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_yaml_block_in_the_docs_is_yaml() -> None:
    blocks = [
        block for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
    ]
    for block in blocks:
        assert yaml.safe_load(block)
