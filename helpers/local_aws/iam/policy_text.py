"""Match the texts of a policy that values are compared with: wildcards, and variables such as ${aws:username}.

A wildcard is * for any text and ? for any character. They are matched in steps that the two lengths bound: as a regular
expression `*a*a*a*b` takes exponentially many before it fails, and holds up the whole server meanwhile.
Wildcards: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
Variables: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

#: Condition keys in lower case and their values; a key may have several.
Context = Mapping[str, "str | tuple[str, ...]"]

#: ${key}, or ${key, 'value for a request without the key'}; ${*}, ${?} and ${$} are those characters themselves.
_VARIABLE = re.compile(r"\$\{([^{}',]*)(?:,\s*'([^{}']*)')?\}")


class Wildcard(enum.Enum):
    ONE = "?"
    MANY = "*"


_WILDCARDS = {each.value: each for each in Wildcard}
_ANYTHING = (Wildcard.MANY,)


def tokens(text: str) -> list[str | Wildcard]:
    """Return the characters of `text`, wildcards among them as such."""
    return [_WILDCARDS.get(character, character) for character in text]


class Glob:
    """A pattern of characters and wildcards. What stands before and after all wildcards is compared as a whole."""

    __slots__ = ("_head", "_middle", "_tail")

    def __init__(self, pattern: Sequence[str | Wildcard]) -> None:
        places = [place for place, token in enumerate(pattern) if isinstance(token, Wildcard)]
        begin, end = (places[0], places[-1] + 1) if places else (len(pattern), len(pattern))
        self._head, self._tail = "".join(map(str, pattern[:begin])), "".join(map(str, pattern[end:]))
        self._middle = tuple(pattern[begin:end])

    def match(self, text: str) -> bool:
        begin, end = len(self._head), len(text) - len(self._tail)
        return (
            begin <= end
            and text.startswith(self._head)
            and text.endswith(self._tail)
            and (self._middle == _ANYTHING or matches(self._middle, text[begin:end]))
        )


def matches(pattern: Sequence[Any], text: Sequence[Any]) -> bool:
    """Return whether all of `text` is what `pattern` says.

    On a difference the last star takes one more character, and what follows it is compared anew. The stars before keep
    what they have: should a match exist, one exists with the fewest characters for each. So there are at most as many
    comparisons as both lengths have as their product.
    """
    place = at = 0
    star, taken = -1, 0  # where the last star is in the pattern, and up to where it reaches in the text
    while at < len(text):
        token = pattern[place] if place < len(pattern) else None
        if token is Wildcard.MANY:
            star, taken = place, at
            place += 1
        elif token is Wildcard.ONE or token == text[at]:
            place, at = place + 1, at + 1
        elif star >= 0:
            taken += 1
            place, at = star + 1, taken
        else:
            return False
    return all(token is Wildcard.MANY for token in pattern[place:])


class Text:
    """One text of a policy.

    wildcards: whether * and ? are any text and any character; variables: whether ${…} is replaced by the
    request's value of that condition key. A text whose variable has no value equals nothing.
    """

    __slots__ = ("_text", "_wildcards", "_ignore_case", "_matches")

    def __init__(self, text: str, *, wildcards: bool = True, ignore_case: bool = False, variables: bool = True) -> None:
        self._text, self._wildcards, self._ignore_case = text, wildcards, ignore_case
        dynamic = variables and _VARIABLE.search(text) is not None
        self._matches = None if dynamic else _matcher(text, wildcards, ignore_case)

    def match(self, value: str, context: Context) -> bool:
        if self._matches is not None:
            return self._matches(value)
        resolved = self._resolved(context)
        return resolved is not None and Glob(resolved).match(value.casefold() if self._ignore_case else value)

    def _resolved(self, context: Context) -> list[str | Wildcard] | None:
        """Return the text as a pattern, its variables replaced by their values in this request."""
        found: list[str | Wildcard] = []
        end = 0
        for variable in _VARIABLE.finditer(self._text):
            name, default = variable.groups()
            value: Any = name if name in ("*", "?", "$") else context.get(name.strip().lower(), default)
            if not isinstance(value, str):  # a key with several values replaces no variable
                return None
            found += self._literal(self._text[end : variable.start()])
            found += value.casefold() if self._ignore_case else value  # no wildcards in there
            end = variable.end()
        return found + self._literal(self._text[end:])

    def _literal(self, text: str) -> list[str | Wildcard]:
        text = text.casefold() if self._ignore_case else text
        return tokens(text) if self._wildcards else list(text)


class ActionNames:
    """The values of Action or NotAction: "dynamodb:PutItem", "dynamodb:*"; upper and lower case are the same."""

    __slots__ = ("_exact", "_globs", "_negated")

    def __init__(self, values: Iterable[str], negated: bool = False) -> None:
        names = [value.lower() for value in values]
        self._exact = frozenset(names)
        self._globs = [Glob(tokens(name)) for name in names if "*" in name or "?" in name]
        self._negated = negated

    def match(self, action: str) -> bool:
        name = action.lower()
        found = name in self._exact or any(glob.match(name) for glob in self._globs)
        return found is not self._negated


class Resources:
    """The values of Resource or NotResource."""

    __slots__ = ("_texts", "_negated")

    def __init__(self, values: Iterable[str], variables: bool, negated: bool = False) -> None:
        self._texts = [Text(value, variables=variables) for value in values]
        self._negated = negated

    def match(self, resource: str, context: Context) -> bool:
        return any(text.match(resource, context) for text in self._texts) is not self._negated


def arn_parts(pattern: str) -> list[str]:
    """Return the six parts of an ARN in a policy; a variable's own colon separates nothing. Fewer: it is no ARN."""
    hidden = _VARIABLE.sub(lambda variable: variable[0].replace(":", "\0"), pattern)
    return [part.replace("\0", ":") for part in hidden.split(":", 5)]


@lru_cache(maxsize=4096)
def _matcher(text: str, wildcards: bool, ignore_case: bool) -> Callable[[str], bool]:
    if not wildcards or not ("*" in text or "?" in text):
        if not ignore_case:
            return text.__eq__
        folded = text.casefold()
        return lambda value: value.casefold() == folded
    if not ignore_case:
        return Glob(tokens(text)).match
    glob = Glob(tokens(text.casefold()))
    return lambda value: glob.match(value.casefold())
