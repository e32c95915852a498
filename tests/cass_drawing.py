"""Drawings as CASS writes them, made with ezdxf or tag by tag."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ezdxf
from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic

EAST, NORTH = 40_500_000.0, 4_850_000.0  # a place in the 3° zone 40, whose eastings carry its number


def new_drawing(version: str = "R2000") -> Drawing:
    """An empty drawing in GBK, or from R2007 on in UTF-8, that knows the application SOUTH and the layers of CASS."""
    drawing = ezdxf.new(version)
    if version == "R2000":
        drawing.encoding = "gbk"
        drawing.header["$DWGCODEPAGE"] = "ANSI_936"
    drawing.appids.add("SOUTH")
    for name in ("KZD", "JMD", "DLSS", "SXSS", "GXYZ", "DGX", "GCD", "ZBTZ", "ZJ", "TK", "ASSIST"):
        drawing.layers.add(name)
    symbol = drawing.blocks.new("GC200")
    symbol.add_circle((0, 0), 0.25)
    return drawing


def coded(entity: DXFGraphic, code: str, *more: str) -> DXFGraphic:
    """The entity with a feature code of CASS in its extended data."""
    entity.set_xdata("SOUTH", [(1000, code), *((1000, one) for one in more)])
    return entity


def on(layer: str, **more: Any) -> dict[str, Any]:
    """The attributes of an entity on a layer."""
    return {"layer": layer, **more}


def write_tags(
    path: Path, entities: Iterable[str], blocks: Iterable[str] = (), end: str = "0\nENDSEC\n0\nEOF\n"
) -> Path:
    """A drawing of lines as they stand in the file: groups of tags without their line breaks at the end."""
    head = ["0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC"]
    head += ["0\nSECTION\n2\nBLOCKS", *blocks, "0\nENDSEC"]
    text = "\n".join([*head, "0\nSECTION\n2\nENTITIES", *entities, end])
    path.write_bytes(text.encode("gbk"))
    return path


def point(layer: str, code: str | None, x: float = EAST, y: float = NORTH, z: float = 0.0, handle: str = "A1") -> str:
    """The tags of a point."""
    xdata = f"\n1001\nSOUTH\n1000\n{code}" if code else ""
    return f"0\nPOINT\n5\n{handle}\n8\n{layer}\n10\n{x}\n20\n{y}\n30\n{z}{xdata}"


def insert(block: str, layer: str = "0", code: str | None = None, x: float = EAST, handle: str = "B1") -> str:
    """The tags of an insertion."""
    xdata = f"\n1001\nSOUTH\n1000\n{code}" if code else ""
    return f"0\nINSERT\n5\n{handle}\n8\n{layer}\n2\n{block}\n10\n{x}\n20\n{NORTH}\n30\n0.0{xdata}"


def block(name: str, *entities: str) -> str:
    """The tags of a block's definition."""
    head = f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0.0\n20\n0.0\n30\n0.0"
    return "\n".join([head, *entities, "0\nENDBLK\n8\n0"])
