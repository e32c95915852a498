"""A drawing that is broken inside, mended by ezdxf: it keeps what can be understood, and counts what it mended."""

import logging
from pathlib import Path

from ezdxf import recover
from ezdxf.lldxf.const import DXFError

from core.language import Text
from loaders.errors import DamagedSource
from loaders.layer import Note

_LARGEST = 100 << 20  # bytes: ezdxf holds the whole drawing in memory, some ten times its size
logging.getLogger("ezdxf").addHandler(logging.NullHandler())  # what it mends is told by the report


def mended(path: Path, shown: Path, target: Path, why: Text) -> Note:
    """Write a whole drawing to `target`; `why` is what was wrong. Raises `DamagedSource` where nothing is left."""
    if path.stat().st_size > _LARGEST:
        large = Text(
            f"{why.en}; drawings over 100 MB are not repaired", f"{why.zh};超过 100 MB 的图形不作修复"
        )  # fmt: skip
        raise DamagedSource(path=shown, why=large)
    try:
        drawing, auditor = recover.explore(path)
        drawing.saveas(target)
    except (DXFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise DamagedSource(path=shown, why=why) from error
    fixes, losses = len(auditor.fixes), len(auditor.errors)
    text = Text(
        f"The drawing was damaged: {why.en}. It was repaired: {fixes} faults were mended, {losses} could not be. "
        "Objects at these places may be missing; compare it with the original.",
        f"图形已损坏:{why.zh}。已自动修复:修正 {fixes} 处,另有 {losses} 处无法修正。相应位置的对象可能缺失,请与原图核对。",
    )
    return Note("drawing-repaired", text)
