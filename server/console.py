"""What the commands share: language, output for people or machines, progress, and the way to the database."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from core.language import Language, Text, spoken
from core.settings import Settings, command_line_language

LANGUAGE: Language = command_line_language()
OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)

as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=Text("Answer in JSON, for machines.", "以 JSON 输出,便于程序读取。").in_(LANGUAGE),
)


def words(en: str, zh: str) -> str:
    """One of two sentences, by the language of the command line."""
    return Text(en, zh).in_(LANGUAGE)


def say(text: Text) -> None:
    """Tell a person something; standard output stays free for what was asked for."""
    ERR.print(text.in_(spoken.get()), markup=False)


def show(lines: list[str]) -> None:
    """Print the answer for a person."""
    for line in lines:
        OUT.print(line, markup=False)


def show_json(value: Any) -> None:  # noqa: ANN401 — any JSON value
    """Print the answer for a machine."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


class Report(Protocol):
    """What a load or a join tells at its end."""

    def as_json(self) -> dict[str, Any]:
        """As plain values."""

    def lines(self, language: Language) -> list[str]:
        """As a person reads it."""


def show_report(report: Report, as_json: bool) -> None:
    """Print a report for a machine, or for a person."""
    if as_json:
        show_json(report.as_json())
    else:
        show(report.lines(LANGUAGE))


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The database to work with, its schema in order: DATABASE_URL's, or the private cluster's while we need it."""
    # psycopg and all that hangs on it cost a tenth of a second that `--help` need not pay.
    from core.database import prepare  # noqa: PLC0415
    from server.cluster import running  # noqa: PLC0415

    if settings.database_url is not None:
        prepare(settings.database_url)
        yield settings.database_url
        return
    with running(settings.var / "postgres", say) as dsn:
        prepare(dsn)
        yield dsn


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar on a terminal, for what takes longer than a second; nothing in pipes and for machines."""
    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True, disable=quiet or not sys.stderr.isatty()) as progress:
        tasks: list[TaskID] = []

        def tell(stage: str, done: int, total: int | None) -> None:
            if time.monotonic() - started < 1:
                return
            if not tasks:
                tasks.append(progress.add_task(label, total=total))
            description = f"{label} ({_STAGES[stage].in_(LANGUAGE)})"
            progress.update(tasks[0], description=description, completed=done, total=total)

        yield tell


_STAGES = {
    "read": Text("reading", "读取"),
    "publish": Text("indexing and publishing", "建索引并发布"),
    "generalise": Text("generalising low zooms", "综合低级别瓦片"),
    "tiles": Text("making tiles", "生成瓦片"),
}
