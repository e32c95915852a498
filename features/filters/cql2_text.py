"""Reads CQL2 text (OGC 21-065r2, annex B).

The host's own reader takes `a OR b AND c` for `(a OR b) AND c`, and knows neither NOT before a bracket, nor names in
Chinese or of one letter, nor doubled quotes; so this one is ours: recursive descent over a list of tokens.
"""

import re
from decimal import Decimal
from typing import NamedTuple, cast

from core.errors import BadRequest
from core.geojson import read_wkt
from core.language import Text
from features.filters import nodes
from features.filters.errors import FilterCutShort, FilterTooDeep, FilterUnreadable, FilterUnsupported
from features.filters.limits import MAX_DEPTH
from features.filters.literals import read_date, read_instant, read_number, read_text
from features.filters.nodes import Node

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    | (?P<text>'(?:''|\\'|[^'])*')
    | (?P<quoted>"(?:""|[^"])+")
    | (?P<name>(?:[^\W\d]|:)[\w.:]*)
    | (?P<sign><=|>=|<>|!=|[=<>+\-*/%^(),])
    """,
    re.VERBOSE,
)
_RESERVED = {"AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL"}
_GEOMETRIES = {"POINT", "LINESTRING", "POLYGON", "GEOMETRYCOLLECTION"} | {
    f"MULTI{kind}" for kind in ("POINT", "LINESTRING", "POLYGON")
}
_A_VALUE = Text("a property, a number, a text in '...' or a function", "属性、数值、'...' 文本或函数")
_AN_OPERATOR = Text("an operator or the end", "运算符或结尾")


class Token(NamedTuple):
    """A word of the filter: what it is, its characters, and where it begins."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """A keyword or sign, in capitals; nothing for what is quoted."""
        return self.text.upper() if self.kind in ("name", "sign") else ""


def read(text: str) -> Node:
    """Read a whole filter."""
    return _Reader(text).whole()


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterUnreadable(at=at + 1, near=text[at : at + 10], expected=_A_VALUE)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


class _Reader:
    """A place in the tokens; each method reads one rule of the grammar and moves on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.place = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    @property
    def after(self) -> Token:
        return self.tokens[min(self.place + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def takes(self, *words: str) -> bool:
        """Move past the words if they come next."""
        coming = self.tokens[self.place : self.place + len(words)]
        if [token.word for token in coming] != list(words):
            return False
        self.place += len(words)
        return True

    def expect(self, word: str) -> None:
        if not self.takes(word):
            raise self.unreadable(Text(repr(word), repr(word)))

    def unreadable(self, expected: Text) -> BadRequest:
        if self.next.kind == "end":
            return FilterCutShort(expected=expected)
        near = self.text[self.next.at : self.next.at + 20]
        return FilterUnreadable(at=self.next.at + 1, near=near, expected=expected)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FilterTooDeep(limit=MAX_DEPTH)

    def whole(self) -> Node:
        node = self.disjunction()
        if self.next.kind != "end":
            raise self.unreadable(_AN_OPERATOR)
        return node

    def disjunction(self) -> Node:
        self.deeper()
        operands = [self.conjunction()]
        while self.takes("OR"):
            operands.append(self.conjunction())
        self.depth -= 1
        return nodes.Or(tuple(operands)) if len(operands) > 1 else operands[0]

    def conjunction(self) -> Node:
        operands = [self.negation()]
        while self.takes("AND"):
            operands.append(self.negation())
        return nodes.And(tuple(operands)) if len(operands) > 1 else operands[0]

    def negation(self) -> Node:
        if not self.takes("NOT"):
            return self.predicate()
        self.deeper()
        node = nodes.Not(self.negation())
        self.depth -= 1
        return node

    def predicate(self) -> Node:
        left = self.sum()
        word = self.next.word
        if word in ("=", "<>", "<", ">", "<=", ">="):
            self.take()
            return nodes.Comparison(cast(nodes.ComparisonOp, word), left, self.sum())
        if self.takes("IS", "NOT", "NULL"):
            return nodes.Not(nodes.IsNull(left))
        if self.takes("IS", "NULL"):
            return nodes.IsNull(left)
        if self.takes("NOT"):
            return nodes.Not(self.ranged(left, Text("BETWEEN, IN or LIKE", "BETWEEN、IN 或 LIKE")))
        if word in ("BETWEEN", "IN", "LIKE"):
            return self.ranged(left, _AN_OPERATOR)
        if word == "!=":
            raise FilterUnsupported(what=word)
        return left

    def ranged(self, left: Node, expected: Text) -> Node:
        """What follows a value in BETWEEN, IN and LIKE."""
        if self.takes("BETWEEN"):
            low = self.sum()
            self.expect("AND")
            return nodes.Between(left, low, self.sum())
        if self.takes("IN"):
            self.expect("(")
            return nodes.In(left, self.rest_of_list(self.sum()))
        if self.takes("LIKE"):
            return nodes.Like(left, self.sum())
        raise self.unreadable(expected)

    def rest_of_list(self, first: Node) -> tuple[Node, ...]:
        items = [first]
        while self.takes(","):
            items.append(self.sum())
        self.expect(")")
        return tuple(items)

    def sum(self) -> Node:
        start = self.depth
        left = self.product()
        while self.next.word in ("+", "-"):
            self.deeper()  # a chain of sums is a tree as deep as it is long
            left = nodes.Arithmetic(cast(nodes.ArithmeticOp, self.take().text), left, self.product())
        self.depth = start
        return left

    def product(self) -> Node:
        start = self.depth
        left = self.factor()
        while self.next.word in ("*", "/", "%", "^", "DIV"):
            self.deeper()
            sign = self.take()
            if sign.word not in ("*", "/"):
                raise FilterUnsupported(what=sign.text)
            left = nodes.Arithmetic(cast(nodes.ArithmeticOp, sign.text), left, self.factor())
        self.depth = start
        return left

    def factor(self) -> Node:
        if not self.takes("-"):
            return self.atom()
        if self.next.kind == "number":
            return nodes.Value(read_number(f"-{self.take().text}"))
        self.deeper()
        node = nodes.Arithmetic("-", nodes.Value(0), self.factor())
        self.depth -= 1
        return node

    def atom(self) -> Node:
        token = self.next
        if self.takes("("):
            node = self.disjunction()
            self.expect(")")
            return node
        if token.kind == "number":
            return nodes.Value(read_number(self.take().text))
        if token.kind == "text":
            return nodes.Value(read_text(unquote(self.take().text)))
        if token.kind == "quoted":
            return nodes.Property(self.take().text[1:-1].replace('""', '"'))
        if token.kind == "name" and token.word not in _RESERVED:
            return self.named()
        raise self.unreadable(_A_VALUE)

    def named(self) -> Node:
        """A word that is a property, a boolean, a geometry or a function, by what follows it."""
        token = self.next
        called = self.after.word == "("
        if token.word in _GEOMETRIES and (called or self.after.word in ("Z", "M", "ZM", "EMPTY")):
            return nodes.Shape(read_wkt(self.well_known_text()))
        self.take()
        if called:
            self.take()
            return self.function(token)
        if token.word in ("TRUE", "FALSE"):
            return nodes.Value(token.word == "TRUE")
        return nodes.Property(token.text)

    def function(self, name: Token) -> Node:
        match name.word:
            case "CASEI":
                return nodes.CaseI(self.only(self.sum()))
            case "DATE":
                return self.only(nodes.Value(read_date(self.quoted_text())))
            case "TIMESTAMP":
                return self.only(nodes.Value(read_instant(self.quoted_text())))
            case "BBOX":
                return nodes.Box(self.numbers())
            case "S_INTERSECTS":
                left = self.sum()
                self.expect(",")
                return nodes.Intersects(left, self.only(self.sum()))
        raise FilterUnsupported(what=f"{name.text[:60]}(...)")

    def only(self, node: Node) -> Node:
        """The function's last argument, and its bracket."""
        self.expect(")")
        return node

    def quoted_text(self) -> str:
        if self.next.kind != "text":
            raise self.unreadable(Text("a text in '...'", "'...' 文本"))
        return unquote(self.take().text)

    def numbers(self) -> tuple[float, ...]:
        found = [node.value for node in self.rest_of_list(self.factor()) if isinstance(node, nodes.Value)]
        numbers = tuple(float(value) for value in found if isinstance(value, int | Decimal))
        if len(numbers) not in (4, 6):
            raise self.unreadable(Text("a BBOX of four numbers", "含四个数值的 BBOX"))
        return numbers

    def well_known_text(self) -> str:
        """The characters from a geometry's name to its closing bracket."""
        start, depth = self.next.at, 0
        while self.next.kind != "end":
            token = self.take()
            depth += (token.word == "(") - (token.word == ")")
            if depth == 0 and token.word in (")", "EMPTY"):
                return self.text[start : token.at + len(token.text)]
        raise self.unreadable(Text("')'", "')'"))


def unquote(text: str) -> str:
    """The characters between single quotes; a quote within is written '' or \\'."""
    return re.sub(r"''|\\'", "'", text[1:-1])
