"""DXF: the frame of group codes checked to its EOF, text turned into UTF-8, since GDAL takes R2007+ for Latin-1."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from core.language import Text
from loaders import gdal
from loaders.errors import DamagedSource, LineTooLong
from loaders.text import in_utf8, sample_file, settle
from loaders.vector import Opening

_UNICODE = "AC1021"  # $ACADVER of AutoCAD 2007, the first to write UTF-8
_LINE = 1 << 20  # bytes; DXF itself allows 2 049 a line
_HEADER = 4000  # pairs among which the header variables stand
_VARIABLES = (b"$ACADVER", b"$DWGCODEPAGE")


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Check the drawing's frame, and give GDAL a copy in UTF-8 if it is in anything else."""
    header = _check_frame(path, shown)
    guess = settle(sample_file(path), declared_text(header), encoding)
    view = gdal.link(workspace, {"source.dxf": path})
    text, notes = in_utf8(view / "source.dxf", view / "utf8.dxf", guess)
    dataset = gdal.Dataset(text, shown, "DXF", options={"ENCODING": "UTF-8"}, tolerant=True)
    return Opening(dataset, layer_name="entities", guess=guess, notes=notes)


def declared_text(header: dict[bytes, str]) -> tuple[str, str] | None:
    """How a drawing's header says that its text is encoded, and where it says so."""
    if header.get(b"$ACADVER", "") >= _UNICODE:
        return "UTF-8", "$ACADVER"
    page = header.get(b"$DWGCODEPAGE")
    return (page, "$DWGCODEPAGE") if page else None


def header_of(path: Path) -> dict[bytes, str]:
    """The header variables that concern text, of a drawing whose frame may be broken further on."""
    with path.open("rb") as file:
        lines = [line.strip() for line in file.read(_HEADER * 40).split(b"\n")]
    header: dict[bytes, str] = {}
    for at in range(len(lines) - 3):
        if lines[at] == b"9" and lines[at + 1] in _VARIABLES:
            header[lines[at + 1]] = lines[at + 3].decode("ascii", "replace")
    return header


def _check_frame(path: Path, shown: Path) -> dict[bytes, str]:
    """Walk over all pairs of group code and value; return the header variables that concern text.

    GDAL ends in silence where a drawing breaks off.
    """
    header: dict[bytes, str] = {}
    variable = b""
    with path.open("rb") as file:
        lines = _lines(file, shown)
        for number, (code, value) in enumerate(zip(lines, lines, strict=False)):
            if not code.removeprefix(b"-").isdigit():
                why = Text(f"line {2 * number + 1} should be a group code", f"第 {2 * number + 1} 行应为组码")
                raise DamagedSource(path=shown, why=why)
            if code == b"0" and value == b"EOF":
                return header
            if number < _HEADER:
                variable = value if code == b"9" else variable
                if variable in _VARIABLES and code in (b"1", b"3"):
                    header[variable] = value.decode("ascii", "replace")
    raise DamagedSource(path=shown, why=Text("it breaks off before the EOF mark", "文件在 EOF 标记之前中断"))


def _lines(file: BinaryIO, shown: Path) -> Iterator[bytes]:
    number = 0
    while line := file.readline(_LINE):
        number += 1
        if len(line) == _LINE:
            raise LineTooLong(path=shown, line=Text(f"line {number}", f"第 {number} 行"), limit="1 MB")
        yield line.strip()
