"""Evaluate metric math: what GetMetricData computes from other results, as `100 * errors / MAX([invocations, 1])`.

Syntax and functions: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from .metric_functions import (
    EACH,
    REDUCE,
    WHOLE,
    ExpressionError,
    Times,
    Value,
    combine,
    if_,
    map_,
    reduce,
    series,
    times,
)

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(==|!=|<=|>=|&&|\|\||[-+*/^()\[\],<>]))")
#: Operators from the loosest to the tightest; those of one line bind alike, from left to right.
_LEVELS: list[dict[str, Callable[[float, float], float]]] = [
    {"||": lambda a, b: float(bool(a or b)), "OR": lambda a, b: float(bool(a or b))},
    {"&&": lambda a, b: float(bool(a and b)), "AND": lambda a, b: float(bool(a and b))},
    {
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
        "<": lambda a, b: float(a < b),
        ">": lambda a, b: float(a > b),
        "<=": lambda a, b: float(a <= b),
        ">=": lambda a, b: float(a >= b),
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
    {"^": operator.pow},
]


@dataclass(frozen=True)
class Known:
    """What an expression may speak of: results by the queries' ids, metrics first, and each one's period in seconds."""

    results: Mapping[str, Value]
    periods: Mapping[str, int]
    metrics: frozenset[str]
    start: int  # seconds since the epoch: when the first period of the request begins
    end: int


def evaluate(expression: str, known: Known) -> Value:
    """Return the expression's value. Raises ExpressionError."""
    parser = _Parser(expression, known)
    try:
        value = parser.level(0)
    except RecursionError:
        raise ExpressionError("Error in expression: too many parentheses") from None
    if parser.token:
        parser.fail()
    return value


def names_in(expression: str) -> set[str]:
    """Return the ids of queries, and functions, that an expression names."""
    return {match[2] for match in _TOKEN.finditer(expression) if match[2]}


class _Parser:
    """Reads and computes at once, by recursive descent."""

    def __init__(self, text: str, known: Known) -> None:
        self._text, self._at, self.known = text, 0, known
        self.token = ""
        self._advance()

    def fail(self) -> NoReturn:
        raise ExpressionError(f"Error in expression: unexpected '{self.token or 'end of expression'}'")

    def _advance(self) -> str:
        """Step to the next token; return the one before."""
        before = self.token
        rest = self._text[self._at :]
        match = _TOKEN.match(rest)
        if match is None and rest.strip():
            raise ExpressionError(f"Error in expression: unexpected '{rest.strip()[0]}'")
        self.token = match[0].strip() if match else ""
        self._at += match.end() if match else len(rest)
        return before

    def _expect(self, token: str) -> None:
        if self.token != token:
            self.fail()
        self._advance()

    def level(self, depth: int) -> Value:
        if depth == len(_LEVELS):
            return self._signed()
        left = self.level(depth + 1)
        while (name := self.token.upper()) in _LEVELS[depth]:
            self._advance()
            left = combine(_LEVELS[depth][name], left, self.level(depth + 1))
        return left

    def _signed(self) -> Value:
        if self.token == "-":
            self._advance()
            return combine(operator.mul, -1.0, self._signed())
        return self._single()

    def _single(self) -> Value:
        if self.token == "(":
            self._advance()
            value = self.level(0)
            self._expect(")")
            return value
        if self.token == "[":
            return series(self._arguments("[", "]"))
        if self.token[:1].isdigit() or self.token[:1] == ".":
            return float(self._advance())
        if not self.token[:1].isalpha():
            self.fail()
        name = self._advance()
        return self._call(name) if self.token == "(" else self._lookup(name)

    def _lookup(self, name: str) -> Value:
        if name not in self.known.results:
            raise ExpressionError(f"Error in expression: '{name}' is not the Id of a query")
        return self.known.results[name]

    def _arguments(self, opening: str, closing: str) -> list[Value]:
        self._expect(opening)
        values: list[Value] = []
        while self.token != closing:
            values.append(self.level(0))
            if self.token != closing:
                self._expect(",")
        self._advance()
        return values

    def _call(self, given: str) -> Value:
        name = given.upper()
        if name == "PERIOD":
            self._expect("(")
            query = self._advance()
            self._expect(")")
            if query not in self.known.periods:
                raise ExpressionError(f"Error in expression: '{query}' is not the Id of a query")
            return float(self.known.periods[query])
        if name == "FILL":
            return self._fill()
        arguments = self._arguments("(", ")")
        try:
            if name == "METRICS" and not arguments:
                return [times(self.known.results[each]) for each in sorted(self.known.metrics)]
            if name == "IF" and len(arguments) in (2, 3):
                return if_(*arguments)
            if name in EACH and len(arguments) == 1:
                return map_(EACH[name], arguments[0])
            if name in WHOLE and len(arguments) == 1:
                return WHOLE[name](times(arguments[0]))
            if name in REDUCE and len(arguments) == 1:
                return reduce(REDUCE[name], arguments[0])
        except (TypeError, ValueError, OverflowError) as error:
            raise ExpressionError(f"Error in expression: {given}: {error}") from None
        raise ExpressionError(f"Error in expression: {given} with {len(arguments)} arguments is not known here")

    def _fill(self) -> Value:
        """FILL(m1, 0) or FILL(m1, REPEAT): a value for each period of the request that has none."""
        self._expect("(")
        of = self.token
        given = self.level(0)
        self._expect(",")
        repeat = self.token.upper() == "REPEAT"
        filler = float(bool(self._advance())) if repeat else self.level(0)
        self._expect(")")
        if not isinstance(given, dict) or not isinstance(filler, float):
            self.fail()
        step = self.known.periods.get(of) or min(self.known.periods.values())
        filled: Times = {}
        for at in range(self.known.start, self.known.end, step) if given else ():
            if at in given or not repeat:
                filled[at] = given.get(at, filler)
            elif filled:
                filled[at] = filled[at - step]
        return filled
