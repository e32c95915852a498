"""Run the benchmarks and print their tables: `python -m benchmarks [load memory startup visible many generalised peers]`."""

from collections.abc import Callable
from pathlib import Path

import click

from benchmarks import generalised, load, many, memory, peers, startup, visible
from benchmarks.place import Place, place
from benchmarks.report import Table, put, section, surroundings

_MEASURES: dict[str, Callable[[Place], list[Table]]] = {
    "load": load.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "visible": visible.measure,
    "many": many.measure,
    "generalised": generalised.measure,
    "peers": peers.measure,
}
_WHEN_NAMED = {"peers", "generalised"}  # install other programs


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(_MEASURES)))
@click.option("--write", type=click.Path(path_type=Path, exists=True), help="Put the tables into this page.")
@click.option("--quick", is_flag=True, help="Ask the peers less: a look, in under five minutes.")
def main(names: tuple[str, ...], write: Path | None, quick: bool) -> None:
    """Measure one thing after the other: nothing else should run on the machine meanwhile."""
    for name in names or [name for name in _MEASURES if name not in _WHEN_NAMED]:
        with place() as ours:
            tables = peers.measure(ours, quick=quick) if name == "peers" else _MEASURES[name](ours)
            with ours.database() as dsn:
                text = section(name, tables, surroundings(dsn))
        click.echo(f"\n## {name}\n\n{text}")
        if write:
            put(write, name, text)


main()
