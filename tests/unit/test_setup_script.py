"""What the lock files promise to whoever sets Chengtu up."""

import json
import re
from pathlib import Path

import pytest

from core.settings import ROOT

PIN = re.compile(r"^([\w.\[\]-]+==\S+)(?: ; [^\\]+)? \\$", re.MULTILINE)
LOCKS = ["requirements.lock", "requirements-dev.lock", "data/packages.lock"]


def pins(name: str) -> set[str]:
    return set(PIN.findall((ROOT / name).read_text("utf-8")))


@pytest.mark.parametrize("name", LOCKS)
def test_every_python_package_is_pinned_with_a_hash(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    blocks = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(blocks) == len(pins(name)) > 0
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_says_where_packages_come_from(name: str) -> None:
    assert "://" not in (ROOT / name).read_text("utf-8")


def test_the_tests_environment_holds_all_that_the_service_needs() -> None:
    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_sample_data_packages_replace_none_that_the_service_runs_on() -> None:
    def names(lock: str) -> set[str]:
        return {pin.partition("==")[0] for pin in pins(lock)}

    assert not names("data/packages.lock") & names("requirements-dev.lock")


def test_the_maps_library_is_pinned_with_hashes_and_no_address() -> None:
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert all(locked[f"node_modules/{name}"]["version"] == version for name, version in wanted.items())
    assert all("integrity" in package for folder, package in locked.items() if folder)
    assert not any("resolved" in package for package in locked.values())


def test_ci_runs_the_command_that_people_run() -> None:
    lines = Path(ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert lines[-1] == "make test"
