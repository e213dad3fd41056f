"""Text to expression: a tokeniser and a recursive descent. Nothing is evaluated, no name is looked up here.

expression = product (("+" | "-") product)*
product    = signed (("*" | "/") signed)*
signed     = "-" signed | postfix
postfix    = primary ("." output | "[-" whole "]" | "@" interval)*
primary    = number | name | [library "."] name "(" [argument ("," argument)*] ")" | "(" expression ")"
argument   = [name "="] expression
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from domain.intervals import interval_ms
from strategies.rules.syntax import Binary, Call, Minus, Name, Node, Number, Operator, RuleError, Shift, Timeframe

MAX_CHARACTERS = 500
MAX_PARTS = 100
MAX_DEPTH = 20
MAX_SHIFT = 1000
LIBRARIES = ("ta", "talib")

_TOKEN = re.compile(
    r"""[ \t\n]*(?:
    (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<interval>@[A-Za-z0-9]*)
  | (?P<symbol>[-+*/()\[\],.=])
  | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_COMPARISONS = "<>!&|"


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        return repr(self.text) if self.text else "the end"


def parse(text: str) -> Node:
    """Return the expression that `text` writes; names are in lower case.

    Raises:
        RuleError: the text is no expression, or too large; the message begins with the place.
    """
    if len(text) > MAX_CHARACTERS:
        raise RuleError(f"an expression may have {MAX_CHARACTERS} characters; has {len(text)}")
    if not text.strip():
        raise RuleError("expected an expression such as rsi(14); found nothing")
    parser = _Parser(_tokens(text))
    node = parser.expression()
    parser.expect_end()
    return node


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while not tokens or tokens[-1].kind != "end":
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unexpected(text, at)
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return tokens


def _unexpected(text: str, at: int) -> RuleError:
    while text[at] in " \t\n":
        at += 1
    if text[at] in _COMPARISONS:
        return RuleError(f"{text[at]!r} does not belong in an expression; comparisons go into op", at)
    return RuleError(f"{text[at]!r} does not belong in an expression", at)


class _Parser:
    """Reads tokens from left to right; each method reads what its name says."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._i = 0
        self._depth = 0
        self._parts = 0

    def expression(self) -> Node:
        with self._deeper():
            node = self._product()
            while self._now.text in ("+", "-"):
                operator = self._take()
                node = self._made(Binary(node, _operator(operator), self._product(), operator.at))
            return node

    def expect_end(self) -> None:
        if self._now.kind != "end":
            raise RuleError(f"expected an operator or the end; found {self._now}", self._now.at)

    def _product(self) -> Node:
        node = self._signed()
        while self._now.text in ("*", "/"):
            operator = self._take()
            node = self._made(Binary(node, _operator(operator), self._signed(), operator.at))
        return node

    def _signed(self) -> Node:
        if self._now.text != "-":
            return self._postfix()
        sign = self._take()
        with self._deeper():
            return self._made(Minus(self._signed(), sign.at))

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            token = self._now
            if token.text == ".":
                node = self._output(node)
            elif token.text == "[":
                node = self._shift(node)
            elif token.kind == "interval":
                node = self._timeframe(node)
            else:
                return node

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return self._made(Number(_finite(token), token.at))
        if token.kind == "name":
            return self._named(token)
        if token.text == "(":
            node = self.expression()
            self._expect(")", f"to close the parenthesis at character {token.at + 1}")
            return node
        raise RuleError(f"expected a number, a name or a parenthesis; found {token}", token.at)

    def _named(self, token: _Token) -> Node:
        name, library = token.text.lower(), ""
        if name in LIBRARIES and self._now.text == ".":
            library = name
            self._take()
            name = self._name(f"the name of an indicator after {library}.").text.lower()
        if self._now.text != "(":
            if library:
                raise RuleError(
                    f"expected the parameters of {library}.{name} in parentheses; found {self._now}", self._now.at
                )
            return self._made(Name(name, token.at))
        opening = self._take()
        args, named = self._arguments()
        self._expect(")", f"to close the parenthesis at character {opening.at + 1}")
        return self._made(Call(name, args, named, library=library, at=token.at))

    def _arguments(self) -> tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]:
        args: list[Node] = []
        named: dict[str, Node] = {}
        while self._now.text != ")":
            token = self._now
            if token.kind == "name" and self._tokens[self._i + 1].text == "=":
                self._i += 2
                name = token.text.lower()
                if name in named:
                    raise RuleError(f"{name} is given twice", token.at)
                named[name] = self.expression()
            elif named:
                raise RuleError("a parameter without a name must stand before those with one", token.at)
            else:
                args.append(self.expression())
            if self._now.text != ",":
                break
            self._take()
        return tuple(args), tuple(named.items())

    def _output(self, node: Node) -> Node:
        dot = self._take()
        name = self._name("the name of an output after the dot")
        if not isinstance(node, Call):
            raise RuleError("only an indicator has outputs", dot.at)
        if node.output:
            raise RuleError(f"{node.name} has one output here already: {node.output}", dot.at)
        return Call(node.name, node.args, node.named, name.text.lower(), node.library, node.at)

    def _shift(self, node: Node) -> Node:
        opening = self._take()
        back = self._now.text == "-"
        if back:
            self._take()
        token = self._take()
        if token.kind != "number" or not token.text.isdigit():
            raise RuleError(f"expected a shift such as [-1], the candle before; found {token}", token.at)
        candles = int(token.text)
        if not back or not 1 <= candles <= MAX_SHIFT:
            found = f"[{'-' if back else ''}{token.text}]"
            raise RuleError(f"a shift must be [-1], the candle before, to [-{MAX_SHIFT}]; was {found}", opening.at)
        self._expect("]", "after the shift")
        return self._made(Shift(node, candles, opening.at))

    def _timeframe(self, node: Node) -> Node:
        token = self._take()
        interval = token.text[1:]
        try:
            length = interval_ms(interval)
        except ValueError as error:
            raise RuleError(str(error), token.at) from error
        if length > interval_ms("1M"):
            raise RuleError(f"interval must be at most 1M; was {interval!r}", token.at)
        return self._made(Timeframe(node, interval, token.at))

    @property
    def _now(self) -> _Token:
        return self._tokens[self._i]

    def _take(self) -> _Token:
        token = self._tokens[self._i]
        if token.kind != "end":
            self._i += 1
        return token

    def _name(self, expected: str) -> _Token:
        token = self._take()
        if token.kind != "name":
            raise RuleError(f"expected {expected}; found {token}", token.at)
        return token

    def _expect(self, text: str, why: str) -> None:
        token = self._take()
        if token.text != text:
            raise RuleError(f"expected {text!r} {why}; found {token}", token.at)

    def _made(self, node: Node) -> Node:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise RuleError(f"an expression may have {MAX_PARTS} parts; this is one more", node.at)
        return node

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RuleError(f"parentheses and signs may be {MAX_DEPTH} deep; this is one more", self._now.at)
        yield
        self._depth -= 1


def _operator(token: _Token) -> Operator:
    match token.text:
        case "+" | "-" | "*" | "/":
            return token.text
        case _:
            raise RuleError(f"expected an operator; found {token}", token.at)


def _finite(token: _Token) -> float:
    value = float(token.text)
    if not math.isfinite(value):
        raise RuleError("the number is too large", token.at)
    return value
