"""What the peers need, installed when they are asked for: environments of their own, and Debian's packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from core.settings import ROOT, read_settings

MARTIN = "1.14.0"
_PACKAGES = {
    "cgi-mapserver": Path("/usr/lib/cgi-bin/mapserv"),
    "qgis-server": Path("/usr/lib/cgi-bin/qgis_mapserv.fcgi"),
    "lighttpd": Path("/usr/sbin/lighttpd"),
}


def packages() -> None:
    """See that MapServer, QGIS Server and a web server for both are there."""
    missing = [name for name, program in _PACKAGES.items() if not program.exists()]
    if not missing:
        return
    command = ["apt-get", "install", "-qy", "--no-install-recommends", *missing]
    if os.geteuid() or not shutil.which("apt-get"):
        raise click.ClickException(f"The peers are missing: run `sudo {' '.join(command)}`, then again.")
    subprocess.run(["apt-get", "update", "-q"], check=False, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def package_version(name: str) -> str:
    """The upstream version of a Debian package."""
    command = ["dpkg-query", "-W", "-f", "${source:Upstream-Version}", name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.partition("+")[0]


def martin() -> Path:
    """The program of Martin, built from its source where it is not there yet, in ten minutes."""
    folder = _folder("martin")
    program = folder / "bin" / "martin"
    if not program.exists():
        cargo = _found("cargo", Path.home() / ".cargo/bin/cargo", advice="install Rust (rustup.rs)")
        click.echo("Martin is being built: about ten minutes.", err=True)
        features = ("--locked", "--no-default-features", "--features", "postgres")
        _run(cargo, "install", "-q", "martin", "--version", MARTIN, *features, "--root", folder)
    return program


def python(name: str) -> Path:
    """The interpreter of an environment with the pinned packages of `<name>.txt`, made anew when they have changed."""
    folder = _folder(name)
    pins = _pins(name)
    stamp = folder / "pins.txt"
    interpreter = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != pins.read_text():
        uv = _uv()
        _run(uv, "venv", "-q", "--clear", "-p", sys.executable, folder)
        _run(uv, "pip", "sync", "-q", "-p", interpreter, pins)
        shutil.copyfile(pins, stamp)
    return interpreter


def pinned(name: str) -> str:
    """The version of a peer that is pinned."""
    lines = _pins(name).read_text().splitlines()
    return next(line.removeprefix(f"{name}==") for line in lines if line.startswith(f"{name}=="))


def _pins(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.txt")


def _folder(name: str) -> Path:
    return read_settings().var.absolute() / "peers" / name


def _uv() -> str:
    """Where `scripts/setup.sh` looks for it."""
    beside = ROOT / "var/tools/bin/uv"
    return _found("uv", Path.home() / ".local/bin/uv", beside, advice="run `python3 -m pip install uv`")


def _found(name: str, *places: Path, advice: str) -> str:
    """Where a program is; if it is nowhere, what to do."""
    for place in (shutil.which(name), *places):
        if place and Path(place).exists():
            return str(place)
    raise click.ClickException(f"{name} is missing: {advice}, then again.")


def _run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True)
