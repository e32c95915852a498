"""The words of CQL2 text."""

import re
from typing import NamedTuple

from core.language import Text
from features.filters.errors import FilterUnreadable

A_VALUE = Text("a property, a number, a text in '...' or a function", "属性、数值、'...' 文本或函数")

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    | (?P<text>'(?:''|\\.|[^'\\])*')
    | (?P<quoted>"(?:""|[^"])+")
    | (?P<name>(?:[^\W\d]|:)[\w.:\u200c\u200d\u203f\u2040]*)
    | (?P<sign><=|>=|<>|!=|[=<>+\-*/%^(),])
    """,
    re.VERBOSE | re.DOTALL,
)
_CONTROLS = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}


class Token(NamedTuple):
    """A word of the filter: what it is, its characters, and where it begins."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """A keyword or sign, in capitals; nothing for what is quoted."""
        return self.text.upper() if self.kind in ("name", "sign") else ""


def tokens(text: str) -> list[Token]:
    """All words of a filter, and its end."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterUnreadable(at=at + 1, near=text[at : at + 10], expected=A_VALUE)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


def unquote(text: str) -> str:
    """The characters between single quotes: a quote within is '' or \\', a backslash \\\\, and \\n begins a line.

    A backslash before anything else stays: LIKE reads \\% and \\_ itself.
    """
    return re.sub(r"''|\\(.)", _unescaped, text[1:-1], flags=re.DOTALL)


def _unescaped(match: re.Match[str]) -> str:
    if match[1] is None:
        return "'"
    return match[1] if match[1] in "'\\" else _CONTROLS.get(match[1], match[0])
