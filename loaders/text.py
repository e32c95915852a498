"""Encodings: what a file says of itself is tried, a wrong or missing word is made good from the bytes."""

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

from core.language import Text
from loaders.errors import UnknownEncoding
from loaders.layer import Note

UTF8 = "utf-8"
_BLOCK = 4 << 20  # bytes read at once
_VALUES_A_BLOCK = 64  # samples: enough to judge by, spread over the whole file
_TOLERATED = 0.02  # share of values that may not decode before a declaration is called wrong
_HARDLY = 0.2  # share of everyday characters below which a text is not Chinese
_HALF = 0.5  # share of everyday characters above which a declaration is believed, whatever else the bytes could be
_CLEAR = 0.8  # share of everyday characters from which a guess needs no doubt
_ASCII = bytes(range(0x20, 0x7F))

# GB18030 contains GBK and GB2312, so that one codec reads all three.
_SUPERSET = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "big5": "cp950", "ascii": UTF8}
_LABEL = {UTF8: "UTF-8", "gb18030": "GB18030", "cp950": "Big5", "big5hkscs": "Big5-HKSCS"}
_NOT_TEXT = {"unicode-escape", "raw-unicode-escape", "idna", "punycode"}
_BOM = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

# Non-ASCII text between characters that no double-byte encoding uses as a second byte.
_HIGH = re.compile(rb"[\x80-\xff][^\x00-\x1f\"',:;<>=&]{0,200}")


class Sample(NamedTuple):
    """What a look at the bytes gave: some values with non-ASCII text, and whether the whole is proper UTF-8."""

    values: tuple[bytes, ...]
    is_utf8: bool
    bom: str | None = None


class Guess(NamedTuple):
    """An encoding, why it was taken, and how some of the text reads in it."""

    codec: str
    label: str
    reason: Text
    sample: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def find_codec(name: str) -> str | None:
    """Python's name for an encoding as people, `.cpg` files and drawings write it; None for what is none.

    Only encodings that leave ASCII as it is are text encodings here.
    """
    plain = re.sub(r"^(ansi|oem|windows|cp|dos)?[-_ ]*(\d+)$", r"cp\2", name.strip().lower())
    plain = re.sub(r"^(?:iso|cp)?[-_ ]?8859[-_ ]?(\d+)$", r"iso8859-\1", plain)
    plain = {"cp65001": UTF8, "cp54936": "gb18030", "cp20936": "gb18030", "utf8mb4": UTF8}.get(plain, plain)
    try:
        codec = codecs.lookup(plain.replace(" ", "")).name
        keeps_ascii = codec not in _NOT_TEXT and _ASCII.decode(codec) == _ASCII.decode()
    except (LookupError, UnicodeError, ValueError):
        return None
    return _SUPERSET.get(codec, codec) if keeps_ascii else None


def require_codec(name: str) -> str:
    """Python's name for an encoding that the user gave; an unknown one raises `UnknownEncoding`."""
    if (codec := find_codec(name)) is None:
        raise UnknownEncoding(encoding=name)
    return codec


def label_of(codec: str) -> str:
    """The name to show for a codec."""
    return _LABEL.get(codec, codec.upper())


def decode(raw: bytes, codec: str) -> str:
    """Decode a value that may have been cut inside its last character: that half is dropped, other errors raise."""
    return codecs.getincrementaldecoder(codec)().decode(raw, final=False)


def settle(sample: Sample, declared: tuple[str, str] | None = None, asked: str | None = None) -> Guess:
    """Decide on the encoding of some text.

    `asked` is the user's own word and wins. `declared` is (encoding, where it is said): believed if the text decodes,
    and, since a single-byte encoding decodes anything, if the text does not look like Chinese.
    """
    if asked is not None:
        return _as_asked(sample, require_codec(asked))
    codec = find_codec(declared[0]) if declared else None
    guess = _detect(sample)
    if declared is None or codec is None:
        return _with_doubt(guess, sample) if declared is None else _overruled(guess, sample, declared)
    if _believable(sample, codec, guess):
        where = Text(f"{declared[1]} says {declared[0]}", f"{declared[1]} 声明为 {declared[0]}")
        return Guess(codec, label_of(codec), where, _readings(sample.values, codec))
    return _overruled(guess, sample, declared)


