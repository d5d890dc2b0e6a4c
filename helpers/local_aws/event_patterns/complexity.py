"""Limit wildcards by how many prefixes of a field's wildcards one value can match at the same time.

EventBridge matches a value byte by byte through an automaton. Behind an asterisk several places of a pattern
can be alive at once: after "::" both "*:" and "*:*:" are, and each place costs time. AWS does not publish
where the line is; its answers do: "*:*:*:*:*:event-bus/*" (10) is refused, three patterns of the form
"*:stack/NAME/*" (9) are taken and four (12) are not. The measure is that of
https://github.com/aws/event-ruler, MachineComplexityEvaluator.
"""

from __future__ import annotations

from collections.abc import Iterable

from .reader import InvalidEventPattern

MAX_COMPLEXITY = 9
#: More sets of places than this need not be looked at: no simple pattern gets near it.
_MAX_SETS = 20_000


def check_complexity(wildcards_of_fields: Iterable[list[str]]) -> None:
    """Raise InvalidEventPattern when the wildcards of one field are too complex together."""
    for wildcards in wildcards_of_fields:
        if wildcards and complexity(wildcards) > MAX_COMPLEXITY:
            raise InvalidEventPattern(
                "Rule is too complex - try using fewer wildcard characters or fewer repeating character "
                "sequences after a wildcard character"
            )


def complexity(wildcards: list[str]) -> int:
    """Return the most prefixes of `wildcards` that match one value; not more than MAX_COMPLEXITY + 1.

    The places in all patterns are bits of one integer, so that a step of all of them at once is a shift and a
    mask.
    """
    literals: dict[str, int] = {}  # character -> the places that it leads to
    stars = starts = place = 0
    for wildcard in dict.fromkeys(wildcards):
        starts |= 1 << place  # nothing of this pattern read yet
        for token in _tokens(wildcard):
            place += 1
            if token is None:
                stars |= 1 << place
            else:
                literals[token] = literals.get(token, 0) | 1 << place
        place += 1
    return _most_alive(starts, stars, [*literals.values(), 0])


def _most_alive(starts: int, stars: int, steps: list[int]) -> int:
    """Return the most places that are alive at once. `steps`: for each character the places that it leads to."""
    most = 0
    seen = {starts}
    pending = [starts]
    while pending:
        alive = pending.pop()
        for step in steps:
            following = alive << 1 & step | alive & stars  # one place on, or still at an asterisk
            following |= following << 1 & stars  # an asterisk matches nothing as well
            most = max(most, following.bit_count())
            if most > MAX_COMPLEXITY or len(seen) > _MAX_SETS:
                return MAX_COMPLEXITY + 1
            if following not in seen:
                seen.add(following)
                pending.append(following)
    return most


def _tokens(wildcard: str) -> Iterable[str | None]:
    """Characters, None for an asterisk, between the quotes that belong to a string in the matcher."""
    yield '"'
    escaped = False
    for character in wildcard:
        if not escaped and character == "\\":
            escaped = True
            continue
        yield None if character == "*" and not escaped else character
        escaped = False
    yield '"'
