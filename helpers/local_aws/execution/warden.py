"""Watch all workers from one task: those that hold up their own environment's, and idle ones.

An environment's own task watches its worker while it waits for an answer. It cannot while a worker sends half a request
and no more, and it does not between invocations, when threads and children of the function may still go on.
"""

from __future__ import annotations

import logging
from typing import Protocol

import psutil

from ..engine import clock, executor
from . import process_family

logger = logging.getLogger("local_aws.warden")

#: Seconds between two looks at each worker (in a quarter of a second one can print half a gigabyte), and between two
#: at what busy ones have started, which costs more.
INTERVAL = 0.1
TREE_INTERVAL = 1.0


class Ward(Protocol):
    """A worker process, as the warden sees it."""

    pid: int
    deadline: float | None  # of what it does now, in clock.monotonic()'s seconds; None while it is idle

    def look(self, tree: list[psutil.Process] | None) -> None:
        """Check deadline, memory and output. tree: what it has started, None when that was not looked at."""


_lock = executor.Lock()
_wards: set[Ward] = set()
_task: executor.Task | None = None


def watch(ward: Ward) -> None:
    """Look after a worker from now on."""
    global _task  # noqa: PLW0603  one task for the process, made when it is needed
    with _lock:
        _wards.add(ward)
        if _task is None:
            _task = executor.start(_run, "warden")


def release(ward: Ward) -> None:
    """Stop watching a worker: it has ended."""
    with _lock:
        _wards.discard(ward)


def _run() -> None:
    global _task  # noqa: PLW0603  one task for the process, made when it is needed
    trees_at = 0.0
    while True:
        executor.sleep(INTERVAL)
        with _lock:
            wards = list(_wards)
            if not wards:
                _task = None
                return
        try:
            trees_at = _look(wards, trees_at)
        except Exception:  # such as no more files: the next round may see again
            logger.exception("the workers could not be looked after")


def _look(wards: list[Ward], trees_at: float) -> float:
    """Look at all workers, and at what they have started if it is time to; return when that is due next."""
    trees = None
    process_family.reap_orphans()
    due = clock.monotonic() > trees_at or process_family.many_tasks_started()
    if due and any(ward.deadline is not None for ward in wards):
        trees = process_family.descendants()
        trees_at = clock.monotonic() + TREE_INTERVAL
    for ward in wards:
        try:
            ward.look(None if trees is None else trees.get(ward.pid, []))
        except Exception:  # one worker must not leave the others unwatched
            logger.exception("a worker could not be looked after")
    return trees_at