def _as_asked(sample: Sample, codec: str) -> Guess:
    wrong = _share_undecodable(sample.values, codec)
    notes: tuple[Note, ...] = ()
    if wrong > _TOLERATED:
        text = Text(
            f"{wrong:.0%} of the sampled text is not valid {label_of(codec)}, as --encoding asks; check it.",
            f"抽样文本中有 {wrong:.0%} 不符合 --encoding 指定的 {label_of(codec)},请核对。",
        )
        notes = (Note("encoding-doubtful", text),)
    reason = Text("given by --encoding", "由 --encoding 指定")
    return Guess(codec, label_of(codec), reason, _readings(sample.values, codec), notes)


def _believable(sample: Sample, codec: str, guess: Guess) -> bool:
    if not sample.values or guess.codec == codec:
        return True
    if _is_single_byte(codec):
        return not _looks_certain(sample, guess.codec)
    if _share_undecodable(sample.values, codec) > _TOLERATED:
        return False
    return _everyday_share(sample.values, codec) > _HALF or not _looks_certain(sample, guess.codec)


def _looks_certain(sample: Sample, codec: str) -> bool:
    """Whether the bytes can hardly be anything but `codec`, whatever is declared."""
    if codec == UTF8:
        return not _is_chance(sample)
    return len(_letters(sample.values, codec)) >= 4 and _everyday_share(sample.values, codec) >= _CLEAR


def _overruled(guess: Guess, sample: Sample, declared: tuple[str, str]) -> Guess:
    text = Text(
        f"{declared[1]} says {declared[0]}, but the text is not that; read as {guess.label}.",
        f"{declared[1]} 声明为 {declared[0]},但文本并非该编码;已按 {guess.label} 读取。",
    )
    return _with_doubt(guess, sample)._replace(notes=(Note("encoding-declared-wrong", text),))


def _with_doubt(guess: Guess, sample: Sample) -> Guess:
    """Add a note if the guess is a mere best one."""
    if sample.bom or not sample.values or _looks_certain(sample, guess.codec):
        return guess
    text = Text(
        f"The encoding is a guess ({guess.label}); if names look wrong, load again with --encoding.",
        f"编码为推测结果({guess.label});如文字有误,请用 --encoding 指定后重新加载。",
    )
    return guess._replace(notes=(*guess.notes, Note("encoding-doubtful", text)))


def _detect(sample: Sample) -> Guess:
    """Guess from the bytes alone."""
    if sample.bom:
        codec = UTF8 if sample.bom == "utf-8-sig" else sample.bom
        return Guess(codec, label_of(codec), Text("marked by a byte order mark", "由字节顺序标记(BOM)确定"))
    if not sample.values:
        return Guess(UTF8, "UTF-8", Text("all text is plain ASCII", "全部文本为 ASCII"))
    readings = _readings(sample.values, UTF8)
    if sample.is_utf8 and not _is_chance(sample):
        return Guess(UTF8, "UTF-8", Text("all of the text is valid UTF-8", "全部文本符合 UTF-8"), readings)
    scores = {codec: _everyday_share(sample.values, codec) for codec in ("gb18030", "cp950", "big5hkscs")}
    codec = max(scores, key=lambda one: scores[one])
    if scores[codec] < _HARDLY and _share_undecodable(sample.values, codec) > _TOLERATED:
        reason = Text("neither UTF-8 nor Chinese; read as Western text", "既非 UTF-8 也非中文编码;按西文读取")
        return Guess("cp1252", "CP1252", reason, _readings(sample.values, "cp1252"))
    label, share = label_of(codec), f"{scores[codec]:.0%}"
    reason = Text(
        f"not UTF-8; read as {label}, {share} of the characters are everyday ones",
        f"并非 UTF-8;按 {label} 解读时 {share} 为常用字",
    )
    return Guess(codec, label, reason, _readings(sample.values, codec))


def _is_chance(sample: Sample) -> bool:
    """Whether text is UTF-8 by chance: the GBK of 住宅 is also a Hebrew and an Armenian letter, and no Chinese one."""
    letters = _letters(sample.values, UTF8)
    if not "\u0100" <= max(letters, default="") < "\u0800":  # ° and m² are everyday UTF-8
        return False
    return _everyday_share(sample.values, "gb18030") >= _CLEAR


