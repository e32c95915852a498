"""Run the benchmarks and print their tables: `python -m benchmarks [load memory … generalised peers tiles]`."""

from collections.abc import Callable
from pathlib import Path

import click

from benchmarks import drawings, generalised, history, load, many, memory, peers, quality, startup, tiles, visible
from benchmarks.place import Place, place
from benchmarks.report import Table, put, section, surroundings

_MEASURES: dict[str, Callable[[Place], list[Table]]] = {
    "load": load.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "visible": visible.measure,
    "many": many.measure,
    "drawings": drawings.measure,
    "history": history.measure,
    "quality": quality.measure,
}
_BESIDE_OTHERS = {  # these install other programs, and are run when they are named
    "peers": peers.measure,
    "tiles": tiles.measure,
    "generalised": generalised.measure,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*_MEASURES, *_BESIDE_OTHERS]))
@click.option("--write", type=click.Path(path_type=Path, exists=True), help="Put the tables into this page.")
@click.option("--quick", is_flag=True, help="Ask the peers less: a look, in a few minutes.")
def main(names: tuple[str, ...], write: Path | None, quick: bool) -> None:
    """Measure one thing after the other: nothing else should run on the machine meanwhile."""
    for name in names or _MEASURES:
        with place() as ours:
            tables = _BESIDE_OTHERS[name](ours, quick=quick) if name in _BESIDE_OTHERS else _MEASURES[name](ours)
            with ours.database() as dsn:
                text = section(name, tables, surroundings(dsn))
        click.echo(f"\n## {name}\n\n{text}")
        if write:
            put(write, name, text)


main()
