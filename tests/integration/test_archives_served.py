"""Archives that the service is given: served as tiles and as files; a damaged or hostile one is one clear error."""

import gzip
import json
import os
import random
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pmtiles.reader import Reader
from pmtiles.tile import Compression, Entry, TileType, serialize_directory, serialize_header, zxy_to_tileid
from pmtiles.writer import write

from tests.conftest import service
from tiles.archive.given import Archive, DamagedArchive

TILES = {(0, 0, 0): b"world", (1, 1, 0): b"north east", (5, 27, 11): b"city"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives")


@pytest.fixture(scope="module")
def client(city_database: str, folder: Path) -> Iterator[httpx.Client]:
    with service(city_database, tile_archives=str(folder), workers="1") as url:
        write_archive(folder / "map.pmtiles")
        write_archive(folder / "photo.pmtiles", type_=TileType.PNG, packing=Compression.NONE)
        with httpx.Client(base_url=url, timeout=30) as client:
            yield client


def write_archive(path: Path, type_: TileType = TileType.MVT, packing: Compression = Compression.GZIP) -> None:
    """Some tiles, as the library of PMTiles writes them."""
    header = {"tile_type": type_, "tile_compression": packing, "min_lon_e7": 1260000000, "max_lon_e7": 1270000000}
    metadata = {"name": "图", "attribution": "x", "vector_layers": [{"id": "a", "fields": {}}], "description": 3}
    with write(path) as writer:
        for (z, x, y), tile in TILES.items():
            writer.write_tile(zxy_to_tileid(z, x, y), gzip.compress(tile) if packing is Compression.GZIP else tile)
        writer.finalize(header, metadata)


def test_tiles_come_out_as_they_went_in(client: httpx.Client) -> None:
    for (z, x, y), tile in TILES.items():
        for asked in ({"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}):
            answer = client.get(f"/archives/map/{z}/{x}/{y}.mvt", headers=asked)
            assert (answer.status_code, answer.content) == (200, tile)
            assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
            assert answer.headers.get("content-encoding", "identity") == asked["Accept-Encoding"]


def test_tile_json_tells_where_they_are(client: httpx.Client) -> None:
    document = client.get("/archives/map.json").json()
    (template,) = document["tiles"]
    assert client.get(template.format(z=5, x=27, y=11)).content == b"city"
    assert (document["minzoom"], document["maxzoom"], document["bounds"][0]) == (0, 5, 126.0)
    assert (document["name"], document["vector_layers"]) == ("图", [{"id": "a", "fields": {}}])
    assert "description" not in document


def test_pictures_are_pictures(client: httpx.Client) -> None:
    answer = client.get("/archives/photo/0/0/0.png")
    assert (answer.headers["content-type"], answer.content) == ("image/png", b"world")
    assert "vector_layers" not in client.get("/archives/photo.json").json()
    assert client.get("/archives/photo/0/0/0.mvt").status_code == 404
    assert client.get("/archives/photo/3/0/0.png").status_code == 404


def test_no_tile_is_an_empty_one_where_there_could_be_one(client: httpx.Client) -> None:
    answer = client.get("/archives/map/9/1/1.mvt")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("place", ["1/2/0", "0/0/1", "99/0/0", f"0/0/{'9' * 5000}", "x/0/0", "-1/0/0", "1/٣/0"])
def test_what_is_no_tile_is_404(client: httpx.Client, place: str) -> None:
    assert client.get(f"/archives/map/{place}.mvt").status_code == 404


def test_the_file_is_read_in_ranges_by_the_library_of_pmtiles(client: httpx.Client) -> None:
    def get_bytes(offset: int, length: int) -> bytes:
        answer = client.get("/archives/map.pmtiles", headers={"Range": f"bytes={offset}-{offset + length - 1}"})
        assert answer.status_code == 206
        assert answer.headers["content-range"].startswith(f"bytes {offset}-")
        assert "content-encoding" not in answer.headers
        return answer.content

    for (z, x, y), tile in TILES.items():
        assert gzip.decompress(Reader(get_bytes).get(z, x, y) or b"") == tile


def test_the_file_is_whole_with_its_length_and_never_zipped(client: httpx.Client, folder: Path) -> None:
    whole = (folder / "map.pmtiles").read_bytes()
    head = client.head("/archives/map.pmtiles", headers={"Accept-Encoding": "gzip"})
    got = client.get("/archives/map.pmtiles", headers={"Accept-Encoding": "gzip"})
    for answer in (head, got):
        assert answer.headers["content-length"] == str(len(whole))
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "application/vnd.pmtiles"
        assert "content-encoding" not in answer.headers
    assert (head.content, got.content) == (b"", whole)
    assert client.get("/archives/map.pmtiles", headers={"Range": "bytes=999999-"}).status_code == 416
    assert client.get("/archives/map.pmtiles", headers={"If-None-Match": got.headers["etag"]}).status_code == 304


def test_web_maps_elsewhere_may_read_ranges(client: httpx.Client) -> None:
    answer = client.get("/archives/map.pmtiles", headers={"Range": "bytes=0-6", "Origin": "https://example.org"})
    assert answer.content == b"PMTiles"
    assert "Content-Range" in answer.headers["access-control-expose-headers"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_an_archive_appears_is_replaced_and_goes_without_a_restart(client: httpx.Client, folder: Path) -> None:
    assert client.get("/archives/late.json").status_code == 404
    write_archive(folder / "late.pmtiles")
    first = client.get("/archives/late/0/0/0.mvt")
    assert first.content == b"world"
    write_archive(folder / "next", type_=TileType.PNG, packing=Compression.NONE)
    (folder / "next").replace(folder / "late.pmtiles")
    assert client.get("/archives/late/0/0/0.png").content == b"world"
    (folder / "late.pmtiles").unlink()
    assert client.get("/archives/late/0/0/0.png").status_code == 404


def test_a_tile_that_a_client_has_is_304(client: httpx.Client) -> None:
    tag = client.get("/archives/map/0/0/0.mvt").headers["etag"]
    assert client.get("/archives/map/0/0/0.mvt", headers={"If-None-Match": tag}).status_code == 304
    assert client.get("/archives/map/1/1/0.mvt", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("name", ["..%2Fsecret", "%2e%2e", "MAP", "map%00", "a.b", "no_such", "x" * 61])
def test_names_lead_nowhere_else(client: httpx.Client, folder: Path, name: str) -> None:
    write_archive(folder.parent / "secret.pmtiles")
    for path in (f"/archives/{name}.json", f"/archives/{name}.pmtiles", f"/archives/{name}/0/0/0.mvt"):
        assert client.get(path).status_code in (400, 404)


def test_mbtiles_are_refused_with_the_way_out(client: httpx.Client, folder: Path) -> None:
    (folder / "old.mbtiles").write_bytes(b"SQLite format 3\0")
    answer = client.get("/archives/old.json")
    assert answer.status_code == 404
    assert "pmtiles-convert old.mbtiles old.pmtiles" in answer.json()["description"]
    (folder / "old.mbtiles").unlink()


def test_the_list_has_all_and_says_what_is_wrong_with_one(client: httpx.Client, folder: Path) -> None:
    (folder / "broken.pmtiles").write_bytes(b"PMTiles\x03 and nothing more")
    (folder / "readme.txt").write_text("no archive", "utf-8")
    listed = {one["id"]: one for one in client.get("/archives?lang=zh").json()["archives"]}
    assert {"map", "photo", "broken"} <= listed.keys()
    assert "无法读取" in listed["broken"]["problem"]
    assert listed["map"]["title"] == "图"
    for one in listed["map"]["links"]:
        assert client.get(one["href"]).status_code == 200
    (folder / "broken.pmtiles").unlink()


def made(path: Path, *, root: bytes, leaves: bytes = b"", data: bytes = b"", **changed: Any) -> Path:
    """An archive by hand: its sections as they are given, its header right but for what is changed."""
    metadata = gzip.compress(b"{}")
    starts = [127, 127 + len(root), 127 + len(root) + len(metadata), 127 + len(root) + len(metadata) + len(leaves)]
    header = {
        "root_offset": starts[0],
        "root_length": len(root),
        "metadata_offset": starts[1],
        "metadata_length": len(metadata),
        "leaf_directory_offset": starts[2],
        "leaf_directory_length": len(leaves),
        "tile_data_offset": starts[3],
        "tile_data_length": len(data),
        "clustered": True,
        "internal_compression": Compression.GZIP,
        "tile_compression": Compression.GZIP,
        "tile_type": TileType.MVT,
        "min_zoom": 0,
        "max_zoom": 5,
        **changed,
    }
    path.write_bytes(serialize_header(header) + root + metadata + leaves + data)  # type: ignore[typeddict-item]
    return path


def bomb(size: int) -> bytes:
    """Very little that becomes very much."""
    zip_ = zlib.compressobj(9, wbits=31)
    return b"".join(zip_.compress(bytes(1 << 20)) for _ in range(size >> 20)) + zip_.flush()


def directory(*entries: tuple[int, int, int, int]) -> bytes:
    return serialize_directory([Entry(*one) for one in entries])


def varints(*numbers: int) -> bytes:
    """Numbers of seven bits a byte."""
    out = bytearray()
    for number in numbers:
        rest = number
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)
    return bytes(out)


LEAF = directory((0, 0, 20, 0))
HOSTILE: dict[str, Callable[[Path], Path]] = {
    "nothing": lambda path: made_of(path, b""),
    "some other file": lambda path: made_of(path, b"PK\3\4" * 100),
    "an older version": lambda path: made_of(path, b"PMTiles\2" + bytes(200)),
    "cut off in its header": lambda path: made_of(path, b"PMTiles\3" + bytes(50)),
    "unknown packing": lambda path: made_of(path, b"PMTiles\3" + bytes(89) + b"\x09" * 40),
    "brotli": lambda path: made(path, root=directory(), internal_compression=Compression.BROTLI),
    "a root beyond the file": lambda path: made(path, root=directory(), root_offset=10**15),
    "a root without end": lambda path: made(path, root=directory(), root_length=2**63),
    "metadata beyond the file": lambda path: made(path, root=directory(), metadata_length=2**64 - 1),
    "a root that is no zip": lambda path: made(path, root=b"not zipped"),
    "a zip cut off": lambda path: made(path, root=directory((0, 0, 5, 1))[:-6]),
    "a bomb as root": lambda path: made(path, root=bomb(12 << 20)),
    "more entries than bytes": lambda path: made(path, root=gzip.compress(varints(2**40))),
    "entries cut off": lambda path: made(path, root=gzip.compress(varints(3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) + b"\x80")),
    "a number without end": lambda path: made(path, root=gzip.compress(b"\xff" * 100 + b"\0" * 100)),
    "a number beyond 64 bits": lambda path: made(
        path, root=gzip.compress(varints(2, 2**64 - 1, 2**64 - 1, 1, 1, 1, 1, 1, 1) + bytes(9))
    ),
    "a first entry that follows nothing": lambda path: made(
        path, root=gzip.compress(varints(1, 0, 1, 5, 0) + bytes(9))
    ),
    "a tile beyond the data": lambda path: made(path, root=directory((0, 10**12, 5, 1)), data=b"x"),
    "a tile without end": lambda path: made(path, root=directory((0, 0, 10**12, 1)), data=b"x"),
    "a leaf beyond the file": lambda path: made(path, root=directory((0, 10**9, 20, 0)), leaves=LEAF),
    "leaves in a circle": lambda path: made(path, root=directory((0, 0, len(CIRCLE), 0)), leaves=CIRCLE),
    "a bomb as leaf": lambda path: made(path, root=directory((0, 0, len(BOMB), 0)), leaves=BOMB),
    "a pipe": lambda path: os.mkfifo(path) or path,
    "a folder": lambda path: path.mkdir() or path,
}
BOMB = bomb(64 << 20)


def circle() -> bytes:
    """A leaf directory whose one entry is the leaf itself."""
    length = 24
    while len(directory((0, 0, length, 0))) != length:
        length = len(directory((0, 0, length, 0)))
    return directory((0, 0, length, 0))


CIRCLE = circle()


def made_of(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_one_clear_error(tmp_path: Path, kind: str) -> None:
    path = HOSTILE[kind](tmp_path / "hostile.pmtiles")
    with pytest.raises(DamagedArchive, match="The archive hostile cannot be read") as error:
        Archive(path).place(0, 0, 0)
    assert error.value.message("zh").startswith("无法读取归档 hostile:")


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_harms_nobody(client: httpx.Client, folder: Path, kind: str) -> None:
    path = HOSTILE[kind](folder / "hostile.pmtiles")
    try:
        for asked in ("hostile.json", "hostile/0/0/0.mvt", "hostile.pmtiles"):
            answer = client.get(f"/archives/{asked}")
            assert answer.status_code in (200, 404, 500)
            if answer.status_code == 500:
                assert "cannot be read" in answer.json()["description"]
        assert client.get("/archives/hostile/0/0/0.mvt").status_code in (404, 500)
        listed = client.get("/archives").json()["archives"]
        assert "map" in [one["id"] for one in listed]
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_tile_that_is_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    data = BOMB
    archive = Archive(made(tmp_path / "a.pmtiles", root=directory((0, 0, len(data), 1)), data=data))
    place = archive.place(0, 0, 0)
    assert place is not None
    with pytest.raises(DamagedArchive, match="larger than is sensible"):
        archive.unpacked(archive.read(place))


def test_metadata_that_are_no_words_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.pmtiles"
    write_archive(path)
    raw = path.read_bytes()
    nested = gzip.compress(b"[" * 200_000)
    at = len(raw)
    changed = raw[:24] + at.to_bytes(8, "little") + len(nested).to_bytes(8, "little") + raw[40:] + nested
    path.write_bytes(changed)
    with pytest.raises(DamagedArchive, match="no JSON"):
        Archive(path).metadata()


def test_a_large_archive_with_leaves_is_read_right(tmp_path: Path) -> None:
    path = tmp_path / "large.pmtiles"
    with write(path) as writer:
        for id_ in sorted(random.Random(1).sample(range(20_000, 80_000), 30_000)):
            writer.write_tile(id_, str(id_).encode() * (id_ % 7 + 1))
        writer.finalize({"tile_type": TileType.MVT, "tile_compression": Compression.NONE}, {})
    archive = Archive(path)
    assert archive.header["leaf_directory_length"] > 0
    with path.open("rb") as file:
        raw = file.read()
    reader = Reader(lambda offset, length: raw[offset : offset + length])
    for x in range(0, 256, 37):
        for y in range(0, 256, 41):
            place = archive.place(8, x, y)
            assert (archive.read(place) if place else None) == reader.get(8, x, y)
    assert json.loads(json.dumps(archive.metadata())) == {}
