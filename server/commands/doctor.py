"""`chengtu doctor`: what is as it should be, what is not, and what to do about it."""

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from core.errors import ChengtuError
from core.language import Text, spoken
from core.settings import ROOT, Settings
from server.console import OUT, as_json, database, show_json, words

if TYPE_CHECKING:
    from server import contract

State = Literal["ok", "note", "wrong"]
_FREE = 5_000_000_000  # bytes: less makes loads of a whole city fail
_MARKS = {"ok": "[green]✓[/]", "note": "[yellow]·[/]", "wrong": "[red]✗[/]"}


class Finding(NamedTuple):
    """One thing looked at; `advice` says what to do where it is not right."""

    name: str
    state: State
    found: str
    advice: Text | None = None


@click.command(
    help=words(
        "Check versions, PostGIS, PROJ, disk and catalogue; say what to do. With --qgis: check instead what QGIS gets"
        " from a service.",
        "检查版本、PostGIS、PROJ、磁盘与目录,并给出处理建议。带 --qgis 时:改为检查 QGIS 能从服务得到什么。",
    )
)
@click.option(
    "--qgis",
    "qgis_url",
    metavar="[URL]",
    is_flag=False,
    flag_value="",
    help=words(
        "Ask an OGC API - Features service as QGIS does, ours if no URL is given; nothing is written.",
        "像 QGIS 一样请求 OGC API - Features 服务(缺省为本服务),不写入任何内容。",
    ),
)
@click.option(
    "--collection",
    metavar="ID",
    help=words("The collection to ask for; else the first.", "要检查的集合;缺省为第一个。"),
)
@as_json
@click.pass_obj
def doctor(settings: Settings, qgis_url: str | None, collection: str | None, as_json: bool) -> None:
    """Look at everything; the exit code is 3 where something is wrong."""
    if qgis_url is not None:
        _ask_as_qgis(qgis_url or settings.base_url, collection, as_json=as_json)
        return
    if collection is not None:
        raise click.UsageError(words("--collection goes with --qgis.", "--collection 须与 --qgis 一起使用。"))
    findings = [*_software(), *_disk(settings), *_configuration(settings), *_from_database(settings)]
    if as_json:
        show_json([one._asdict() | {"advice": one.advice._asdict() if one.advice else None} for one in findings])
    for one in () if as_json else findings:
        OUT.print(f"{_MARKS[one.state]} {one.name}:", end=" ")
        OUT.print(one.found, markup=False)
        if one.advice:
            OUT.print("  " + one.advice.in_(spoken.get()), markup=False)
    if any(one.state == "wrong" for one in findings):
        sys.exit(3)


def _ask_as_qgis(url: str, collection: str | None, *, as_json: bool) -> None:
    """Replay QGIS's requests and tell what came of them."""
    from server.contract import check  # noqa: PLC0415 — httpx and pyproj, which other commands need not load

    report = check(url, collection)
    if as_json:
        show_json(report.as_json())
    else:
        _show_steps(report)
        _show_filters(report)
    if report.state == "failure":
        sys.exit(3)


_QGIS_MARKS = {
    "ok": "[green]✓[/]",
    "note": "[green]✓[/]",
    "warning": "[yellow]![/]",
    "failure": "[red]✗[/]",
    "skipped": "[dim]–[/]",
}


def _show_steps(report: "contract.Report") -> None:
    """A line a step, and below it what was found: what it means in QGIS, and what to do."""
    language = spoken.get()
    OUT.print(f"{report.url}  {report.collection or ''}", markup=False)
    for step in report.steps:
        OUT.print(f"{_QGIS_MARKS[step.state]} {step.number:2}", end=" ")
        got = words("not reached", "未执行") if step.skipped else step.got.in_(language) if step.got else ""
        OUT.print(f"{step.title.in_(language)}: {got}", markup=False)
        _show_findings(step.findings)


