"""Check the entries of a PutEvents request as AWS does, then turn them into events.

An event keeps its `Detail` as the text that was sent. EventBridge hands details on, it does not compute with
them, so the envelope is put around that text: a number such as 65.50, or one of 30 digits, arrives as it was
written. The parsed detail serves validation and matching alone.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quote  # keeps non-ASCII characters, as AWS does
from typing import Any

from ..engine import clock
from ..execution.invocation import new_id

MAX_ENTRIES = 10
#: Bytes of all entries of a request together. 1 MB since January 2026, 256 KB before:
#: https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb
MAX_REQUEST_BYTES = 1024 * 1024
#: "PutEvents will only process nested JSON up to 1000 levels deep" (API reference).
MAX_DEPTH = 1000

_TEXTS = ("Source", "DetailType", "Detail", "EventBusName", "TraceHeader")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_SIGNIFICANT = re.compile(rf'[^" \t\n\r]+|{_STRING}')  # all of a JSON text but the spaces between its parts
_STRING_OR_BRACKET = re.compile(rf"{_STRING}|([\[{{])|([\]}}])")


class RequestError(Exception):
    """The whole request is refused. `code` and `message` are AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Event:
    """One event on a bus: immutable, shared by all rules and targets that it reaches.

    `fields` is the parsed envelope (numbers with a fraction are Decimal) that patterns are matched against,
    `text` the JSON that targets receive: AWS's key order, no insignificant spaces. `accepted_at` is the account's
    uptime when its bus took it. `hops` is the number of functions that it has come through, `root` the chain of events
    that it belongs to if that is not 0.
    """

    __slots__ = (
        "id", "bus", "fields", "detail_text", "ingestion_time", "accepted_at", "forwarded", "hops", "root", "_text",
    )  # fmt: skip

    def __init__(self, bus: str, fields: dict[str, Any], detail_text: str, ingestion_time: str) -> None:
        self.bus = bus
        self.id: str = fields["id"]
        self.fields = fields
        self.detail_text = detail_text
        self.ingestion_time = ingestion_time
        self.accepted_at = clock.uptime()
        self.forwarded = False  # came from another bus
        self.hops = 0
        self.root = ""
        self._text: str | None = None

    @property
    def size(self) -> int:
        """What it counts for in the backlog: about the bytes that it needs."""
        return len(self.detail_text)

    @property
    def text(self) -> str:
        if self._text is None:
            head = ",".join([f'"{key}":{_dump(value)}' for key, value in self.fields.items() if key != "detail"])
            detail = "".join(_SIGNIFICANT.findall(self.detail_text))
            text = f'{{{head},"detail":{detail}}}'
            self._text = sendable(text)
        return self._text

    def dump(self) -> tuple[Any, ...]:
        """Return the event as plain values, for the journal."""
        head = {name: value for name, value in self.fields.items() if name != "detail"}
        way = self.forwarded, self.hops, self.root
        return self.bus, head, self.detail_text, self.ingestion_time, *way, self.accepted_at

    @classmethod
    def load(cls, values: tuple[Any, ...]) -> Event:
        """Return the event that was dumped."""
        bus, head, detail_text, ingestion_time, *way = values
        event = cls(bus, head | {"detail": parse_json(detail_text)}, detail_text, ingestion_time)
        event.forwarded, event.hops, event.root, event.accepted_at = (*way, event.accepted_at)[:4]
        return event

    def copy(self, bus: str, *, forwarded: bool = False, **changes: str) -> Event:
        """Return the same event for `bus`, with changes in its envelope; a new field comes before `resources`.

        Only a forwarded one still belongs to the chain of events that it came with.
        """
        fields: dict[str, Any] = {}
        for name, value in self.fields.items():
            if name == "resources":
                fields.update(changes)
            fields[name] = changes.get(name, value)
        copy = Event(bus, fields, self.detail_text, self.ingestion_time)
        copy.forwarded = forwarded
        if forwarded:
            copy.hops, copy.root = self.hops, self.root
        return copy


