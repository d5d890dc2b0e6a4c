"""Time and background work have one place each: who else may keep them is named here, with the reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.paths import PROJECT

LOCAL_AWS = PROJECT / "helpers" / "local_aws"
#: Modules that nobody but the engine imports, and calls that ask the machine's clock.
OF_THE_ENGINE = {"threading", "time", "queue", "sched", "asyncio", "concurrent", "multiprocessing"}
ASKING_THE_CLOCK = {"now", "utcnow", "today"}
#: Files that may do so all the same: each has to do with a process or a socket, which no loop and no moved clock runs.
ALLOWED = {
    "engine/clock.py": "is the clock",
    "engine/executor.py": "has the locks and queues of both forms",
    "engine/threads.py": "is the form with threads",
    "engine/loop.py": "asks which thread it is in",
    "engine/anew.py": "makes locks anew",
    "server.py": "the process: its signals, and whether it is still wanted",
    "lifecycle.py": "waits for a process to start and to end",
    "server_proof.py": "waits for another process's answer, wherever who asks may be",
    "execution/runtime.py": "runs in the worker, with the function",
    "execution/call_stack.py": "puts a sleep of its own in the place of time's",
    "execution/interpreter_state.py": "the same",
    "inside/callers_time.py": "the same in the caller's interpreter, and gives it the account's time",
}


def files() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(LOCAL_AWS.rglob("*.py")):
        yield path.relative_to(LOCAL_AWS).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def kept_by(tree: ast.Module) -> list[str]:
    """What a module has of time and threads: the modules that it imports, and its calls of the machine's clock."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in OF_THE_ENGINE]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if (node.module or "").partition(".")[0] in OF_THE_ENGINE:
                found.append(node.module or "")
            if (node.module or "").startswith("moto"):
                found += [alias.name for alias in node.names if alias.name.startswith(("unix_time", "utcnow"))]
        elif isinstance(node, ast.Call) and asks_the_clock(node.func):
            found.append(ast.unparse(node.func))
    return found


def asks_the_clock(called: ast.expr) -> bool:
    return (
        isinstance(called, ast.Attribute)
        and called.attr in ASKING_THE_CLOCK
        and "datetime" in ast.unparse(called.value)
    )


def test_time_and_work_are_asked_of_the_engine():
    kept = {name: found for name, tree in files() if (found := kept_by(tree))}
    others = {name: found for name, found in kept.items() if name not in ALLOWED}
    assert not others, "ask the engine: clock.now(), executor.later(), executor.Condition"
    assert sorted(kept) == sorted(ALLOWED), "who needs it no longer leaves the list"


@pytest.mark.parametrize("source", [
    "import threading", "import time as t", "from time import sleep", "from concurrent.futures import Future",
    "import datetime\ndatetime.datetime.now(datetime.UTC)", "from datetime import datetime\ndatetime.utcnow()",
    "from moto.core.utils import unix_time_millis",
])  # fmt: skip
def test_it_is_seen_in_every_form(source):
    assert kept_by(ast.parse(source))


@pytest.mark.parametrize("source", ["from ..engine import clock\nclock.now()", "import timeit", "now()"])
def test_what_is_none_of_it_is_not_seen(source):
    assert not kept_by(ast.parse(source))


def test_every_name_on_the_list_is_a_file():
    assert not [name for name in ALLOWED if not Path(LOCAL_AWS, name).is_file()]
