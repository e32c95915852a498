"""Archives: what is inside comes out, below one directory, under its real name; anything else is refused in one line."""

import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from loaders import archive
from loaders.errors import DamagedSource, EmptySource, EncryptedSource, SourceError, UnsafeSource

LIMIT = 1_000_000_000


@pytest.fixture
def into(tmp_path: Path) -> Path:
    directory = tmp_path / "workspace"
    directory.mkdir()
    return directory


def pack(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def unpack(path: Path, into: Path, limit: int = LIMIT) -> list[str]:
    archive.unpack(path, path, into, limit)
    return sorted(one.relative_to(into).as_posix() for one in into.rglob("*") if one.is_file())


def test_files_come_out_in_their_folders(tmp_path: Path, into: Path) -> None:
    path = pack(tmp_path / "a.zip", ("a/b.txt", b"one"), ("c.txt", b"two"), ("empty/", b""))
    assert unpack(path, into) == ["a/b.txt", "c.txt"]
    assert (into / "a" / "b.txt").read_bytes() == b"one"


def test_what_macos_and_windows_add_is_left_out(tmp_path: Path, into: Path) -> None:
    path = pack(
        tmp_path / "a.zip", ("a.shp", b"x"), ("__MACOSX/._a.shp", b"x"), (".DS_Store", b"x"), ("Thumbs.db", b"x")
    )
    assert unpack(path, into) == ["a.shp"]


@pytest.mark.parametrize("codec", ["gbk", "utf-8", "cp950"])
def test_chinese_names_without_the_utf8_flag_are_read_right(tmp_path: Path, into: Path, codec: str) -> None:
    """Python marks what is not ASCII as UTF-8, so that the flag and the names are put in by hand."""
    name = "吉林市土地利用數據" if codec == "cp950" else "吉林市土地利用数据"
    raw = name.encode(codec)
    path = pack(tmp_path / "a.zip", ("x" * len(raw), b"content"))
    path.write_bytes(path.read_bytes().replace(b"x" * len(raw), raw))
    assert unpack(path, into) == [name]


def test_backslashes_of_windows_tools_are_folders(tmp_path: Path, into: Path) -> None:
    assert unpack(pack(tmp_path / "a.zip", ("data\\a.shp", b"x")), into) == ["data/a.shp"]


@pytest.mark.parametrize(
    "name",
    ["../a.shp", "a/../../b.shp", "/tmp/a.shp", "C:\\a.shp", "..\\a.shp", "\\\\host\\share\\a.shp", "x/" * 40 + "a"],
)
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, into: Path, name: str) -> None:
    with pytest.raises(UnsafeSource, match="leads out"):
        unpack(pack(tmp_path / "a.zip", (name, b"x")), into)
    assert not list(into.rglob("*"))
    assert [one.name for one in tmp_path.iterdir() if one != into] == ["a.zip"]


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010644])
def test_links_and_devices_are_refused(tmp_path: Path, into: Path, mode: int) -> None:
    info = zipfile.ZipInfo("a.geojson")
    info.create_system, info.external_attr = 3, mode << 16
    with pytest.raises(UnsafeSource, match="link or a device"):
        unpack(pack(tmp_path / "a.zip", (info, b"/etc/passwd")), into)


def test_names_that_differ_only_by_case_are_refused(tmp_path: Path, into: Path) -> None:
    with pytest.raises(UnsafeSource, match="same name"):
        unpack(pack(tmp_path / "a.zip", ("a.shp", b"x"), ("A.SHP", b"y")), into)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, into: Path) -> None:
    with pytest.raises(UnsafeSource, match="zip bomb"):
        unpack(pack(tmp_path / "a.zip", ("a.csv", bytes(100 << 20))), into)
    assert not list(into.iterdir())


def test_well_packed_data_is_no_bomb(tmp_path: Path, into: Path) -> None:
    """A DBF is mostly blanks: here fifty to one."""
    rows = b"".join(random.Random(n).randbytes(6) + b" " * 394 for n in range(200_000))
    assert unpack(pack(tmp_path / "a.zip", ("a.dbf", rows)), into) == ["a.dbf"]


