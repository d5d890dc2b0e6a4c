"""The words in which a function's runner and its execution environments speak of an invocation."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


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


@dataclass
class Work:
    """One invocation on its way: what goes in, and whom to tell when it is over."""

    request_id: str
    payload: bytes
    done: Callable[[Outcome], None]
    client_context: str | None = None
    trace_id: str = field(default_factory=lambda: f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()};Sampled=0")


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended. `error_type` is None when the function returned; `payload` is its answer as JSON."""

    request_id: str
    payload: bytes
    error_type: str | None
    log_tail: bytes
