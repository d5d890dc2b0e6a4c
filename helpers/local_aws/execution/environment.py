"""Say what an execution environment is to the pool that has it, and what it asks of the pool.

There are two forms. In `process_environment` a function has a worker process, as safe from it as can be; that is what
a learner has. In `in_process_environment` it runs in this interpreter, where there are no processes and no threads. A
Host says which form its account has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from .invocation import FunctionSpec, Work
from .invocation_log import WriteLog

#: Seconds that an environment may take to import the function. AWS allows 10 on machines that it knows; a laptop
#: with a virus scanner needs longer for the same import.
INIT_TIMEOUT = 30.0
#: Seconds after which an idle environment ends. AWS does not say how long it keeps them; minutes are usual.
IDLE_SECONDS = 600.0
#: Bytes of a synchronous answer, as AWS counts them: 6 MB and a little.
MAX_RESPONSE = 6 * 1024 * 1024 + 100
#: Characters of an error type that a function gives itself.
MAX_ERROR_TYPE = 256
#: What runs a function: AWS's Python runtime in small.
RUNTIME = Path(__file__).with_name("runtime.py")


class Environment(Protocol):
    """One environment of a function, on its way from its making: it begins, asks for work, and ends by itself.

    spec: what it was made for; initialised: the function is imported; slow: its invocation waits for something, and
    others should not wait for it; idle_since: when it had nothing to do (clock.monotonic()); alive: it can take work.
    """

    spec: FunctionSpec
    initialised: bool
    slow: bool
    idle_since: float

    @property
    def alive(self) -> bool: ...

    def hand_over(self, work: Work | None) -> None:
        """Give it work when it is idle; None tells it to end. Returns at once."""

    def kill(self) -> None:
        """End it now, whatever it is doing, as far as that can be done."""

    def join(self, timeout: float) -> None:
        """Wait for its end, at most so many seconds."""


class Pool(Protocol):
    """What an environment asks of the function's runner."""

    def next_work(self, environment: Environment) -> Work | None:
        """Return work; without any, the environment is idle from now on, and `hand_over` is called once."""

    def leave(self, environment: Environment) -> bool:
        """Let go of an idle environment; False when `hand_over` is being called, and it must wait for that."""

    def take_back(self, work: Work) -> None:
        """Work that was handed to an environment which then turned out to be dead."""

    def take_failed_start(self) -> Work | None:
        """Work that waits for an environment of which this one will never be; it fails with the start."""

    def busy_for_long(self, environment: Environment) -> None:
        """Note that the current invocation has run for a while: others need not wait for it."""

    def ended(self, environment: Environment) -> None:
        """Note that the environment is gone."""


#: Makes and starts an environment: of which function, for whom, with which variables, and where its log goes.
Factory = Callable[[FunctionSpec, Pool, dict[str, str], WriteLog], Environment]


class CodeIsGone(Exception):
    """The folder with the function's code is not there any more."""

    def __str__(self) -> str:
        return (
            "the function's code is gone: its folder was deleted, perhaps by the function itself. "
            "Upload the code again (update_function_code)."
        )


def timed_out_message(timeout_s: float) -> str:
    return f"Error: Task timed out after {timeout_s:.2f} seconds"


def init_timed_out_message() -> str:
    return f"Error: Init timed out after {INIT_TIMEOUT:.2f} seconds"


def exit_error(status: int) -> tuple[str, str]:
    """Return the error type and message with which Lambda reports a runtime that has ended with this status."""
    if not status:
        return "Runtime.ExitError", "Error: Runtime exited without providing a reason"
    return "Runtime.ExitError", f"Error: Runtime exited with error: exit status {status}"
