"""The documents say what is: settings, configuration keys, links."""

import re
from pathlib import Path

import pytest
import yaml

from core.settings import ROOT, Settings
from loaders.cass.spool import THEMES
from loaders.crs import read_datum_shift
from loaders.profiles import shipped_profiles
from loaders.sniff import SUFFIXES
from server.commands.load import load
from server.contract.findings import KINDS
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


def test_the_table_of_findings_has_every_kind_with_its_state_and_consequence() -> None:
    table = (ROOT / "docs" / "qgis.md").read_text("utf-8").split("## Findings")[1]
    documented = re.findall(r"^\| `([\w-]+)` \| (\w+) \| (.+) \|$", table, flags=re.MULTILINE)
    assert documented == [(code, kind.state, kind.consequence.en) for code, kind in KINDS.items()]


def test_every_yaml_block_in_the_docs_is_yaml() -> None:
    blocks = [
        block for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
    ]
    for block in blocks:
        assert yaml.safe_load(block)


LOADING = (ROOT / "docs" / "loading.md").read_text("utf-8")


def test_the_table_of_formats_has_every_suffix_that_is_read() -> None:
    table = LOADING.split("## Formats")[1].split("##")[0]
    named = {
        suffix
        for row in table.splitlines()
        for suffix in re.findall(r"`(\.\w+)`", row.split("|")[1] if "|" in row else "")
    }
    assert named == set(SUFFIXES)


def test_every_option_that_the_loading_page_names_exists() -> None:
    options = {option for parameter in load.params for option in parameter.opts}
    assert set(re.findall(r"`(--[a-z-]+)", LOADING)) | set(re.findall(r" (--[a-z-]+)", LOADING)) <= options | {"--help"}


def test_the_example_of_a_datum_shift_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", LOADING, flags=re.DOTALL)
    path = tmp_path / "shift.toml"
    path.write_text(example, "utf-8")
    path.chmod(0o600)
    assert read_datum_shift(path).source == 4610


def test_the_profiles_page_shows_the_example_and_names_every_profile() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    assert (ROOT / "data" / "profiles" / "street-trees.toml").read_text("utf-8") in page
    documented = re.findall(r"^\| `([\w-]+)` \|", page, flags=re.MULTILINE)
    assert sorted(documented) == sorted(one.id for one in shipped_profiles())


TOPOGRAPHIC = (ROOT / "docs" / "topographic.md").read_text("utf-8")


def test_the_topographic_page_knows_every_theme_and_only_options_that_exist() -> None:
    themes = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\w+)", TOPOGRAPHIC.split("## ")[0], flags=re.MULTILINE)
    assert [(theme, kind.replace("areas", "polygons")) for theme, kind in themes] == list(THEMES.items())
    options = {option for parameter in load.params for option in parameter.opts}
    assert set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", TOPOGRAPHIC)) <= options
    for code in re.findall(r"^\d{6},.*", TOPOGRAPHIC, flags=re.MULTILINE):
        assert code in (ROOT / "data/codelists/cass-codes.csv").read_text("utf-8")
