"""Prefix the names of what the workbook makes, where several people or other things share an account.

The lessons say `sample-table`. With the prefix "team1-" AWS hears `team1-sample-table`, and the lesson reads
`sample-table` again in the answer: botocore's events rewrite what is sent and what comes back, in every name, ARN,
policy, template and message. So no cell has to spell a prefix, and the same cells run everywhere. Somebody else's
`sample-table` is read as `not-team1-sample-table`: nothing of theirs can be mistaken for one's own.
"""

import base64
import contextlib
import io
import re
from collections.abc import Callable
from typing import Any

from botocore.response import StreamingBody

PREFIX = re.compile(r"[a-z][a-z0-9]{0,11}-")  # short: the longest name of a lesson, with it, must stay below 64
#: How the names of all that the lessons and their exercises make begin; and the value of
#: the tag (helpers.target.tagging).
OWN_NAMES = (
    "sample-", "exercise-", "stack-", "microservice-role", "microservice-y", "big-orders", "past-orders",
    "order-stored-rule", "order-totals", "strangers-rule", "probe-function", "scratch-table", "borrowed-role",
    "role-for-ec2", "stubborn-role", "never-made", "serverless-order-workbook",
)  # fmt: skip
#: Where data stands, not names: an order for a "sample-pack" keeps its item's name.
DATA = frozenset({
    "Detail", "Item", "Items", "Key", "Keys", "ExpressionAttributeValues", "LastEvaluatedKey",
    "ExclusiveStartKey", "PutRequest", "DeleteRequest", "ResponseMetadata",
    "Location",  # of a function's code: signed, name and all
})  # fmt: skip
_OWN = "|".join(map(re.escape, OWN_NAMES))
# Not inside of another word: "example-sample-table" is nobody's. But an archive's rule has the archive's name in it.
_ALONE = r"(?:(?<![\w.-])|(?<=Events-Archive-))"


def is_own(name: str) -> bool:
    """Return whether a name, without any prefix, is one that the lessons or their exercises give."""
    return bool(re.match(_OWN, name))


class Prefix:
    """Puts the prefix before every name of ours in a value, and takes it away again."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._foreign = f"not-{prefix}"
        own = rf"(?=(?:{_OWN}))"
        self._as_read = re.compile(rf"{_ALONE}(?:{re.escape(self._foreign)})?{own}")
        self._as_sent = re.compile(rf"{_ALONE}(?:{re.escape(prefix)})?{own}")

    def add(self, value: Any) -> Any:
        """Return the value, a text or any nesting of dicts and lists, as AWS should get it."""
        return _map_text(value, lambda text: self._as_read.sub(lambda found: "" if found[0] else self.prefix, text))

    def remove(self, value: Any) -> Any:
        """Return the value as the lesson should read it."""
        return _map_text(value, lambda text: self._as_sent.sub(lambda found: "" if found[0] else self._foreign, text))


def install(events: Any, prefix: str) -> None:
    """Make the clients that a session creates from now on speak this way; `events` is boto3's Session.events.

    Calling it again, also with "", changes the prefix.
    """
    names = Prefix(prefix) if prefix else None

    def add_prefix(params: dict[str, Any], **_: Any) -> None:
        if names:
            params.update(names.add(params))  # botocore's copy, not the caller's dict

    def remove_prefix(parsed: dict[str, Any], **_: Any) -> None:
        if names:
            parsed.update(_map_payload(names.remove(parsed), names.remove))

    for event, handler in (("provide-client-params.*.*", add_prefix), ("after-call.*.*", remove_prefix)):
        key = f"workbook names {event}"
        events.unregister(event, unique_id=key)
        events.register(event, handler, unique_id=key)


def _map_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {_map_text(key, change): _map_entry(key, each, change) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_map_text(each, change) for each in value)
    return value  # bytes, numbers, streams


def _map_entry(key: Any, value: Any, change: Callable[[str], str]) -> Any:
    if key == "Responses" and isinstance(value, dict):  # of BatchGetItem: the keys are names, the rest is data
        return {change(table): items for table, items in value.items()}
    return value if key in DATA else _map_text(value, change)


def _map_payload(parsed: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Change what an invocation answers and logs: text in a wrapping of its own."""
    if isinstance(parsed.get("LogResult"), str):
        text = base64.b64decode(parsed["LogResult"]).decode("utf-8", "replace")
        parsed["LogResult"] = base64.b64encode(change(text).encode()).decode()
    if isinstance(parsed.get("Payload"), StreamingBody):
        content = parsed["Payload"].read()
        with contextlib.suppress(UnicodeDecodeError):  # no text, so no name in it
            content = change(content.decode()).encode()
        parsed["Payload"] = StreamingBody(io.BytesIO(content), len(content))
    return parsed
