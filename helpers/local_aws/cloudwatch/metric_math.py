"""Evaluate metric math as far as it is arithmetic: `100 * errors / (invocations - skipped)`.

AWS has functions, lists, comparisons and powers as well; they are refused here, by name.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

Times = dict[int, float]  # a time series: seconds since the epoch, and the value of the period that begins then
Value = float | Times

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\S))")
_SUMS = {"+": operator.add, "-": operator.sub}
_PRODUCTS = {"*": operator.mul, "/": operator.truediv}
_SUPPORTED = "the embedded AWS computes with Ids of queries, numbers, + - * / and parentheses"


class ExpressionError(Exception):
    """The expression cannot be understood, or asks for what is not there."""


def evaluate(expression: str, results: Mapping[str, Value]) -> Value:
    """Return the value of an expression over the `results` of queries, by their ids. Raises ExpressionError."""
    parser = _Parser(expression, results)
    try:
        value = parser.sum()
    except RecursionError:
        raise ExpressionError("Error in expression: too many parentheses") from None
    if parser.token:
        parser.fail()
    return value


def names_in(expression: str) -> set[str]:
    """Return the ids of queries that an expression names."""
    return {match[2] for match in _TOKEN.finditer(expression) if match[2]}


class _Parser:
    """Reads and computes at once, by recursive descent."""

    def __init__(self, text: str, results: Mapping[str, Value]) -> None:
        self._tokens = (match[0].strip() for match in _TOKEN.finditer(text))
        self._results = results
        self.token = next(self._tokens, "")

    def fail(self) -> NoReturn:
        raise ExpressionError(f"Error in expression: unexpected '{self.token or 'end of expression'}'; {_SUPPORTED}")

    def _advance(self) -> str:
        """Step to the next token; return the one before."""
        before, self.token = self.token, next(self._tokens, "")
        return before

    def sum(self) -> Value:
        value = self._product()
        while self.token in _SUMS:
            value = _combined(_SUMS[self._advance()], value, self._product())
        return value

    def _product(self) -> Value:
        value = self._single()
        while self.token in _PRODUCTS:
            value = _combined(_PRODUCTS[self._advance()], value, self._single())
        return value

    def _single(self) -> Value:
        if self.token == "-":
            self._advance()
            return _combined(operator.mul, -1.0, self._single())
        if self.token == "(":
            self._advance()
            value = self.sum()
            if self.token != ")":
                self.fail()
            self._advance()
            return value
        if self.token[:1].isdigit() or self.token[:1] == ".":
            return float(self._advance())
        if self.token not in self._results:
            self.fail()
        return self._results[self._advance()]


def _combined(compute: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Combine two values, period by period. Periods that only one of two time series has are left out.

    Raises ExpressionError where two numbers give none.
    """
    if isinstance(left, float) and isinstance(right, float):
        result = _finite(compute, left, right)
        if result is None:
            raise ExpressionError("Error in expression: a number cannot be computed")
        return result
    both = set.intersection(*(set(side) for side in (left, right) if isinstance(side, dict)))
    found = {moment: _finite(compute, _at(left, moment), _at(right, moment)) for moment in sorted(both)}
    return {moment: value for moment, value in found.items() if value is not None}


def _finite(compute: Callable[[float, float], float], left: float, right: float) -> float | None:
    """Return the result, or None where there is none, as for a division by zero: the period has no data point then."""
    try:
        result = compute(left, right)
    except ZeroDivisionError:
        return None
    return result if math.isfinite(result) else None


def _at(side: Value, moment: int) -> float:
    return side[moment] if isinstance(side, dict) else side
