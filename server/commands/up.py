"""`chengtu up`: the database, the sample city where there is nothing yet, and the service."""

import click

from core.errors import ChengtuError
from core.language import Text
from core.settings import Settings, hand_down
from server.console import LANGUAGE, database, progress_bar, say, words
from server.service import read_service


class PortTaken(ChengtuError):
    """Something else listens on our port."""

    en = "Port {port} on {host} cannot be used: {reason}. Stop what uses it, or set CHENGTU_PORT."
    zh = "无法使用 {host} 的端口 {port}:{reason}。请停止占用该端口的程序,或设置 CHENGTU_PORT。"
    exit_code = 3


@click.command(
    help=words(
        "Start everything and serve. Ctrl-C stops what was started, and nothing else.",
        "启动所需的一切并提供服务。按 Ctrl-C 只停止由它启动的部分。",
    )
)
@click.option(
    "--city",
    metavar="CODE",
    help=words(
        "Load the sample of this prefecture (220200 Jilin City, 220100 Changchun). Without it: Jilin City's, if no data.",
        "加载该地级市的示例数据(220200 吉林市,220100 长春市);缺省时仅在没有数据时加载吉林市。",
    ),
)
@click.option(
    "--large",
    is_flag=True,
    help=words("A sample for load tests: 300 k parcels, 1 M points.", "压力测试用示例:30 万宗地、100 万点。"),
)
@click.option("--no-sample", is_flag=True, help=words("Load no sample.", "不加载示例数据。"))
@click.pass_obj
def up(settings: Settings, city: str | None, large: bool, no_sample: bool) -> None:
    """Serve until Ctrl-C."""
    service = read_service(settings.config)
    _require_port(settings)
    with database(settings) as dsn:
        if not no_sample and (city or large or _is_empty(dsn)):
            _load_sample(settings, dsn, city or "220200", large=large)
        say(_welcome(settings.base_url, service.metadata.identification.title.text.in_(LANGUAGE)))
        _serve(settings, dsn)


def _require_port(settings: Settings) -> None:
    import socket  # noqa: PLC0415

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(host=settings.host, port=settings.port, reason=error.strerror) from error


def _is_empty(dsn: str) -> bool:
    from core.database import connect  # noqa: PLC0415

    with connect(dsn) as connection:
        return connection.execute("select from chengtu.dataset limit 1").fetchone() is None


def _load_sample(settings: Settings, dsn: str, city: str, *, large: bool) -> None:
    """Build the sample's files and load each, as anyone would load their own."""
    from loaders import load  # noqa: PLC0415
    from server.levels import finisher  # noqa: PLC0415
    from server.sample import sources  # noqa: PLC0415

    say(Text(f"Making the sample city {city} ...", f"正在生成示例城市 {city} ..."))
    for source, options in sources(city, settings.var / "sample", large=large):
        with progress_bar(source.stem, quiet=False) as tell:
            report = load(
                source,
                dsn,
                options,
                scratch=settings.var / "tmp",
                archive_limit=settings.temporary_limit,
                progress=tell,
                finish=finisher(settings),
            )
        for one in report.datasets:
            say(Text(f"  {one.id}: {one.rows} features", f"  {one.id}:{one.rows} 个要素"))


def _welcome(url: str, title: str) -> Text:
    return Text(
        f"\n{title}\n"
        f"  map in the browser   {url}/map\n"
        f"  start page           {url}/\n"
        f"  in QGIS              Layer > Add Layer > Add WFS / OGC API - Features Layer > New, URL: {url}\n"
        f"  on the command line  ogrinfo OAPIF:{url}\n"
        "  Ctrl-C stops it.\n",
        f"\n{title}\n"
        f"  浏览器地图   {url}/map\n"
        f"  首页         {url}/\n"
        f"  QGIS 中      图层 > 添加图层 > 添加 WFS / OGC API - Features 图层 > 新建,URL 填 {url}\n"
        f"  命令行       ogrinfo OAPIF:{url}\n"
        "  按 Ctrl-C 停止。\n",
    )


def _serve(settings: Settings, dsn: str) -> None:
    """Run the server processes until they are told to stop."""
    from server import workers  # noqa: PLC0415

    hand_down(dsn, settings.base_url)
    workers.serve(settings)
