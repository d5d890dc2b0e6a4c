"""Read the JSON of an event pattern token by token, and say where it stopped when something is wrong.

EventBridge reports errors in a pattern with the place that its parser (Jackson, a pull parser) had reached,
for example ``at [Source: (String)"{"a": 1}"; line: 1, column: 8]``. A tree from `json.loads` no longer knows
places, nor that a string had only been begun; hence a reader of its own. After a name it has already begun
the value that follows, as Jackson has, and a string counts as begun until its text is asked for.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_WORD = re.compile(r"[\w$]*")
_SHOWN = 500  # characters of the source that an error quotes

#: A token's kind is a bracket, "name", "string", "number", "true", "false", "null", or END at the end of the
#: source.
END = ""


class InvalidEventPattern(ValueError):
    """The pattern is not valid; `message` is AWS's, without its "Event pattern is not valid. Reason: "."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class PatternReader:
    """The tokens of one JSON text: `kind` and `text` of the current one, `name` of the last member.

    Raises InvalidEventPattern.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.kind = END
        self.name = ""
        self._value = ""
        self._position = 0
        self._open: list[str] = []  # the brackets that we are in
        self._fresh = True  # nothing yet since the last opening bracket: no comma is due
        self._begun: str | None = None  # the kind of the value that follows the name just read
        self._string_at: int | None = None  # where a string begins whose text was not asked for yet

    def next(self) -> str:
        """Go to the next token and return its kind."""
        if self._begun is not None:
            self.kind, self._begun = self._begun, None
            return self.kind
        self._finish_string()
        self._skip_space()
        character = self._peek()
        if character and character in "]}" and self._open:
            self.kind = self._close(character)
        elif self._open:
            self._separate(character)
            self._fresh = False
            if self._open[-1] == "{":
                self._read_name()
            else:
                self.kind = self._begin_value()
        elif character and self.kind != END:
            self.fail(f"Unexpected character ({_shown(character)}): expected the end of the pattern")
        else:
            self.kind = self._begin_value() if character else END
        return self.kind

    @property
    def text(self) -> str:
        """Text of the current string (unescaped), number or word."""
        self._finish_string()
        return self._value

    def fail(self, message: str, *, times: int = 1) -> NoReturn:
        """Raise InvalidEventPattern for the place reached, which AWS repeats for errors in some lists."""
        raise InvalidEventPattern(message + self._place(self._position) * times)

    def _peek(self) -> str:
        return self.source[self._position : self._position + 1]

    def _skip_space(self) -> None:
        self._position = _SPACE.match(self.source, self._position).end()  # type: ignore[union-attr]  # it matches the empty text, too

    def _close(self, bracket: str) -> str:
        if self._open[-1] != {"]": "[", "}": "{"}[bracket]:
            wanted = "]" if self._open[-1] == "[" else "}"
            self.fail(f"Unexpected close marker '{bracket}': expected '{wanted}'")
        self._open.pop()
        self._fresh = False
        self._position += 1
        return bracket

    def _separate(self, character: str) -> None:
        """Take the comma that must stand between two members."""
        container = "Object" if self._open[-1] == "{" else "Array"
        if not character:
            self.fail(f"Unexpected end-of-input: expected close marker for {container}")
        if self._fresh:
            return
        if character != ",":
            self.fail(
                f"Unexpected character ({_shown(character)}): was expecting comma to separate {container} entries"
            )
        self._position += 1
        self._skip_space()

    def _read_name(self) -> None:
        if self._peek() != '"':
            self.fail(f"Unexpected character ({_shown(self._peek())}): was expecting double-quote to start field name")
        self._string_at = self._position
        self._finish_string()
        name = self._value
        self._skip_space()
        if self._peek() != ":":
            self.fail(
                f"Unexpected character ({_shown(self._peek())}): was expecting a colon to separate field name and value"
            )
        self._position += 1
        self._skip_space()
        self.name = name
        self._begun = self._begin_value()
        self.kind = "name"

    def _begin_value(self) -> str:
        character = self._peek()
        if character and character in "{[":
            self._open.append(character)
            self._fresh = True
            self._position += 1
            return character
        if character == '"':
            self._string_at = self._position
            self._position += 1
            return "string"
        number = _NUMBER.match(self.source, self._position)
        if number:
            self._value, self._position = number[0], number.end()
            return "number"
        return self._read_word(character)

    def _read_word(self, character: str) -> str:  # noqa: RET503  fail() never returns
        word = _WORD.match(self.source, self._position)[0]  # type: ignore[index]  # it matches the empty text, too
        if word in ("true", "false", "null"):
            self._value = word
            self._position += len(word)
            return word
        expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
        if not word:
            self.fail(f"Unexpected character ({_shown(character)}): expected a valid value {expected}")
        self._position += len(word)
        self.fail(f"Unrecognized token '{word}': was expecting {expected}")

    def _finish_string(self) -> None:
        if self._string_at is None:
            return
        whole = _STRING.match(self.source, self._string_at)
        if whole is None:
            self._position = len(self.source)
            self.fail("Unexpected end-of-input: was expecting closing quote for a string value")
        self._value = json.loads(whole[0])
        self._position = whole.end()
        self._string_at = None

    def _place(self, position: int) -> str:
        before = self.source[:position]
        line = before.count("\n") + 1
        column = position - (before.rfind("\n") + 1) + 1
        quoted, more = self.source[:_SHOWN], len(self.source) - _SHOWN
        cut = f"[truncated {more} chars]" if more > 0 else ""
        return f'\n at [Source: (String)"{quoted}"{cut}; line: {line}, column: {column}]'


def _shown(character: str) -> str:
    return f"'{character}' (code {ord(character)})" if character else "end of input"
