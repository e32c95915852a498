"""Files that GDAL writes: GeoPackage, FlatGeobuf, Shapefile, GML and DXF."""

import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyogrio
import pyogrio.errors

from core.crs import CRS84
from features.formats.job import CannotWrite, Layer
from features.formats.names import free_name
from features.formats.rows import Rows

_GML = {"FORMAT": "GML3.2", "XSISCHEMA": "OFF", "WRITE_FEATURE_BOUNDED_BY": "NO"}


def write(layer: Layer, rows: Rows, path: Path) -> None:
    """Write one file; the same features make the same bytes at any time."""
    _fix_dates(rows.changed)
    target = path.with_suffix(".shp") if layer.form == "shp" else path
    dataset_options, layer_options = _options(
        layer, path, index=not layer.sorted and not (layer.form == "fgb" and rows.has_gaps())
    )
    try:
        pyogrio.write_arrow(
            rows.reader(gaps=layer.form != "dxf"),  # a drawing has no place for them
            target,
            layer=layer.name,
            driver=layer.driver,
            geometry_name=layer.geometry,
            geometry_type=_geometry_type(layer.geometry_type) if layer.geometry else None,
            crs=_crs(layer) if layer.geometry else None,
            encoding="UTF-8" if layer.form == "shp" else None,
            dataset_options=dataset_options,
            layer_options=layer_options,
        )
    except (RuntimeError, ValueError, pa.ArrowException) as error:  # pyogrio's errors are RuntimeErrors
        reason = str(error).replace(f"{path.parent}/", "")[:300]
        raise rows.problem or CannotWrite(form=layer.form, reason=reason) from error
    if layer.form == "shp":
        _zip(target, path, rows.changed)


def _fix_dates(changed: str) -> None:
    """What files say of their making is when the data changed; drawings have outlines, which can be measured, not hatches."""
    moment = datetime.fromisoformat(changed).astimezone(UTC)
    pyogrio.set_gdal_config_options(
        {
            "OGR_CURRENT_DATE": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
            "DXF_WRITE_HATCH": False,
            "OGR_SQLITE_SYNCHRONOUS": "OFF",
        }
    )


def _options(layer: Layer, path: Path, *, index: bool) -> tuple[dict[str, str], dict[str, str]]:
    """GDAL's options for the data set and for its layer."""
    match layer.form:
        case "gpkg":
            names = [name for name, _ in layer.columns]
            fid = "fid" if layer.key == "fid" else free_name("fid", names)  # the key itself may be the feature's number
            return {"VERSION": "1.3"}, {"FID": fid, **({"GEOMETRY_NAME": layer.geometry} if layer.geometry else {})}
        case "fgb":
            # its index sorts features by place, and asks that all of them have one
            return {}, {"SPATIAL_INDEX": "YES" if index else "NO", "TEMPORARY_DIR": str(path.parent)}
        case "gml":
            return _GML, {}
        case "shp":
            return {}, {}
    return {}, {}


def _geometry_type(name: str) -> str:
    """PostGIS's MultiPolygonZ as pyogrio calls it."""
    if name.lower().startswith("geometry") and not name.lower().startswith("geometrycollection"):
        return "Unknown"
    if name.endswith("ZM"):
        return f"Measured 3D {name[:-2]}"
    if name.endswith("Z"):
        return f"{name[:-1]} Z"
    if name.endswith("M"):
        return "PointM" if name == "PointM" else f"Measured {name[:-1]}"
    return name


def _crs(layer: Layer) -> str:
    """CRS84 by name only where the form has axes in the order of their CRS: else x is east in any case."""
    if layer.srid == CRS84:
        return "OGC:CRS84" if layer.form == "gml" else "EPSG:4326"
    return f"EPSG:{layer.srid}"


def _zip(shapefile: Path, path: Path, changed: str) -> None:
    """All parts of a shapefile in one archive."""
    moment = datetime.fromisoformat(changed).astimezone(UTC).timetuple()[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part in sorted(shapefile.parent.glob(f"{shapefile.stem}.*")):
            if part == path:
                continue
            entry = zipfile.ZipInfo(part.name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with part.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            part.unlink()
