"""What the property-based tests share: how many examples they try, and the values that they try.

A run tries the same examples each time, and the default level the first quarter of them. WORKBOOK_CAMPAIGN=20 tries
twenty times as many, and others each time: that is the long campaign, which is run by hand.
"""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.support.levels import Level

FACTOR = float(os.environ.get("WORKBOOK_CAMPAIGN") or 1)
#: The part of the examples that the default level tries.
DEFAULT_PART = 0.25


def examples(count: int) -> settings:
    """The settings of a test that tries `count` examples, as many times more as the campaign asks for, or a part of
    them at the default level.
    """
    part = 1 if Level.everything or FACTOR != 1 else DEFAULT_PART
    return settings(
        max_examples=max(1, round(count * FACTOR * part)),
        derandomize=FACTOR == 1,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )


#: Any text, halves of surrogate pairs, NUL and all; and names that meet again.
ANY_TEXT = st.text(st.characters(), max_size=12)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.sampled_from(["", "a", "b", "c", "a.b", "$or", "detail", "é", '"', "\\", "<a>"]) | ANY_TEXT
LONG = st.sampled_from(["x" * 1_000_000, "9" * 5000, "[" * 2000, '{"a":' * 2000, "*" * 100, "\x00" * 50])
NUMBERS = st.one_of(
    st.integers(-100, 100),
    st.integers(),
    st.floats(),  # NaN and the infinities, too
    st.sampled_from([10**38, 10**38 - 1, -(10**400), 2**63, 5_000_000_000, 5e9, 5e-324, 1.7976931348623157e308, -0.0]),
)
SCALARS = st.none() | st.booleans() | NUMBERS | ANY_TEXT


def nested(leaves: st.SearchStrategy[Any], names: st.SearchStrategy[str] = NAMES, size: int = 12):
    """JSON of these leaves: objects and arrays in one another."""
    inside = lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4)  # noqa: E731
    return st.recursive(leaves, inside, max_leaves=size)


ANY_JSON = nested(SCALARS)
#: Numbers that DynamoDB holds: up to 38 digits, from 1E-130 to 9.9…E+125.
STORABLE = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(0, 1),
    st.integers(0, 10**38 - 1),
    st.integers(-130, 87),
)