def _is_single_byte(codec: str) -> bool:
    """Whether every byte is a character: such an encoding decodes anything."""
    try:
        return len(bytes([0xC4, 0xE3]).decode(codec, "replace")) == 2 and codec != UTF8
    except LookupError:
        return False


def _share_undecodable(values: Sequence[bytes], codec: str) -> float:
    return sum(not _decodes(value, codec) for value in values) / max(len(values), 1)


def _decodes(raw: bytes, codec: str) -> bool:
    try:
        decode(raw, codec)
    except UnicodeError:
        return False
    return True


def _everyday_share(values: Sequence[bytes], codec: str) -> float:
    """Of the letters that `values` have in `codec`, the share among the most used characters of its standard."""
    letters = _letters(values, codec)
    return sum(letter in _everyday(codec) for letter in letters) / max(len(letters), 1)


def _letters(values: Sequence[bytes], codec: str) -> list[str]:
    """All non-ASCII characters but for full-width punctuation, which every encoding of Chinese has."""
    return [
        letter
        for value in values
        for letter in value.decode(codec, "replace")
        if letter > "\x7f" and not "\u2000" <= letter <= "\u303f" and not "\uff00" <= letter <= "\uffef"
    ]


@cache
def _everyday(codec: str) -> frozenset[str]:
    """The 3 755 level-1 characters of GB/T 2312, or the 5 401 of Big5, by their rows in the code table."""
    if codec == "gb18030":
        table, rows, columns = "gb2312", range(0xB0, 0xD8), [*range(0xA1, 0xFF)]
    else:
        table, rows, columns = "cp950", range(0xA4, 0xC7), [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    return frozenset("".join(bytes([row, column]).decode(table, "ignore") for row in rows for column in columns))


def _readings(values: Sequence[bytes], codec: str) -> tuple[str, ...]:
    """Up to five different values as they read in `codec`, the longest words of the sample first."""
    longest = sorted(dict.fromkeys(values[:200]), key=len, reverse=True)[:5]
    return tuple(value.decode(codec, "replace").strip()[:60] for value in longest)


def sample_file(path: Path) -> Sample:
    """Look at a whole text file: is it UTF-8, and what does its non-ASCII text look like?"""
    with path.open("rb") as file:
        head = file.read(4)
        bom = next((name for mark, name in _BOM.items() if head.startswith(mark)), None)
        file.seek(0)
        return _sample_blocks(_blocks(file), bom)


def sample_bytes(block: bytes) -> Sample:
    """Look at some text at hand."""
    return _sample_blocks([block], None)


def _sample_blocks(blocks: Iterable[bytes], bom: str | None) -> Sample:
    strict = codecs.getincrementaldecoder(UTF8)()
    values: list[bytes] = []
    is_utf8 = True
    for block in blocks:
        if block.isascii() and not strict.getstate()[0]:
            continue
        is_utf8 = is_utf8 and _continues(strict, block)
        values += [match.group() for match, _ in zip(_HIGH.finditer(block), range(_VALUES_A_BLOCK), strict=False)]
    return Sample(tuple(values), is_utf8 and _continues(strict, b"", final=True), bom)


def _continues(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeError:
        return False
    return True


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def transcode(source: Path, target: Path, codec: str) -> int:
    """Write `source` as UTF-8 without a byte order mark; return how many characters had to be replaced by U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if codec == UTF8 else codec)("replace")
    replaced = 0
    with source.open("rb") as read, target.open("wb") as write:
        for block in chain(_blocks(read), [b""]):
            text = decoder.decode(block, final=not block)
            replaced += text.count("\ufffd")
            write.write(text.encode(UTF8, "replace"))
    return replaced


def in_utf8(path: Path, target: Path, guess: Guess) -> tuple[Path, tuple[Note, ...]]:
    """The same text in UTF-8: `path` itself if it is that already, else a copy at `target`."""
    if guess.codec == UTF8 and not _has_bom(path):
        return path, ()
    if not (replaced := transcode(path, target, guess.codec)):
        return target, ()
    return target, (replaced_note(replaced, guess.label),)


def replaced_note(count: int, label: str) -> Note:
    """The report's line about text that was not valid in its encoding."""
    return Note(
        "text-replaced",
        Text(
            f"Characters that are not valid {label}, replaced by \ufffd: {count}.",
            f"有 {count} 个字符不符合 {label},已以 \ufffd 代替。",
        ),
    )


def _has_bom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == codecs.BOM_UTF8
