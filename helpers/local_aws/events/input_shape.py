"""Shape what a target receives instead of the whole event: a part of it, or a text made of parts.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from json.encoder import encode_basestring as quote
from typing import Any

from .put_events import Event, OutOfRange, sendable

_MISSING = object()
_STEP = re.compile(r"""\.([^.\[\]]+)|\[([0-9]{1,9})\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_PATH = re.compile(rf"\$(?:{_STEP.pattern})*")
_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
_PIECE = re.compile(r'\\.|"|<[^<>\s]+>', re.DOTALL)
_ESCAPE_OR_QUOTE = re.compile(r'\\.|"', re.DOTALL)
#: Placeholders that need no entry in InputPathsMap.
RESERVED = frozenset(
    f"aws.events.{name}" for name in ("rule-arn", "rule-name", "event", "event.json", "event.ingestion-time")
)


def placeholders(template: str) -> list[str]:
    """Return the names in angle brackets in an InputTemplate, in order."""
    return _PLACEHOLDER.findall(template)


def is_path(path: str) -> bool:
    """Return whether this is a JSON path of the kind that EventBridge knows: $.detail.items[0]."""
    return bool(_PATH.fullmatch(path))


def select(path: str, event: Event) -> str | None:
    """Return the part of the event at `path` as JSON text, None when there is none."""
    value = _select(path, event.fields)
    if value is _MISSING:
        return None
    if value is event.fields:
        return event.text
    return sendable(dump(value))


def transform(transformer: dict[str, Any], event: Event, rule_arn: str) -> str:
    """Return the text that an InputTransformer makes of the event.

    Outside quotes a placeholder becomes JSON, inside quotes plain text (objects lose their quotes). One for
    which the event has no value becomes an empty text.
    """
    paths = transformer.get("InputPathsMap") or {}
    found: dict[str, Any] = {}
    inside = False

    def piece(match: re.Match[str]) -> str:
        nonlocal inside
        text = match[0]
        if text == '"':
            inside = not inside
        if text[0] != "<" or (text[1:-1] not in paths and text[1:-1] not in RESERVED):
            return text
        name = text[1:-1]
        if name not in found:
            found[name] = _value(name, paths, event, rule_arn)
        return _as_text(found[name]) if inside else dump("" if found[name] is _MISSING else found[name])

    return sendable(_PIECE.sub(piece, transformer["InputTemplate"]))


def dump(value: Any) -> str:
    """Compact JSON; numbers as they were sent."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote(key)}:{dump(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, OutOfRange):
        return value.sent
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def _select(path: str, node: Any) -> Any:
    for match in _STEP.finditer(path):
        name, index, *quoted = match.groups()
        if index is not None:
            if not isinstance(node, list) or int(index) >= len(node):
                return _MISSING
            node = node[int(index)]
            continue
        name = next(text for text in (name, *quoted) if text is not None)
        if not isinstance(node, dict) or name not in node:
            return _MISSING
        node = node[name]
    return node


def _value(name: str, paths: dict[str, str], event: Event, rule_arn: str) -> Any:
    if name in paths:
        return _select(paths[name], event.fields)
    fields = event.fields
    if name == "aws.events.event.json":
        return fields
    if name == "aws.events.event":  # without its detail, and named as in Java
        names = ("id", "account", "detail-type", "time", "source", "region", "resources", "version")
        short = {"detailType" if key == "detail-type" else key: fields[key] for key in names}
        return {**short, "time": event.ingestion_time}
    return {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event.ingestion_time,
    }[name]


def _as_text(value: Any) -> str:
    if value is _MISSING:
        return ""
    if isinstance(value, str):
        return quote(value)[1:-1]
    # The quotes around names and texts go; one inside a text stays escaped, or what follows it would be no JSON.
    return _ESCAPE_OR_QUOTE.sub(lambda match: match[0].removeprefix('"'), dump(value))
