"""What scripts/setup.sh and the launcher promise."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import ROOT

NOBODY = 65534


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout_of_nobody() -> Iterator[Path]:
    """The files that the set-up reads, in a folder of an account without rights."""
    folder = Path(tempfile.mkdtemp(prefix="chengtu-test-", dir="/tmp"))
    for name in ("scripts/setup.sh", "requirements.lock", "requirements-dev.lock", "data/packages.lock"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copy(ROOT / "package-lock.json", folder)
    shutil.chown(folder, NOBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide the installed PostgreSQL")
@pytest.mark.parametrize(("locale", "words"), [("C", "This needs root: "), ("zh_CN.UTF-8", "需要 root 权限:")])
def test_without_root_one_line_says_what_to_run(checkout_of_nobody: Path, locale: str, words: str) -> None:
    hidden = "mount -t tmpfs none /usr/lib/postgresql"
    nobody = f"exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups sh scripts/setup.sh"
    command = ("unshare", "-m", "sh", "-c", f"{hidden} && {nobody}")
    answer = run(*command, cwd=checkout_of_nobody, LC_ALL=locale, DATABASE_URL="", HOME=str(checkout_of_nobody))
    (line,) = answer.stderr.splitlines()
    assert line.startswith(words)
    assert "`sudo apt-get install --no-install-recommends postgresql-postgis" in line
    assert answer.returncode == 1
    assert {path.name for path in (checkout_of_nobody / "var").iterdir()} == {"setup.lock", "setup.log"}


@pytest.mark.skipif(not (ROOT / ".venv/.for-test").exists(), reason="this environment was not made by scripts/setup.sh")
@pytest.mark.parametrize("mode", ["up", "dev"])
def test_a_second_set_up_installs_nothing(mode: str) -> None:
    answer = run("scripts/setup.sh", mode, cwd=ROOT, LC_ALL="C")
    assert answer.returncode == 0
    assert "Installing" not in answer.stderr


def test_the_launcher_works_from_a_folder_with_a_server_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "cli.py").write_text("raise SystemExit('not ours')\n")
    (tmp_path / "link").symlink_to(ROOT / "chengtu")
    answer = run(tmp_path / "link", "--help", cwd=tmp_path)
    assert answer.returncode == 0
    assert "datasets" in answer.stdout


def test_an_unknown_wish_is_answered_with_the_known_ones() -> None:
    answer = run("scripts/setup.sh", "everything", cwd=ROOT)
    assert answer.returncode == 1
    assert answer.stderr == "scripts/setup.sh [up|dev|lock|qgis]\n"
