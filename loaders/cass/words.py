"""The texts of a drawing: bytes in its encoding, with the escapes that CAD programs write into them."""

from collections import Counter

from ezdxf.lldxf.encoding import decode_dxf_unicode, decode_mif_to_unicode
from ezdxf.tools.text import fast_plain_mtext, plain_text

from core.language import Text
from loaders.layer import Note

_LONGEST = 65_536  # characters that are kept of one text


class Words:
    """Decodes the texts of one drawing, and counts what could not be decoded."""

    def __init__(self, codec: str) -> None:
        self.counts: Counter[str] = Counter()
        self._codec = codec

    def __call__(self, raw: bytes | None) -> str:
        """A value as text: a layer's name, an attribute's tag, a text of one line."""
        if raw is None:
            return ""
        text = raw.decode() if raw.isascii() else self._decoded(raw)
        if "\\" in text:
            text = _unescaped(text)
        if "\0" in text:
            self.counts["nul-removed"] += 1
            text = text.replace("\0", "")
        if len(text) > _LONGEST:
            self.counts["text-long"] += 1
            text = text[:_LONGEST]
        return text

    def line(self, raw: bytes | None) -> str:
        """A TEXT as people see it: %%d is °, %%u draws a line."""
        text = self(raw)
        return plain_text(text).strip() if "%%" in text or "^" in text else text.strip()

    def paragraph(self, raw: list[bytes]) -> str:
        """An MTEXT as people see it: without fonts, heights and colours."""
        text = self(b"".join(raw))
        return str(fast_plain_mtext(text)).strip() if any(mark in text for mark in "\\{}%^") else text.strip()

    def _decoded(self, raw: bytes) -> str:
        try:
            return raw.decode(self._codec)
        except UnicodeDecodeError:
            self.counts["text-replaced"] += 1
            return raw.decode(self._codec, "replace")

    def notes(self) -> tuple[Note, ...]:
        """What had to be done to texts."""
        return tuple(
            Note(code, Text(_SAID[code].en.format(n=n), _SAID[code].zh.format(n=n))) for code, n in self.counts.items()
        )


_SAID = {
    "text-replaced": Text(
        "Texts that are not valid in their encoding, with \ufffd in place of what was lost: {n}. Try another --encoding.",
        "{n} 个文字不符合其编码,丢失的字符以 \ufffd 代替;可尝试其他 --encoding。",
    ),
    "nul-removed": Text("NUL characters were removed from texts: {n}.", "已从 {n} 个文字中删除 NUL 字符。"),
    "text-long": Text("Texts longer than 65 536 characters, cut there: {n}.", "{n} 个文字超过 65 536 个字符,已截断。"),
}


def _unescaped(text: str) -> str:
    """A text without the escapes for characters that its encoding lacks; half of a pair of surrogates is no character."""
    try:
        text = decode_mif_to_unicode(decode_dxf_unicode(text))
    except (ValueError, OverflowError):
        return text
    return text.encode("utf-8", "replace").decode()