def test_more_bytes_than_allowed_are_refused(tmp_path: Path, into: Path) -> None:
    path = pack(tmp_path / "a.zip", ("a", random.Random(1).randbytes(3000)), ("b", random.Random(2).randbytes(3000)))
    with pytest.raises(UnsafeSource, match="CHENGTU_TEMPORARY_LIMIT"):
        unpack(path, into, limit=5000)
    assert not list(into.iterdir())


def test_a_bomb_of_overlapping_entries_is_refused(tmp_path: Path, into: Path) -> None:
    """Many entries of the directory point to the same packed bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = bytes(1 << 20)
    packed = packer.compress(content) + packer.flush()
    crc = zlib.crc32(content)
    local = (
        struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, crc, len(packed), len(content), 1, 0) + b"a" + packed
    )
    entries = b"".join(
        struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, crc, len(packed), len(content), 4, 0, 0, 0, 0, 0, 0
        )
        + f"{n:04}".encode()
        for n in range(2000)
    )
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2000, 2000, len(entries), len(local), 0)
    path = tmp_path / "a.zip"
    path.write_bytes(local + entries + end)
    with pytest.raises(SourceError):
        unpack(path, into)
    assert sum(one.stat().st_size for one in into.rglob("*") if one.is_file()) <= len(content)


def test_too_many_entries_are_refused(tmp_path: Path, into: Path) -> None:
    with pytest.raises(UnsafeSource, match="more than 10000 entries"):
        unpack(pack(tmp_path / "a.zip", *[(f"{n}", b"") for n in range(10_001)]), into)


def test_a_directory_that_claims_to_be_huge_is_not_read(tmp_path: Path, into: Path) -> None:
    path = pack(tmp_path / "a.zip", ("a", b"x"))
    content = bytearray(path.read_bytes())
    content[-10:-6] = struct.pack("<I", 200 << 20)
    path.write_bytes(content)
    with pytest.raises(UnsafeSource, match="more than 10000 entries"):
        unpack(path, into)


def test_a_password_is_asked_to_be_removed(tmp_path: Path, into: Path) -> None:
    path = pack(tmp_path / "a.zip", ("a.shp", b"content"))
    content = bytearray(path.read_bytes())
    content[6] |= 1  # general purpose flag, in the local header
    content[content.index(b"PK\1\2") + 8] |= 1  # and in the directory
    path.write_bytes(content)
    with pytest.raises(EncryptedSource, match="password"):
        unpack(path, into)


def _cut(content: bytes) -> bytes:
    return content[:-30]


def _flip(content: bytes) -> bytes:
    return content[:40] + bytes([content[40] ^ 0xFF]) + content[41:]


def _no_directory(content: bytes) -> bytes:
    return content[: content.index(b"PK\1\2")]


def _unknown_method(content: bytes) -> bytes:
    place = content.index(b"PK\1\2")
    return content[:8] + b"\x63\0" + content[10 : place + 10] + b"\x63\0" + content[place + 12 :]


@pytest.mark.parametrize("damage", [_cut, _flip, _no_directory, _unknown_method])
def test_damage_is_noticed(tmp_path: Path, into: Path, damage: Callable[[bytes], bytes]) -> None:
    path = pack(tmp_path / "a.zip", ("a.shp", random.Random(1).randbytes(500)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedSource):
        unpack(path, into)


def test_an_archive_of_nothing_is_empty(tmp_path: Path, into: Path) -> None:
    with pytest.raises(EmptySource):
        unpack(pack(tmp_path / "a.zip"), into)


def test_names_that_nobody_can_read_do_not_stop_the_unpacking(tmp_path: Path, into: Path) -> None:
    path = pack(tmp_path / "a.zip", ("xxxx.shp", b"content"))
    path.write_bytes(path.read_bytes().replace(b"xxxx", b"\xff\xfe\x81\x20"))
    assert len(unpack(path, into)) == 1