def _show_filters(report: "contract.Report") -> None:
    """Where each family of versions runs each kind of filter, and why there."""
    if not report.filters:
        return
    places = {"server": words("on the server", "在服务器"), "local": words("locally", "在本地")}
    OUT.print(words("\nFilters, by version of QGIS", "\n过滤(按 QGIS 版本)"))
    for one in report.filters:
        OUT.print(f"{_QGIS_MARKS[one.state]}  {one.title.in_(spoken.get())}")
        for family, place in zip(report.families, one.places, strict=True):
            OUT.print(f"      {family:<12}{places[place.where]}: {place.why.in_(spoken.get())}", markup=False)
        _show_findings(one.findings)


def _show_findings(findings: "tuple[contract.Finding, ...]") -> None:
    for one in findings:
        for line in (one.seen, one.consequence, one.advice):
            OUT.print(f"      {'· ' if line is one.seen else '  '}{line.in_(spoken.get())}", markup=False)


def _software() -> Iterator[Finding]:
    import pyogrio  # noqa: PLC0415
    import pyproj  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    yield Finding("Python", "ok", platform.python_version())
    yield Finding("pygeoapi", "ok", version("pygeoapi"))
    yield Finding("GDAL", "ok", pyogrio.__gdal_version_string__)
    yield Finding("GEOS", "ok", shapely.geos_version_string)
    grids = len(list(_grids(pyproj.datadir.get_data_dir())))
    advice = Text(
        "Without grids PROJ changes Chinese datums not at all; CGCS2000 and WGS 84 need none.",
        "没有格网文件时,PROJ 不会进行国内基准之间的改正;CGCS2000 与 WGS 84 无需格网。",
    )
    yield Finding("PROJ", "ok", f"{pyproj.proj_version_str}, {grids} grids", advice if grids == 0 else None)
    library = (ROOT / "node_modules" / "maplibre-gl" / "dist").is_dir()
    missing = Text(
        "The map page needs MapLibre: run `make setup` where npm is.",
        "地图页面需要 MapLibre:请在有 npm 的环境执行 `make setup`。",
    )
    yield Finding(
        "MapLibre", "ok" if library else "note", "installed" if library else "missing", None if library else missing
    )


def _grids(directories: str) -> Iterator[str]:
    from pathlib import Path  # noqa: PLC0415

    for directory in directories.split(":"):
        yield from (path.name for pattern in ("*.tif", "*.gsb") for path in Path(directory).glob(pattern))


def _disk(settings: Settings) -> Iterator[Finding]:
    existing = next(path for path in (settings.var, *settings.var.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    enough = free > _FREE
    advice = Text(
        "Free some space: a load needs twice the size of its data.", "请释放磁盘空间:加载需要约两倍于数据的空间。"
    )
    yield Finding("disk", "ok" if enough else "wrong", f"{free / 1e9:.0f} GB free", None if enough else advice)


def _configuration(settings: Settings) -> Iterator[Finding]:
    from server.service import read_service  # noqa: PLC0415

    try:
        service = read_service(settings.config)
    except ChengtuError as error:
        yield Finding("pygeoapi-config.yml", "wrong", "", error.text)
    else:
        yield Finding("pygeoapi-config.yml", "ok", f"{len(service.resources)} processes")


def _from_database(settings: Settings) -> Iterator[Finding]:
    from core.catalogue import list_datasets  # noqa: PLC0415
    from core.database import connect, rows  # noqa: PLC0415

    try:
        with database(settings) as dsn, connect(dsn) as connection:
            versions = rows(connection, "versions")[0]
            datasets, orphans = list_datasets(connection), rows(connection, "orphan_tables")
    except ChengtuError as error:
        yield Finding("PostgreSQL", "wrong", "", error.text)
        return
    yield Finding("PostgreSQL", "ok", versions["postgresql"])
    yield Finding("PostGIS", "ok", versions["postgis"])
    yield Finding("catalogue", "ok", f"{len(datasets)} data sets")
    for one in datasets:
        if one.problem is not None:
            advice = Text(
                f"Load it again, or take it out with `chengtu datasets remove {one.id}`.",
                f"请重新加载,或用 `chengtu datasets remove {one.id}` 删除。",
            )
            yield Finding(one.id, "wrong", one.problem.in_(spoken.get()), advice)
    for orphan in orphans:
        advice = Text(
            "No data set names this table: drop it if you do not need it.", "没有数据集使用该表:如不需要可删除。"
        )
        yield Finding(f"data.{orphan['relname']}", "note", "", advice)
