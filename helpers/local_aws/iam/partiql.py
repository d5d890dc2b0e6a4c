"""Read which table a PartiQL statement is about, as DynamoDB's grammar has it, and write it as moto can read it.

IAM is asked about the table that is found here, and moto is shown no other: both read the same.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.statements.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ..http.call import Unreadable

_TOKEN = re.compile(
    r"""
    (?P<space>(?:\s|--[^\n]*|/\*.*?\*/)+)
    | (?P<text>'(?:[^']|'')*')
    | "(?P<quoted>(?:[^"]|"")*)"
    | (?P<word>[A-Za-z_]\w*)
    | (?P<number>\d[\w.+-]*)
    | (?P<sign><<|>>|<>|<=|>=|!=|\|\||[.,;:?*=<>+\-/%(){}\[\]])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
#: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
#: What begins a statement, the word before its table, and what may follow the table.
_FORMS = {
    "SELECT": ("FROM", {"WHERE", "ORDER", ""}),
    "INSERT": ("INTO", {"VALUE"}),
    "UPDATE": ("", {"SET", "REMOVE"}),
    "DELETE": ("FROM", {"WHERE", "RETURNING", ""}),
}


class NotParsed(Unreadable):
    """The text is no statement of which one could say for certain what it is about."""

    code = "ValidationException"

    def __init__(self, what: str) -> None:
        super().__init__(f"Statement wasn't well formed, can't be processed: {what}")


@dataclass(frozen=True)
class Statement:
    """verb: in capitals; EXISTS has the table of the SELECT inside; index: None when it names none; text: the statement
    without comments, its table in one form, words and texts as they were given."""

    verb: str
    table: str
    index: str | None
    text: str


@dataclass(frozen=True)
class _Token:
    """value: of a quoted name, without its quotes; of a word, in capitals; spaced: whether something is before it."""

    kind: str
    text: str
    value: str
    spaced: bool = False

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.value == word


@lru_cache(maxsize=512)
def parse(text: str) -> Statement:
    """Return what a statement is about. Raises NotParsed."""
    tokens = _tokens(text)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if len(tokens) > 3 and tokens[0].is_word("EXISTS") and tokens[1].text == "(" and tokens[-1].text == ")":
        inner = _statement(tokens[2:-1])
        if inner.verb != "SELECT":
            raise NotParsed("EXISTS takes a SELECT statement")
        return Statement("EXISTS", inner.table, inner.index, f"EXISTS({inner.text})")
    return _statement(tokens)


def _tokens(text: str) -> list[_Token]:
    found, at, spaced = [], 0, False
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotParsed(f"Unexpected character {text[at]!r} at {at + 1}")
        at, kind = match.end(), match.lastgroup or ""
        if kind != "space":
            value = match[kind].replace('""', '"') if kind == "quoted" else match[kind].upper()
            found.append(_Token(kind, match[0], value, spaced))
        spaced = kind == "space"
    return found


def _statement(tokens: list[_Token]) -> Statement:
    verb = tokens[0].value if tokens and tokens[0].kind == "word" else ""
    if verb not in _FORMS:
        raise NotParsed("It begins with none of SELECT, INSERT, UPDATE and DELETE")
    before, after = _FORMS[verb]
    begin = 1 if not before else 1 + next((n for n, each in enumerate(tokens) if each.is_word(before)), len(tokens))
    if verb in ("INSERT", "DELETE") and begin != 2:
        raise NotParsed(f"{before} must follow {verb}")
    table, end = _name(tokens, begin)
    index = None
    if end < len(tokens) and tokens[end].text == ".":
        index, end = _name(tokens, end + 1)
    following = tokens[end] if end < len(tokens) else _Token("word", "", "")
    if following.kind != "word" or following.value not in after:
        raise NotParsed(f"Unexpected {following.text or 'end'} after the table")
    if any(each.kind == "word" and each.value in ("SELECT", "FROM", "INTO") for each in tokens[1 : begin - 1]) or any(
        each.kind == "word" and each.value in ("SELECT", "FROM", "INTO", "JOIN", "UNION") for each in tokens[end:]
    ):
        raise NotParsed("It is about more than one table")
    if any(each.text == ";" for each in tokens):
        raise NotParsed("It is more than one statement")
    place = f'"{table}"' if index is None else f"{table}.{index}"
    return Statement(verb, table, index, " ".join(p for p in (_text(tokens[:begin]), place, _text(tokens[end:])) if p))


def _name(tokens: list[_Token], at: int) -> tuple[str, int]:
    token = tokens[at] if at < len(tokens) else _Token("", "", "")
    name = token.value if token.kind == "quoted" else token.text
    if token.kind not in ("quoted", "word") or not _NAME.fullmatch(name):
        raise NotParsed(f"Unexpected {token.text or 'end'} where a table or an index should be")
    return name, at + 1


def _text(tokens: list[_Token]) -> str:
    """Return tokens as a text, with one space wherever there was anything between two of them."""
    return "".join(f" {token.text}" if token.spaced else token.text for token in tokens).strip()
