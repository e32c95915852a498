"""Zip archives, unpacked into the workspace with the distrust that a file from elsewhere deserves."""

import re
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from core.language import Text
from loaders.errors import DamagedSource, EmptySource, EncryptedSource, UnsafeSource
from loaders.text import Sample, settle

_ENTRIES = 10_000
_DIRECTORY = 16 << 20  # bytes that the list of entries may take; it is read whole
_RATIO = 250  # unpacked to packed, from `_SMALL` bytes on; a DBF full of blanks stays below
_SMALL = 64 << 20
_BLOCK = 1 << 20
_CLUTTER = re.compile(r"(^|/)(__MACOSX|\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)(/|$)", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")
_UTF8_NAME = 0x800  # general purpose flag 11
_ENCRYPTED = 0x41  # flags 0 and 6
_END = b"PK\x05\x06"

_ADVICE = Text("Pack the data again as a plain zip file.", "请将数据重新打包为普通 zip 文件。")


class _Member(NamedTuple):
    info: zipfile.ZipInfo
    name: PurePosixPath


def unpack(path: Path, shown: Path, into: Path, limit: int) -> None:
    """Unpack everything below the directory `into`, at most `limit` bytes.

    Raises `UnsafeSource` for names that leave it, links, bombs and too many entries, `EncryptedSource`,
    `DamagedSource`, or `EmptySource`; what was unpacked until then is for the owner of `into` to remove.
    """
    _check_directory(path, shown)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, shown)
            _check_size(members, shown, min(limit, shutil.disk_usage(into).free))
            left = limit
            for member in members:
                left -= _write(archive, member, into, shown, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        why = Text(f"zip: {error}", f"zip:{error}")
        raise DamagedSource(path=shown, why=why) from error


def check(path: Path, shown: Path, limit: int) -> None:
    """Apply the same limits to an archive that another reader will open."""
    _check_directory(path, shown)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(_members(archive, shown), shown, limit)
    except zipfile.BadZipFile as error:
        raise DamagedSource(path=shown, why=Text(f"zip: {error}", f"zip:{error}")) from error


def _check_directory(path: Path, shown: Path) -> None:
    """Look at the end record before Python reads the list of entries, which a bomb may have made huge."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - 65_557, 0))
        tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < 22:
        raise DamagedSource(path=shown, why=Text("the end of the archive is missing", "压缩包尾部缺失"))
    entries, length = struct.unpack_from("<HI", tail, place + 10)
    if length == 0xFFFFFFFF or entries == 0xFFFF:  # zip64 keeps the real numbers before it
        entries, length = _zip64(tail, place)
    if entries > _ENTRIES or length > _DIRECTORY:
        raise _unsafe(shown, Text(f"it has more than {_ENTRIES} entries", f"条目超过 {_ENTRIES} 个"))


def _zip64(tail: bytes, end: int) -> tuple[int, int]:
    place = tail.rfind(b"PK\x06\x06", 0, end)
    if place < 0 or len(tail) - place < 56:
        return 0, 0
    entries, length = struct.unpack_from("<QQ", tail, place + 32)
    return int(entries), int(length)


def _members(archive: zipfile.ZipFile, shown: Path) -> list[_Member]:
    """The files in an archive under safe names, each only once."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    codec = _name_codec(infos)
    members = []
    for info in infos:
        name = _real_name(info, codec)
        if _CLUTTER.search(name):
            continue
        if info.flag_bits & _ENCRYPTED:
            raise EncryptedSource(path=shown)
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _unsafe(shown, Text(f"{name!r} is a link or a device", f"{name!r} 是链接或设备文件"))
        members.append(_Member(info, _safe(name, shown)))
    if not members:
        raise EmptySource(path=shown)
    if len({str(member.name).casefold() for member in members}) < len(members):
        raise _unsafe(shown, Text("two entries have the same name", "存在同名条目"))
    return members


def _name_codec(infos: list[zipfile.ZipInfo]) -> str:
    """The encoding of names without the UTF-8 flag, which Chinese Windows writes in GBK."""
    raw = [_raw_name(info) for info in infos if not info.flag_bits & _UTF8_NAME]
    values = tuple(name for name in raw if not name.isascii())
    return settle(Sample(values, is_utf8=all(_is_utf8(value) for value in values))).codec


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437", "replace")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _real_name(info: zipfile.ZipInfo, codec: str) -> str:
    name = info.orig_filename if info.flag_bits & _UTF8_NAME else _raw_name(info).decode(codec, "replace")
    return name.replace("\\", "/")


def _safe(name: str, shown: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and not _DRIVE.match(name) and "\0" not in name
    if not inside or not path.parts or len(path.parts) > 32:
        raise _unsafe(shown, Text(f"the entry {name[:80]!r} leads out of it", f"条目 {name[:80]!r} 指向压缩包之外"))
    return path


def _check_size(members: list[_Member], shown: Path, limit: int) -> None:
    unpacked = sum(member.info.file_size for member in members)
    packed = sum(member.info.compress_size for member in members)
    if unpacked > limit:
        raise _too_large(shown, limit)
    if unpacked > _SMALL and unpacked > _RATIO * max(packed, 1):
        raise _unsafe(
            shown,
            Text(
                f"{packed:,} bytes would unpack to {unpacked:,}: a zip bomb",
                f"{packed:,} 字节将解压为 {unpacked:,} 字节,疑似压缩炸弹",
            ),
        )


def _write(archive: zipfile.ZipFile, member: _Member, into: Path, shown: Path, left: int) -> int:
    """Write one file; the bytes are counted, since an entry may be longer than it says."""
    target = into / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member.info) as source, target.open("xb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > left:
                raise _too_large(shown, left)
            file.write(block)
    return written


def _too_large(shown: Path, limit: int) -> UnsafeSource:
    return UnsafeSource(
        path=shown,
        why=Text(f"it unpacks to more than {limit:,} bytes", f"解压后超过 {limit:,} 字节"),
        advice=Text(
            "Unpack it yourself and load the file inside, free some disk space, or raise CHENGTU_TEMPORARY_LIMIT.",
            "请自行解压后加载其中的文件,或释放磁盘空间、调高 CHENGTU_TEMPORARY_LIMIT。",
        ),
    )


def _unsafe(shown: Path, why: Text) -> UnsafeSource:
    return UnsafeSource(path=shown, why=why, advice=_ADVICE)
