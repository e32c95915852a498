"""The rows without a place as a file to mend them in: a CSV that Excel opens, the reason beside each."""

import csv
from collections.abc import Sequence
from pathlib import Path

from core.errors import ChengtuError
from core.language import spoken
from loaders.tables.matching import WHY, Outcome
from loaders.tables.reading import Sheet


class Unwritable(ChengtuError):
    """--unmatched names a file that cannot be written."""

    en = "{path} cannot be written ({reason}). Name another file with --unmatched."
    zh = "无法写入 {path}({reason})。请用 --unmatched 指定其他文件。"
    exit_code = 2


def write_unmatched(path: Path, sheet: Sheet, outcomes: Sequence[Outcome], numbers: Sequence[int]) -> None:
    """Write all cells of the rows that have no place, with their numbers below the header and the reason of each."""
    lost = [row for row, one in enumerate(outcomes) if one.why is not None]
    cells = [sheet.texts(place) for place in range(len(sheet.headers))]
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark tells Excel that it is UTF-8
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["row", "why", *(one.title for one in sheet.headers)])
            for row in lost:
                reason = WHY[outcomes[row].why or "unknown"].in_(spoken.get())
                writer.writerow([numbers[row], reason, *(column[row] for column in cells)])
    except OSError as error:
        raise Unwritable(path=path, reason=error.strerror or str(error)) from error
