"""Formats of several files with one name: find them whatever the case of their suffixes."""

from collections.abc import Sequence
from pathlib import Path

from loaders.errors import MissingPart


def find_parts(path: Path, shown: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Path]:
    """The companions of `path` by lower-case suffix, itself among them; `MissingPart` if a needed one is not there."""
    wanted = {*needed, *optional}
    parts = {
        one.suffix.lower(): one
        for one in sorted(path.parent.iterdir())
        if one.stem.casefold() == path.stem.casefold() and one.suffix.lower() in wanted and one.is_file()
    }
    parts[path.suffix.lower()] = path
    if missing := [suffix for suffix in needed if suffix not in parts]:
        names = ", ".join(path.stem + suffix for suffix in missing)
        raise MissingPart(path=shown, missing=names, parts=" ".join(sorted({path.suffix.lower(), *needed})))
    return parts
