"""Compare by type first in DynamoDB's expressions, as AWS does.

A number, a text and a boolean are never equal, and none is greater than another. moto compares them as Python does,
which fails for 5 >= "5" and finds 1 = true.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from moto.dynamodb import comparisons

_ORDERED = frozenset({"N", "S", "B"})  # what has a greater and a smaller

Expr = Callable[[Any, Any], Any]


def ordering(by_moto: Expr) -> Expr:
    """Make <, <=, > or >= false for what has no order."""
    return _if(by_moto, _comparable, False)


def equal(by_moto: Expr) -> Expr:
    """Make = false for different types."""
    return _if(by_moto, _same, False)


def unequal(by_moto: Expr) -> Expr:
    """Make <> true for different types."""
    return _if(by_moto, _same, True)


def between(by_moto: Expr) -> Expr:
    """Make BETWEEN false for what has no order."""

    def expr(self: Any, item: Any) -> bool:
        types = {_type(side, item) for side in (self.attr, self.start, self.end)}
        return len(types) == 1 and types <= _ORDERED and by_moto(self, item)

    return expr


def _if(by_moto: Expr, holds: Callable[..., bool], otherwise: bool) -> Expr:
    def expr(self: Any, item: Any) -> bool:
        return by_moto(self, item) if holds(_type(self.lhs, item), _type(self.rhs, item)) else otherwise

    return expr


def _comparable(left: str | None, right: str | None) -> bool:
    return left == right and left in _ORDERED


def _same(left: str | None, right: str | None) -> bool:
    return left == right


def _type(side: Any, item: Any) -> str | None:
    """DynamoDB's letter for the type of one side; None for an attribute that is not there."""
    if isinstance(side, comparisons.Operand):
        return side.get_type(item)
    value = side.expr(item)  # size(…), the only function that stands in a comparison
    return "N" if isinstance(value, (int, Decimal)) else None
