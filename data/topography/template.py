"""What stands before and behind the objects of a drawing: header, layers, styles and blocks as CASS has them."""

import io
from typing import NamedTuple

from ezdxf.document import Drawing
from ezdxf.filemanagement import new

ENCODING = "gbk"
LAYERS = {
    "KZD": 1, "JMD": 6, "DLDW": 4, "DLSS": 8, "SXSS": 5, "GXYZ": 3, "DMTZ": 2, "DGX": 2, "GCD": 1, "ZBTZ": 3, "JJ": 6,
    "ZJ": 7, "JZD": 1, "TK": 7, "ASSIST": 9,
}  # fmt: skip
BLOCKS = {"GC014": "圆点", "GC113": "控制点", "GC200": "高程点", "GC129": "电杆", "GC045": "独立树", "GC168": "稻田"}


class Template(NamedTuple):
    """The text before and behind the objects, the handle of model space, and the first handle that is free."""

    before: str
    behind: str
    space: str
    first: int


def template(objects: int, comment: str) -> Template:
    """Of a drawing with so many objects; the comment is its first line."""
    document = new("R2000", setup=False)
    document.encoding = ENCODING
    document.header["$DWGCODEPAGE"] = "ANSI_936"
    document.header["$INSUNITS"] = 6  # metres
    document.appids.add("SOUTH")
    document.styles.add("HZ", font="simsun.ttc")
    for name, colour in LAYERS.items():
        document.layers.add(name, color=colour)
    _add_blocks(document)
    stream = io.StringIO()
    document.write(stream)
    first = (int(str(document.entitydb.handles), 16) // 64 + 2) * 64
    before, behind = _parted(stream.getvalue(), f"{first + 64 * (objects + 4):X}")
    return Template(f"999\n{comment}\n{before}", behind, document.modelspace().layout_key, first)


def _add_blocks(document: Drawing) -> None:
    for name in BLOCKS:
        block = document.blocks.new(name)
        block.add_circle((0, 0), 0.5)
        block.add_line((-0.5, 0), (0.5, 0))
        if name in ("GC113", "GC200"):
            block.add_attdef("height", (1, 0.5), height=1.0)
        if name == "GC113":
            block.add_attdef("name", (1, -0.5), height=1.0)


def _parted(text: str, seed: str) -> tuple[str, str]:
    """The text of an empty drawing before and behind its objects; handles go on from `seed`."""
    begin = text.index("\nENTITIES\n") + len("\nENTITIES\n")
    at = text.index("$HANDSEED")
    old = text[at : text.index("\n", text.index("\n", text.index("\n", at) + 1) + 1)]
    return text[:begin].replace(old, f"$HANDSEED\n  5\n{seed}"), text[begin:]
