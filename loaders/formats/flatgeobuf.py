"""FlatGeobuf: always UTF-8, and its header counts the features."""

from pathlib import Path

from loaders import gdal
from loaders.vector import Opening


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Link the file."""
    view = gdal.link(workspace, {"source.fgb": path})
    dataset = gdal.Dataset(view / "source.fgb", shown, "FlatGeobuf")
    return Opening(dataset, layer_name=path.stem, fallback=encoding, cheap=True)
