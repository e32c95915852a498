"""Reads CQL2 text (OGC 21-065r2, annex B).

The host's own reader takes `a OR b AND c` for `(a OR b) AND c`, and knows neither NOT before a bracket, nor names in
Chinese or of one letter, nor doubled quotes; so this one is ours: recursive descent over a list of tokens.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import cast, get_args

from core.errors import BadRequest
from core.geojson import read_wkt
from core.language import Text
from features.filters import nodes
from features.filters.errors import FilterCutShort, FilterTooDeep, FilterUnreadable, FilterUnsupported
from features.filters.functions import BY_NAME
from features.filters.limits import MAX_DEPTH
from features.filters.literals import read_date, read_end, read_instant, read_number, read_text
from features.filters.nodes import Node
from features.filters.tokens import A_VALUE, Token, tokens, unquote

_RESERVED = {"AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL"}
_GEOMETRIES = {"POINT", "LINESTRING", "POLYGON", "GEOMETRYCOLLECTION"} | {
    f"MULTI{kind}" for kind in ("POINT", "LINESTRING", "POLYGON")
}
_SPATIAL, _TEMPORAL, _ARRAY = map(get_args, (nodes.SpatialOp, nodes.TemporalOp, nodes.ArrayOp))
_AN_OPERATOR = Text("an operator or the end", "运算符或结尾")
_ONE_POWER = Text("a bracket around one of two powers, as in (a ^ b) ^ c,", "括号(连续乘方须写作 (a ^ b) ^ c)")


def read(text: str) -> Node:
    """Read a whole filter."""
    return _Reader(text).whole()


class _Reader:
    """A place in the tokens; each method reads one rule of the grammar and moves on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
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
            raise _unknown(word)
        return left

    def ranged(self, left: Node, expected: Text) -> Node:
        """What follows a value in BETWEEN, IN and LIKE."""
        if self.takes("BETWEEN"):
            low = self.sum()
            self.expect("AND")
            return nodes.Between(left, low, self.sum())
        if self.takes("IN"):
            self.expect("(")
            return nodes.In(left, self.rest_of_list(self.sum))
        if self.takes("LIKE"):
            return nodes.Like(left, self.sum())
        raise self.unreadable(expected)

    def rest_of_list(self, item: Callable[[], Node]) -> tuple[Node, ...]:
        """One or more items, and the bracket after them."""
        items = [item()]
        while self.takes(","):
            items.append(item())
        self.expect(")")
        return tuple(items)

    def sum(self) -> Node:
        start = self.depth
        left = self.product()
        while self.next.word in ("+", "-"):
            self.deeper()  # a chain of sums is a tree as deep as it is long
            left = nodes.Arithmetic(cast(nodes.ArithmeticOp, self.take().word), left, self.product())
        self.depth = start
        return left

    def product(self) -> Node:
        start = self.depth
        left = self.power()
        while self.next.word in ("*", "/", "%", "DIV"):
            self.deeper()
            left = nodes.Arithmetic(cast(nodes.ArithmeticOp, self.take().word), left, self.power())
        self.depth = start
        return left

    def power(self) -> Node:
        left = self.factor()
        if not self.takes("^"):
            return left
        node = nodes.Arithmetic("^", left, self.factor())
        if self.next.word == "^":
            raise self.unreadable(_ONE_POWER)
        return node

    def factor(self) -> Node:
        """A value with its sign, which binds closer than anything else: -2 ^ 2 is 4 (rule arithmeticFactor)."""
        if self.next.word in ("+", "-") and self.after.kind == "number":
            sign = self.take().text
            return nodes.Value(read_number(f"{sign}{self.take().text}".removeprefix("+")))
        if not self.takes("-"):
            return self.atom()
        self.deeper()
        node = nodes.Arithmetic("*", nodes.Value(-1), self.factor())
        self.depth -= 1
        return node

    def atom(self) -> Node:
        token = self.next
        if self.takes("("):
            return self.bracketed()
        if token.kind == "number":
            return nodes.Value(read_number(self.take().text))
        if token.kind == "text":
            return nodes.Value(self.quoted_text())
        if token.kind == "quoted":
            return nodes.Property(self.take().text[1:-1].replace('""', '"'))
        if token.kind == "name" and token.word not in _RESERVED:
            return self.named()
        raise self.unreadable(A_VALUE)

    def bracketed(self) -> Node:
        """An expression in brackets; an array, if it is none or several."""
        if self.takes(")"):
            return nodes.Array(())
        first = self.disjunction()
        if self.takes(","):
            return nodes.Array((first, *self.rest_of_list(self.disjunction)))
        self.expect(")")
        return first

    def named(self) -> Node:
        """A word that is a property, a boolean, a geometry or a function, by what follows it."""
        token = self.next
        called = self.after.word == "("
        if token.word in _GEOMETRIES and (called or self.after.word in ("Z", "M", "ZM", "EMPTY")):
            return nodes.Shape(read_wkt(self.well_known_text()))
        self.take()
        if called:
            self.take()
            self.deeper()
            node = self.function(token)
            self.depth -= 1
            return node
        if token.word in ("TRUE", "FALSE"):
            return nodes.Value(token.word == "TRUE")
        return nodes.Property(token.text)

    def function(self, name: Token) -> Node:
        """What stands in the brackets of a function, and the closing one."""
        word = name.word
        if word in _SPATIAL:
            return nodes.Spatial(cast(nodes.SpatialOp, word), *self.two(self.sum))
        if word in _TEMPORAL:
            return nodes.Temporal(cast(nodes.TemporalOp, word), *self.two(self.sum))
        if word in _ARRAY:
            return nodes.ArrayTest(cast(nodes.ArrayOp, word), *self.two(self.array))
        if word in _CONSTRUCTORS:
            return _CONSTRUCTORS[word](self)
        if word.lower() in BY_NAME:
            arguments = () if self.takes(")") else self.rest_of_list(self.disjunction)
            return nodes.Call(word.lower(), arguments)
        raise _unknown(f"{name.text[:60]}(...)")

    def two(self, item: Callable[[], Node]) -> tuple[Node, Node]:
        left = item()
        self.expect(",")
        return left, self.only(item())

    def only(self, node: Node) -> Node:
        """The function's last argument, and its bracket."""
        self.expect(")")
        return node

    def array(self) -> Node:
        """An array, which brackets always are in this place, or a property."""
        if not self.takes("("):
            return self.sum()
        self.deeper()
        items = () if self.takes(")") else self.rest_of_list(self.disjunction)
        self.depth -= 1
        return nodes.Array(items)

    def interval(self) -> Node:
        start, end = self.interval_end(), None
        self.expect(",")
        end = self.interval_end()
        self.expect(")")
        return nodes.Interval(start, end)

    def interval_end(self) -> Node | None:
        if self.next.kind != "text":
            return self.sum()
        moment = read_end(self.quoted_text())
        return nodes.Value(moment) if moment else None

    def quoted_text(self) -> str:
        if self.next.kind != "text":
            raise self.unreadable(Text("a text in '...'", "'...' 文本"))
        return read_text(unquote(self.take().text))

    def numbers(self) -> tuple[float, ...]:
        found = [node.value for node in self.rest_of_list(self.factor) if isinstance(node, nodes.Value)]
        numbers = tuple(float(value) for value in found if isinstance(value, int | Decimal))
        if len(numbers) not in (4, 6):
            raise self.unreadable(Text("a BBOX of four or six numbers", "含四个或六个数值的 BBOX"))
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


_CONSTRUCTORS: dict[str, Callable[[_Reader], Node]] = {
    "CASEI": lambda reader: nodes.CaseI(reader.only(reader.sum())),
    "ACCENTI": lambda reader: nodes.AccentI(reader.only(reader.sum())),
    "DATE": lambda reader: reader.only(nodes.Value(read_date(reader.quoted_text()))),
    "TIMESTAMP": lambda reader: reader.only(nodes.Value(read_instant(reader.quoted_text()))),
    "INTERVAL": _Reader.interval,
    "BBOX": lambda reader: nodes.Box(reader.numbers()),
}


def _unknown(what: str) -> FilterUnsupported:
    return FilterUnsupported(what=what, functions=", ".join(BY_NAME))
