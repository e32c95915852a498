"""`chengtu sample`: made-up surveys, increments and drawings, as files with the truth about them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.console import as_json, show, show_json, words

if TYPE_CHECKING:
    from data.survey.files import Form
    from data.survey.sample import Written
    from data.survey.spoiling import Spoilt

_FORMS = ("gpkg", "gdb", "shp", "zip")
_SPOILT = ("wrong-year", "other-county", "unbalanced", "unknown-before", "missing-after")

_into = click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help=words("The folder to write into.", "写入的文件夹。"),
)
_city = click.option(
    "--city",
    metavar="CODE",
    default="220200",
    show_default=True,
    help=words("Six-digit code of a prefecture or a district.", "地级市或区县的六位代码。"),
)
_seed = click.option(
    "--seed",
    type=click.IntRange(0),
    default=20261,
    show_default=True,
    help=words("The same seed, the same data.", "随机种子。"),
)
_srs = click.option(
    "--srs",
    metavar="EPSG:n",
    help=words("EPSG:4490, or a Gauss-Krüger plane, 4513 to 4554.", "EPSG:4490,或高斯-克吕格平面 4513 至 4554。"),
)


def _survey_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which survey is meant, and how it is written."""
    parcels = click.option(
        "--parcels",
        type=click.IntRange(500, 300_000),
        default=6_000,
        show_default=True,
        help=words("About how many parcels.", "图斑数(约)。"),
    )
    form = click.option(
        "--format",
        "form",
        type=click.Choice(_FORMS),
        default="gpkg",
        show_default=True,
        help=words(
            "GeoPackage, FileGDB, or Shapefiles in GBK: a folder, or zipped.",
            "GeoPackage、FileGDB,或 GBK 编码的 Shapefile(文件夹或 zip)。",
        ),
    )
    for option in (as_json, form, _srs, _into, _seed, _city, parcels):
        command = option(command)
    return command


@click.group(
    help=words(
        "Write made-up data to try things with: a land survey, a year's change, a drawing. Nothing of it exists.",
        "生成用于试验的模拟数据:国土调查数据库、年度变更增量、地形图。均非真实数据。",
    )
)
def sample() -> None:
    """Made-up data as files."""


@sample.command(
    help=words(
        "A third-land-survey database (TD/T 1057-2020), right by construction, with defects if wanted.",
        "第三次国土调查数据库(TD/T 1057-2020):结构正确,可按需植入缺陷。",
    )
)
@_survey_options
@click.option(
    "--defects",
    metavar="RULE=N,...",
    default="",
    help=words(
        "How many defects of which rules; all=N: of each. docs/survey-generator.md lists the rules.",
        "各规则植入的缺陷数;all=N 表示每条规则 N 处。规则见 docs/survey-generator.md。",
    ),
)
def survey(as_json: bool, defects: str, into: Path, form: "Form", srs: str | None, **wish: Any) -> None:  # noqa: ANN401 — click's
    """Write, and say where."""
    from data.survey import RULES, Wish, survey_files  # noqa: PLC0415 — GDAL and its company take half a second

    counts = _counts(defects, RULES)
    _tell(survey_files(Wish(**wish), into, defects=counts, form=form, srid=_srid(srs) or 4490), as_json=as_json)


@sample.command(
    help=words(
        "The increment of the year after a survey: that which `sample survey` writes with the same city, number and seed.",
        "国土调查的下一年度增量,对应以相同城市、图斑数和种子由 `sample survey` 生成的数据库。",
    )
)
@_survey_options
@click.option(
    "--changes", type=click.IntRange(1), default=100, show_default=True, help=words("About how many.", "变更数(约)。")
)
@click.option(
    "--spoil",
    type=click.Choice(_SPOILT),
    help=words("Make one thing wrong, so that it must be refused.", "制造一处错误,使其应被拒绝。"),
)
def increment(
    as_json: bool,
    changes: int,
    spoil: "Spoilt | None",
    into: Path,
    form: "Form",
    srs: str | None,
    **wish: Any,  # noqa: ANN401 — click's
) -> None:
    """Write, and say where."""
    from data.survey import Wish, increment_files  # noqa: PLC0415

    srid = _srid(srs) or 4490
    _tell(increment_files(Wish(**wish), into, changes=changes, how=spoil, form=form, srid=srid), as_json=as_json)


@sample.command(
    help=words(
        "A topographic map as CASS writes it (DXF, GBK); with --sheets: two neighbouring sheets of a scale.",
        "CASS 格式地形图(DXF,GBK);带 --sheets 时:某比例尺的两幅相邻图。",
    )
)
@click.option(
    "--objects", "count", type=click.IntRange(50), default=5_000, show_default=True, help=words("How many.", "对象数。")
)
@click.option(
    "--sheets", "scale", type=click.Choice(["500", "1000", "2000"]), help=words("The sheets' scale.", "图幅比例尺。")
)
@click.option(
    "--mismatches",
    type=click.IntRange(0, 15),
    default=3,
    show_default=True,
    help=words("Of shape, and as many of attributes, at the sheets' edge.", "接边处几何不符的数量,属性不符数量相同。"),
)
@_city
@_seed
@_srs
@_into
@as_json
def dxf(
    as_json: bool,
    count: int,
    scale: str | None,
    mismatches: int,
    into: Path,
    srs: str | None,
    **given: Any,  # noqa: ANN401 — click's
) -> None:
    """Write, and say where."""
    from data.survey.sample import Written, write_truth  # noqa: PLC0415
    from data.topography import write_drawing, write_sheets  # noqa: PLC0415

    into.mkdir(parents=True, exist_ok=True)
    if scale is None:
        path = into / f"map-{given['city']}-{count}.dxf"
        told = write_drawing(path, count, srid=_srid(srs), **given).as_json()
    else:
        path = into / f"sheets-{scale}"
        told = write_sheets(
            path, scale=int(scale), geometry=mismatches, attribute=mismatches, srid=_srid(srs), **given
        ).as_json()
    _tell(Written(path, write_truth(path, told), told), as_json=as_json)


def _srid(srs: str | None) -> int | None:
    """The number of a CRS that the generator can write."""
    if srs is None:
        return None
    number = srs.upper().removeprefix("EPSG:")
    if number.isdecimal() and (int(number) == 4490 or 4513 <= int(number) <= 4554):
        return int(number)
    raise click.UsageError(
        words("--srs wants EPSG:4490 or EPSG:4513 to 4554.", "--srs 应为 EPSG:4490 或 EPSG:4513 至 4554。")
    )


def _counts(text: str, rules: tuple[str, ...]) -> dict[str, int]:
    """What `--defects` asks for."""
    counts: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        rule, _, number = (one.strip() for one in part.partition("="))
        if not number.isdecimal():
            raise click.UsageError(
                words(f"--defects wants RULE=N, not {part}.", f"--defects 应为 规则=数量,而非 {part}。")
            )
        counts |= dict.fromkeys(rules if rule == "all" else [rule], int(number))
    return counts


def _tell(written: "Written", *, as_json: bool) -> None:
    if as_json:
        show_json({"data": str(written.data), "truth": str(written.truth), **written.told})
        return
    show([f"{written.data}", words(f"the truth about it: {written.truth}", f"真值:{written.truth}")])
