"""Whether a DXF is a CASS map, by its layers and by the application that its extended data name; with the reasons."""

import mmap
import re
from collections.abc import Iterable
from pathlib import Path

from core.language import Text
from loaders.cass.codes import layer_named
from loaders.cass.tags import BadTag, Frame, Record, records

_CODES = re.compile(rb"\n\s*1001\r?\nSOUTH\r?\n")  # extended data of the application SOUTH
_FEWEST = 3  # layers that tell a map by their names alone


def reason_of(path: Path) -> Text | None:
    """Why a drawing is taken for a map of CASS; None where nothing says so."""
    named = _layers(path)
    if _has_codes(path):
        en, zh = "its objects carry feature codes of the application SOUTH", "对象带有 SOUTH 应用的地物编码"
        if named:
            return Text(f"{en}, and layers are called {_listed(named)}", f"{zh},图层名有 {_listed(named)}")
        return Text(en, zh)
    if len(named) >= _FEWEST:
        return Text(f"layers are called {_listed(named)}", f"图层名有 {_listed(named)}")
    return None


def _layers(path: Path) -> list[str]:
    """The names in the table of layers that are CASS's own."""
    with path.open("rb") as file:
        try:
            names = [(one.get(2) or b"").decode("gb18030", "replace") for one in _table(records(file, Frame()))]
        except BadTag:
            return []
    return [name for name in dict.fromkeys(names) if layer_named(name) is not None]


def _table(stream: Iterable[Record]) -> list[Record]:
    """The records of layers, which stand before any object."""
    found: list[Record] = []
    for record in stream:
        if record.kind == b"SECTION" and record.get(2) in (b"BLOCKS", b"ENTITIES"):
            break
        if record.kind == b"LAYER":
            found.append(record)
    return found


def _has_codes(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _CODES.search(content) is not None


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
