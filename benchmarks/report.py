"""Tables of what was measured, as Markdown, and their place in a page."""

import os
import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psycopg
import pyogrio


class Table(NamedTuple):
    """Rows under headings; a number is written with as many digits as it deserves."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    note: str = ""

    def markdown(self) -> str:
        lines = [f"**{self.title}**", "", _line(self.headings), _line([":--", *["--:"] * (len(self.headings) - 1)])]
        lines += [_line([_shown(value) for value in row]) for row in self.rows]
        return "\n".join([*lines, *(["", self.note] if self.note else [])])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: str | float) -> str:
    if isinstance(value, str):
        return value
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 20 else 2
    return f"{value:,.{digits}f}".replace(",", " ")


def section(name: str, tables: Sequence[Table], surroundings: str) -> str:
    """One benchmark's tables with where they come from."""
    command = f"`python -m benchmarks {name}`, {datetime.now(UTC):%Y-%m-%d}. {surroundings}"
    return "\n\n".join([command, *(table.markdown() for table in tables)])


def surroundings(dsn: str) -> str:
    """The machine and the versions that the numbers hold for."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select current_setting('server_version'), postgis_lib_version()").fetchone()
    postgresql, postgis = row or ("?", "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GB; {_system()}; PostgreSQL {postgresql.split()[0]}, PostGIS {postgis}, "
        f"Python {platform.python_version()}, GDAL {pyogrio.__gdal_version_string__} (Chengtu's), "
        f"pygeoapi {version('pygeoapi')}."
    )


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    return found[1] if found else platform.machine()


def _system() -> str:
    release = platform.freedesktop_os_release()
    return release.get("PRETTY_NAME", sys.platform).replace("GNU/Linux ", "")


def put(page: Path, name: str, text: str) -> None:
    """Write a section between its markers in a page."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    whole = page.read_text("utf-8")
    before, _, rest = whole.partition(begin)
    _, marker, after = rest.partition(end)
    if not marker:
        raise ValueError(f"{page} has no place for {name}: {begin} ... {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
