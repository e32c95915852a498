"""`chengtu load`: a vector source becomes a data set, or a new release of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.settings import Settings
from server.console import as_json, database, progress_bar, show_report, words

if TYPE_CHECKING:
    from loaders import Options


@click.command(
    help=words(
        "Load a vector file and publish it. Shapefile (also zipped), GeoPackage, GeoJSON, KML, GML, FlatGeobuf,"
        " GeoParquet, FileGDB, MapInfo, DXF, OSM .pbf, CSV and XLSX are read. The old release is served until the"
        " new one is complete.",
        "加载矢量文件并发布。支持 Shapefile(含 zip)、GeoPackage、GeoJSON、KML、GML、FlatGeobuf、GeoParquet、"
        "FileGDB、MapInfo、DXF、OSM .pbf、CSV、XLSX。新版本完整就绪之前,始终提供旧版本。",
    )
)
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "id_", metavar="ID", help=words("The data set's id: a-z, 0-9, _.", "数据集编号:a-z、0-9、_。"))
@click.option("--layer", help=words("Which layer, where there are several.", "有多个图层时指定其一。"))
@click.option("--title-en", help=words("Title in English.", "英文标题。"))
@click.option("--title-zh", help=words("Title in Chinese.", "中文标题。"))
@click.option("--description-en", help=words("Description in English.", "英文说明。"))
@click.option("--description-zh", help=words("Description in Chinese.", "中文说明。"))
@click.option("--keyword", multiple=True, help=words("A keyword; may be repeated.", "关键词,可重复。"))
@click.option("--owner", help=words("The department in charge.", "责任部门。"))
@click.option("--licence", help=words("Licence, best as a URL.", "许可,最好是网址。"))
@click.option("--attribution-en", help=words("Credit line in English.", "英文来源说明。"))
@click.option("--attribution-zh", help=words("Credit line in Chinese.", "中文来源说明。"))
@click.option(
    "--update-period",
    help=words("Promised period of updates, as ISO 8601 (P1Y).", "承诺的更新周期,ISO 8601 格式(如 P1Y)。"),
)
@click.option(
    "--srs",
    metavar="EPSG:n",
    help=words("The CRS, where the source names none or a wrong one.", "坐标系(来源未声明或声明有误时)。"),
)
@click.option(
    "--axes",
    type=click.Choice(["auto", "xy", "yx"]),
    default="auto",
    show_default=True,
    help=words("Order of coordinates in the source; yx is the surveyor's.", "来源的坐标顺序;yx 为测量坐标系顺序。"),
)
@click.option(
    "--datum-shift",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=words(
        "TOML file with the parameters to CGCS2000, for Beijing 1954 and Xian 1980.",
        "转换到 CGCS2000 的参数文件(TOML),用于北京54、西安80。",
    ),
)
@click.option(
    "--encoding",
    help=words("Text encoding, where the source names none or a wrong one.", "文字编码(来源未声明或声明有误时)。"),
)
@click.option(
    "--key",
    metavar="FIELD",
    help=words("Field that identifies a feature; else the row number does.", "唯一标识字段;缺省用行号。"),
)
@click.option(
    "--time",
    "time_",
    metavar="FIELD",
    help=words("Date or time field for `datetime=`.", "用于 `datetime=` 的日期或时间字段。"),
)
@click.option("--x", help=words("Column of the x coordinate, in CSV and XLSX.", "CSV、XLSX 中的 x 坐标列。"))
@click.option("--y", help=words("Column of the y coordinate.", "y 坐标列。"))
@click.option("--wkt", help=words("Column of WKT geometries.", "WKT 几何列。"))
@click.option(
    "--generic",
    is_flag=True,
    help=words("Keep mixed geometry types in one data set.", "混合几何类型保留在同一数据集中。"),
)
@click.option(
    "--curve-tolerance",
    type=click.FloatRange(min=0, min_open=True),
    help=words(
        "Largest distance of a segment from its arc, in units of the CRS [0.01 m or 1e-7 degrees].",
        "弧段离散化的最大偏差,单位同坐标系 [0.01 m 或 1e-7°]。",
    ),
)
@click.option(
    "--editable/--not-editable",
    default=None,
    help=words("Whether features may be changed through the API.", "是否允许通过接口编辑要素。"),
)
@click.option(
    "--max-age",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help=words(
        "How long caches may serve an answer without asking again [0].", "缓存在多少秒内可直接使用而不再询问 [0]。"
    ),
)
@click.option(
    "--search/--no-search",
    default=None,
    help=words(
        "Make an index for words anywhere in the texts (q=); the load takes about twice as long.",
        "为全文检索(q=)建立索引;加载时间约增加一倍。",
    ),
)
@click.option(
    "--profile",
    metavar="ID|FILE",
    help=words(
        "Read it as this standard product (`chengtu profiles`), as a TOML file of your own says, or as `none`;"
        " else it is recognised.",
        "按此数据规范读取(见 `chengtu profiles`),或给出自定义 TOML 文件,或 `none`;缺省自动识别。",
    ),
)
@click.option(
    "--sheet",
    metavar="CODE",
    help=words(
        "The map sheet that a topographic map is; else found in the file's name. Its old state is replaced alone.",
        "地形图的图幅号;缺省按文件名识别。只替换该图幅原有要素。",
    ),
)
@click.option(
    "--scale",
    type=click.IntRange(min=1),
    metavar="N",
    help=words("Scale 1:N of a rectangular sheet.", "矩形图幅的比例尺 1:N。"),
)
@click.option(
    "--layout",
    type=click.Choice(["50x50", "40x50"]),
    default="50x50",
    show_default=True,
    help=words("Centimetres of a rectangular sheet, north by east.", "矩形分幅的尺寸(厘米,南北×东西)。"),
)
@click.option("--edition", help=words("Edition of the sheet, such as 2024.", "图幅版次,如 2024。"))
@click.option("--producer", help=words("Who made the sheet.", "图幅生产单位。"))
@click.option(
    "--accept",
    metavar="RULE,...",
    help=words(
        "Publish although these rules of the profile are broken; `all`: whatever is found.",
        "即使违反这些规则也发布;`all` 表示全部接受。",
    ),
)
@click.option(
    "--dry-run",
    is_flag=True,
    help=words("Read, check and compare, and publish nothing.", "只读取、检查、比较,不发布。"),
)
@click.option(
    "--history/--no-history",
    default=None,
    help=words(
        "Keep what held before, so that any day can be asked for [as before, or as the profile says].",
        "保留历史版本,可按任一日期查询 [缺省沿用现有设置或数据规范]。",
    ),
)
@click.option(
    "--state-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help=words("The day that the data describe, such as 2024-12-31.", "数据反映的日期,例如 2024-12-31。"),
)
@click.option(
    "--discard-edits",
    is_flag=True,
    help=words("Replace features edited since the last release.", "覆盖自上次发布后所做的编辑。"),
)
@as_json
@click.pass_obj
def load(settings: Settings, /, source: Path, as_json: bool, **options: Any) -> None:  # noqa: ANN401 — click's
    """Load and report."""
    from loaders import QualityRefused  # noqa: PLC0415 — GDAL and its company take half a second
    from loaders import load as run  # noqa: PLC0415
    from server.levels import finisher  # noqa: PLC0415

    try:
        with database(settings) as dsn, progress_bar(source.name, quiet=as_json) as tell:
            report = run(
                source,
                dsn,
                _options(options),
                scratch=settings.var / "tmp",
                archive_limit=settings.temporary_limit,
                progress=tell,
                finish=finisher(settings),
            )
    except QualityRefused as refusal:
        show_report(refusal.report, as_json)
        raise
    show_report(report, as_json)


def _options(given: dict[str, Any]) -> "Options":
    """The loader's options from the command line's."""
    from loaders import Described, Options, SheetOptions  # noqa: PLC0415

    names = "title_en title_zh description_en description_zh owner licence attribution_en attribution_zh update_period editable max_age search"
    described = Described(
        **{name: given.pop(name) for name in names.split()}, keywords=list(given.pop("keyword")) or None
    )
    accept = frozenset(rule.strip() for rule in (given.pop("accept") or "").split(",") if rule.strip())
    sheet = SheetOptions(
        name=given.pop("sheet"), **{name: given.pop(name) for name in ("scale", "layout", "edition", "producer")}
    )
    day = given.pop("state_of")
    return Options(
        id=given.pop("id_"),
        time=given.pop("time_"),
        state_of=day.date() if day else None,
        described=described,
        sheet=sheet,
        accept=accept,
        **given,
    )