def sendable(text: str) -> str:
    """Replace lone surrogates, which cannot be sent, by "?", as AWS's Java does."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def check_request(entries: list[dict[str, Any]] | None) -> None:
    """Raise RequestError when AWS would refuse the request as a whole: no entries, too many, too large."""
    for entry in entries or ():
        _check_types(entry)
    problem = None
    if entries is None:
        problem = "Value null at 'entries' failed to satisfy constraint: Member must not be null"
    elif not entries:
        problem = (
            "Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1"
        )
    elif len(entries) > MAX_ENTRIES:
        shown = ", ".join(_java_text(entry) for entry in entries)
        problem = (
            f"Value '[{shown}]' at 'entries' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_ENTRIES}"
        )
    if problem:
        raise RequestError("ValidationException", f"1 validation error detected: {problem}")
    if sum(entry_size(entry) for entry in entries or ()) >= MAX_REQUEST_BYTES:
        raise RequestError("ValidationException", "Total size of the entries in the request is over the limit.")


def _check_types(entry: Any) -> None:
    """SDKs check this before they send; a hand-made request may have anything."""
    if isinstance(entry, dict):
        resources = entry.get("Resources") or []
        texts = [entry.get(name) for name in _TEXTS]
        if isinstance(resources, list) and all(text is None or isinstance(text, str) for text in (*texts, *resources)):
            return
    raise RequestError("SerializationException", "An entry has a member of the wrong type.")


def entry_size(entry: dict[str, Any]) -> int:
    """Return the size of an entry in bytes as EventBridge counts it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
    """
    texts = [
        entry.get("Source"),
        entry.get("DetailType"),
        entry.get("Detail"),
        *(entry.get("Resources") or ()),
    ]
    size = sum(len(text.encode("utf-8", "replace")) for text in texts if text)
    return size + (14 if entry.get("Time") is not None else 0)


def check_entry(entry: dict[str, Any]) -> tuple[str, str] | dict[str, Any]:
    """Return (error code, error message) when AWS would refuse this entry, else its parsed Detail."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    if entry["Source"].startswith("aws."):  # reserved for the services of AWS
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        detail = parse_json(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return "MalformedDetail", "Detail is malformed."
    return detail


def make_event(entry: dict[str, Any], detail: dict[str, Any], bus: str, account: str, region: str, now: float) -> Event:
    """Make the event of a checked entry; `now` (seconds since the epoch) is its time unless it has its own.

    A TraceHeader is for AWS X-Ray: it is accepted, and not part of the event.
    """
    sent = entry.get("Time")
    received = timestamp(now)
    fields = {
        "version": "0",
        "id": new_id(),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": account,
        "time": received if sent is None else timestamp(sent),
        "region": region,
        "resources": entry.get("Resources") or [],
        "detail": detail,
    }
    return Event(bus, fields, entry["Detail"].strip(), received)


def timestamp(moment: float | int | str) -> str:
    """Return seconds since the epoch, or an ISO 8601 text, as EventBridge writes time: whole seconds, UTC, "Z"."""
    try:
        if isinstance(moment, str):
            parsed = datetime.fromisoformat(moment)
            when = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        elif 0 <= moment < 32503680000:  # until the year 3000: the quick way
            return _second(int(moment))
        else:
            when = _EPOCH + timedelta(seconds=moment)
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError("SerializationException", f"Time is not a timestamp: {moment}") from error
    return f"{when.replace(microsecond=0, tzinfo=None).isoformat()}Z"


@lru_cache(maxsize=1024)  # events of one second, and those of an archive, have the same
def _second(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).isoformat()[:19]}Z"


def parse_json(text: str) -> Any:
    """Parse strict JSON (no NaN or Infinity, at most MAX_DEPTH levels); fractions become Decimal.

    Raises ValueError.
    """
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except (ValueError, ArithmeticError):  # valid JSON whose numbers are beyond int (4300 digits) or Decimal
        return _DECODER_OF_EXTREMES.decode(text)


def _refuse_constant(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _extreme(number: str) -> Decimal:
    try:
        return Decimal(number)
    except ArithmeticError:  # an exponent that Decimal cannot hold; patterns compare far smaller numbers
        beyond = OutOfRange("-Infinity" if number.startswith("-") else "Infinity")
        beyond.sent = number
        return beyond


class OutOfRange(Decimal):
    """A number that Decimal cannot hold: infinite to compare with, and `sent` as it was written."""

    sent: str


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
_DECODER_OF_EXTREMES = json.JSONDecoder(parse_float=_extreme, parse_int=_extreme, parse_constant=_refuse_constant)


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        depth += (match[1] is not None) - (match[2] is not None)
        deepest = max(deepest, depth)
    return deepest


def _dump(value: str | Iterable[str]) -> str:
    return quote(value) if type(value) is str else f"[{','.join(map(quote, value))}]"


def _java_text(entry: dict[str, Any]) -> str:
    """Return an entry as it appears in AWS's validation message."""
    moment = entry.get("Time")
    if isinstance(moment, (int, float)):
        with suppress(ValueError, OverflowError):  # a year that there is not, is shown as it was sent
            moment = (_EPOCH + timedelta(seconds=moment)).strftime("%a %b %d %H:%M:%S UTC %Y")
    resources = entry.get("Resources")
    values = {
        "time": moment,
        "source": entry.get("Source"),
        "resources": None if resources is None else f"[{', '.join(resources)}]",
        "detailType": entry.get("DetailType"),
        "detail": entry.get("Detail"),
        "eventBusName": entry.get("EventBusName"),
        "traceHeader": entry.get("TraceHeader"),
        "kmsKeyIdentifier": None,
        "internalMetadata": None,
    }
    shown = ", ".join(f"{name}={'null' if value is None else value}" for name, value in values.items())
    return f"PutEventsRequestEntry({shown})"
