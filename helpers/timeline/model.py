"""Name the parts of a followed event: stations, what has happened there, and the lanes that connect them."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What has happened at a station: a symbol and a word; the picture adds a colour."""

    DONE = ("✓", "done")
    FAILED = ("✗", "failed")
    WAITING = ("…", "waiting")
    NOT_REACHED = ("○", "not reached")
    UNKNOWN = ("?", "unknown")

    @property
    def symbol(self) -> str:
        return self.value[0]

    @property
    def word(self) -> str:
        return self.value[1]


@dataclass(frozen=True)
class Row:
    """A line inside a station: an attempt of a function, or why a rule does not match."""

    name: str
    state: State
    words: str = ""  # in place of the state's own word


@dataclass(frozen=True)
class Station:
    """A resource that the event came to, or might have come to. `holds` names what is there of it now."""

    kind: str  # a key of the picture's KINDS: "event bus", "rule", "Lambda function" …
    name: str  # may be empty, when it is not known which
    state: State
    words: str = ""  # in place of the state's own word; at most 13 characters
    rows: tuple[Row, ...] = ()
    holds: str = ""


@dataclass(frozen=True)
class Lane:
    """One delivery: what became of the event behind one rule, for one target.

    Without a rule it is another invocation for the same event: a duplicate, or one that somebody sent again.
    `dead_letters` is for what was not delivered, `failures` for what the function failed at.
    """

    state: State
    verdict: str
    cause: str = ""
    rule: Station | None = None
    function: Station | None = None
    table: Station | None = None
    dead_letters: Station | None = None
    failures: Station | None = None


@dataclass(frozen=True)
class Trace:
    """All deliveries of one event, at least one lane, and what they come to. `what` is known of its content."""

    bus: Station
    lanes: tuple[Lane, ...]
    state: State
    verdict: str
    cause: str = ""
    what: str = ""
