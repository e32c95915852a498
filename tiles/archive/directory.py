"""A directory of tiles, `z/x/y.mvt.gz`, that any web server can offer; it takes any matrix set."""

import json
from pathlib import Path
from typing import Any, Final

from tiles.archive.work import Work

METADATA: Final = "metadata.json"
ENDING: Final = ".mvt.gz"


def write(path: Path, work: Work, about: dict[str, Any]) -> None:
    """Write the tiles of a work; `about` is their TileJSON."""
    path.mkdir()
    for (z, x, y), digest in work.tiles():
        folder = path / str(z) / str(x)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{y}{ENDING}").write_bytes(work.content(digest))
    document = about | {"tiles": [f"{{z}}/{{x}}/{{y}}{ENDING}"]}
    (path / METADATA).write_text(json.dumps(document, ensure_ascii=False, indent=2), "utf-8")
