"""Match the texts of a policy that values are compared with: wildcards, and variables such as ${aws:username}.

Wildcards: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
Variables: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

#: Condition keys in lower case and their values; a key may have several.
Context = Mapping[str, "str | tuple[str, ...]"]

#: ${key}, or ${key, 'value for a request without the key'}; ${*}, ${?} and ${$} are those characters themselves.
_VARIABLE = re.compile(r"\$\{([^{}',]*)(?:,\s*'([^{}']*)')?\}")


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
        regex = self._resolved(context)
        return regex is not None and _compiled(regex, self._ignore_case).fullmatch(value) is not None

    def _resolved(self, context: Context) -> str | None:
        """Return the text as a regular expression, its variables replaced by their values in this request."""
        literal = _regex if self._wildcards else re.escape
        parts: list[str] = []
        end = 0
        for variable in _VARIABLE.finditer(self._text):
            name, default = variable.groups()
            value: Any = name if name in ("*", "?", "$") else context.get(name.strip().lower(), default)
            if not isinstance(value, str):  # a key with several values replaces no variable
                return None
            parts += literal(self._text[end : variable.start()]), re.escape(value)
            end = variable.end()
        return "".join((*parts, literal(self._text[end:])))


class ActionNames:
    """The values of Action or NotAction: "dynamodb:PutItem", "dynamodb:*"; upper and lower case are the same."""

    __slots__ = ("_exact", "_pattern", "_negated")

    def __init__(self, values: Iterable[str], negated: bool = False) -> None:
        names = [value.lower() for value in values]
        patterns = [_regex(name) for name in names if "*" in name or "?" in name]
        self._exact = frozenset(names)
        self._pattern = re.compile("|".join(patterns), re.DOTALL) if patterns else None
        self._negated = negated

    def match(self, action: str) -> bool:
        name = action.lower()
        found = name in self._exact or (self._pattern is not None and self._pattern.fullmatch(name) is not None)
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
    return re.split(r":(?![^{}]*\})", pattern, maxsplit=5)


@lru_cache(maxsize=4096)
def _matcher(text: str, wildcards: bool, ignore_case: bool) -> Callable[[str], bool]:
    if not wildcards or not ("*" in text or "?" in text):
        if not ignore_case:
            return text.__eq__
        folded = text.casefold()
        return lambda value: value.casefold() == folded
    fullmatch = _compiled(_regex(text), ignore_case).fullmatch
    return lambda value: fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(regex: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _regex(pattern: str) -> str:
    # Runs of stars mean one star; as a regular expression they would take exponential time.
    pattern = re.sub(r"\*+", "*", pattern)
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
