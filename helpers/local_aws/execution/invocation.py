"""Define the words in which a function's runner and its execution environments speak of an invocation."""

from __future__ import annotations

import random
import re
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..engine import clock


class Code(Protocol):
    """The unpacked code of a function, which is there for as long as somebody holds a share of it."""

    def share(self) -> Any: ...

    def release(self) -> None: ...


@dataclass(frozen=True)
class FunctionSpec:
    """What an execution environment needs to know of its function: one version of its code and configuration."""

    name: str
    arn: str  # without a qualifier
    version: str
    handler: str
    runtime: str
    role_arn: str
    memory_mb: int
    timeout_s: int
    environment: tuple[tuple[str, str], ...]
    code_dir: Path
    account_id: str
    region: str
    log_group: str
    dead_letter_arn: str = ""  # the function's own dead-letter queue or topic
    storage_mb: int = 512  # of its folder for temporary files
    code: Code | None = field(default=None, compare=False)  # keeps `code_dir` in place


@dataclass(eq=False)
class Work:
    """One invocation on its way: what goes in, and whom to tell when it is over."""

    request_id: str
    payload: bytes
    done: Callable[[Any, Outcome], None]  # called with this work itself
    client_context: str | None = None
    trace_id: str = ""
    handed_back: int = field(default=0, init=False)  # by environments that turned out to be dead when they got it


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended. `error_type` is None when the function returned; `payload` is its answer as JSON."""

    request_id: str
    payload: bytes
    error_type: str | None
    log_tail: bytes


def new_id() -> str:
    """Return a random UUID for an event or a request.

    It names, and protects nothing: so it costs no system call, which would release the GIL.
    """
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def new_trace_id(lineage: str, hops: int = 0, root: str = "") -> str:
    """Return the text of the header X-Amzn-Trace-Id for a new invocation.

    lineage: what `lineage_of` makes of the function's ARN; hops: how many functions have handed the event on
    before; root: the chain of events that this one continues, "" for a new one. AWS counts the rounds of a loop in
    the same place: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    root = root or f"1-{int(clock.now()):08x}-{random.getrandbits(96):024x}"
    return f"Root={root};Sampled=0;Lineage=1:{lineage}:{hops + 1}"


def event_headers(spec: FunctionSpec, work: Work) -> dict[str, str]:
    """Make the headers with which the Runtime API hands an event to a runtime, whose time starts now."""
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": work.request_id,
        "Lambda-Runtime-Deadline-Ms": str(int((clock.now() + spec.timeout_s) * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": spec.arn,
        "Lambda-Runtime-Trace-Id": work.trace_id,
    }
    if work.client_context:
        headers["Lambda-Runtime-Client-Context"] = work.client_context
    return headers


def lineage_of(function_arn: str) -> str:
    """Return the eight hexadecimal digits that stand for a function in a trace's lineage."""
    return f"{zlib.crc32(function_arn.encode()):08x}"


def hops_in(trace_id: str | None) -> int:
    """Return how many functions an event has come through, read from the trace of the last one; 0 without one."""
    found = _HOPS.search(trace_id) if trace_id else None
    return int(found[1]) if found else 0


def root_of(trace_id: str | None) -> str:
    """Return the chain of events that a trace belongs to, "" without one."""
    found = _ROOT.search(trace_id) if trace_id else None
    return found[1] if found else ""


_ROOT = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")
_HOPS = re.compile(r"Lineage=1:[0-9a-f]{8}:(\d{1,5})")
