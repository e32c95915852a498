"""OpenStreetMap .pbf: one of GDAL's five layers at a time, read through a query so that nothing piles up."""

from pathlib import Path

from loaders import gdal
from loaders.vector import Opening

_LAYERS = ("points", "lines", "multilinestrings", "multipolygons", "other_relations")

# Which tags get a field of their own; the rest stands in `other_tags` as JSON.
_FIELDS = {
    "points": "name,place,highway,amenity,shop,tourism,natural,man_made,ref",
    "lines": "name,highway,railway,waterway,barrier,power,ref,oneway,lanes,maxspeed,bridge,tunnel,layer",
    "multilinestrings": "name,type,route,ref,network",
    "multipolygons": "name,type,building,landuse,natural,leisure,amenity,boundary,admin_level,water,height,"
    "building:levels",
    "other_relations": "name,type",
}
_NO_PLACE = "created_by,source,ele,time"  # a node with no other tags than these is only a corner of a way
_AREAS = (
    "aeroway,amenity,boundary,building,craft,geological,historic,landuse,leisure,military,natural,office,place,"
    "shop,sport,tourism,highway=platform,public_transport=platform"
)


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Write the reader's configuration and point its node store at the workspace."""
    view = gdal.link(workspace, {"source.osm.pbf": path})
    (view / "osm.ini").write_text(_configuration(), "utf-8")
    gdal.configure({"CPL_TMPDIR": str(view)})  # positions of nodes beyond 100 MB go to a file there
    dataset = gdal.Dataset(
        view / "source.osm.pbf", shown, "OSM", options={"CONFIG_FILE": str(view / "osm.ini")}, query=True
    )
    return Opening(dataset, layers=tuple((layer, True) for layer in _LAYERS), fallback=encoding, lon_lat=True)


def _configuration() -> str:
    sections = [f"[{layer}]\nosm_id=yes\nattributes={_FIELDS[layer]}\nother_tags=yes\n" for layer in _LAYERS]
    general = (
        "attribute_name_laundering=no\n"
        "report_all_nodes=no\n"
        "report_all_ways=no\n"
        "tags_format=json\n"
        f"closed_ways_are_polygons={_AREAS}\n"
    )
    sections[0] += f"unsignificant={_NO_PLACE}\n"  # codespell:ignore unsignificant -- GDAL spells it so
    return general + "\n" + "\n".join(sections)
