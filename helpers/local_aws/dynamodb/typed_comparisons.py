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
_ORDERING = (
    comparisons.OpLessThan,
    comparisons.OpLessThanOrEqual,
    comparisons.OpGreaterThan,
    comparisons.OpGreaterThanOrEqual,
)


def install() -> None:
    """Make moto's operators ask for the types of both sides."""
    for operator in _ORDERING:
        operator.expr = _if(operator.expr, _comparable, False)
    comparisons.OpEqual.expr = _if(comparisons.OpEqual.expr, _same, False)
    comparisons.OpNotEqual.expr = _if(comparisons.OpNotEqual.expr, _same, True)
    by_moto = comparisons.FuncBetween.expr

    def between(self: Any, item: Any) -> bool:
        types = {_type(side, item) for side in (self.attr, self.start, self.end)}
        return len(types) == 1 and types <= _ORDERED and by_moto(self, item)

    comparisons.FuncBetween.expr = between


def _if(by_moto: Callable[..., Any], holds: Callable[..., Any], otherwise: bool) -> Callable[..., Any]:
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
