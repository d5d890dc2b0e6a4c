"""Say what is wrong with an Invoke payload that is not JSON, in the words of AWS's parser."""

from __future__ import annotations

import json
import re

_EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


def check_json(payload: bytes) -> str | None:
    """Return what makes `payload` no JSON in UTF-8, or None if it is."""
    try:
        text = payload.decode()
        json.loads(text, parse_constant=_refuse_constant)
        return None
    except UnicodeDecodeError as error:
        return _encoding_problem(payload, error)
    except json.JSONDecodeError as error:
        return _syntax_problem(text, error)
    except _NotJson as error:
        return f"Non-standard token '{error}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow" + _at(1, 1)
    except RecursionError:
        return "Document nesting depth exceeds the maximum allowed" + _at(1, 1)


class _NotJson(Exception):
    pass


def _refuse_constant(name: str) -> None:
    raise _NotJson(name)


def _encoding_problem(payload: bytes, error: UnicodeDecodeError) -> str:
    before, byte = payload[: error.start], payload[error.start]
    if not before.strip():
        # Nothing has been read yet, so the parser takes the byte for the first character of a value.
        return _unexpected(byte) + _at(1, error.start + 1)
    line = before.count(b"\n") + 1
    return f"Invalid UTF-8 start byte 0x{byte:02x}" + _at(line, error.start - before.rfind(b"\n") + 1)


def _syntax_problem(text: str, error: json.JSONDecodeError) -> str:
    if error.pos >= len(text):
        return "Unexpected end-of-input" + _at(error.lineno, error.colno)
    word = re.compile(r"[A-Za-z_$][\w$]*").match(text, error.pos)
    if word:
        where = _at(error.lineno, error.colno + len(word[0]))
        return f"Unrecognized token '{word[0]}': was expecting {_EXPECTED}" + where
    return _unexpected(ord(text[error.pos])) + _at(error.lineno, error.colno)


def _unexpected(code: int) -> str:
    printable = 32 <= code < 127
    name = f"'{chr(code)}' (code {code})" if printable else f"(CTRL-CHAR, code {code})"
    return f"Unexpected character ({name}): expected a valid value {_EXPECTED}"


def _at(line: int, column: int) -> str:
    source = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
    return f"\n at [Source: {source}; line: {line}, column: {column}]"
