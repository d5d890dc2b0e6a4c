"""Do one mapping's work, a step at a time, whenever something may have changed."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Protocol

from ..awslambda.function_runner import TooManyRequests
from ..engine import clock, executor
from ..engine.clock import scaled
from ..execution.invocation import Outcome
from ..execution.lambda_errors import LambdaError
from ..storage import journal
from .mapping import EventSourceMapping
from .sources import forbidden

logger = logging.getLogger("local_aws.mappings")

#: Seconds, on AWS, before something that has failed is tried again: at first, doubled each time, and at most. AWS does
#: not say how long it waits.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: Seconds here that every such wait lasts at the least: a loop must come to other things, too.
LEAST_PAUSE = 0.05

#: The pause after an error of our own, as if so many attempts had failed.
_AFTER_ERROR = 4

_lanes = executor.Lanes("event source mapping")


class Target(Protocol):
    """A version of a function that a mapping invokes."""

    role: str
    function_name: str

    def begin(self, payload: bytes, done: Callable[[Outcome], object], trace_id: str = "") -> None: ...

    def takes_batches(self) -> bool: ...

    def goes_round(self, trace_id: str) -> bool: ...


def pause(attempt: int) -> float:
    """Return the seconds to wait here before the next attempt; attempt: how many there were, from 1."""
    return max(LEAST_PAUSE, scaled(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt - 1, 16))))


class Poller:
    """Reads one mapping's source. `step` is called on the mapping's lane, as is all that changes a poller.

    find_target: returns what is to be invoked, None when it does not exist.
    """

    def __init__(self, mapping: EventSourceMapping, find_target: Callable[[], Target | None]) -> None:
        self.mapping, self._find_target = mapping, find_target
        self._asked = False
        self._wakes_at = math.inf  # clock.monotonic()
        self._problems = 0  # since the source could be read last
        self._stopped = False

    def wake(self) -> None:
        """Have a step done soon; quick, and callable from everywhere."""
        if not self._asked:
            self._asked = True
            self._in_order(self._turn)

    def stop(self) -> None:
        """Do nothing more in this process, whatever becomes of invocations under way: the account is closed."""
        self._stopped = True

    def close(self) -> None:
        """Let go of the source: the mapping is deleted. Invocations under way come to their end."""

    def step(self) -> None:
        """Do what is to be done now."""
        raise NotImplementedError

    def rest(self) -> None:
        """Let go of what was read and not handed over: the mapping does not poll any more."""

    # For subclasses

    def _in_order(self, job: Callable[[], object]) -> None:
        if not self._stopped:
            _lanes.send(self.mapping.uuid, lambda: self._stopped or job())

    def _turn(self) -> None:
        self._asked = False
        try:
            if self.mapping.polls:
                self.step()
            else:
                self.rest()
        except Exception:  # whatever it is, polling goes on
            logger.exception("%s: a step failed", self.mapping.uuid)
            self._wake_in(pause(_AFTER_ERROR))

    def _wake_in(self, seconds: float) -> None:
        """Have a step done in so many seconds, or before that."""
        moment = clock.monotonic() + seconds
        if math.isinf(moment) or self._wakes_at <= moment:
            return
        self._wakes_at = moment
        executor.later(seconds, lambda: self._ring(moment))

    def _ring(self, moment: float) -> None:
        if moment == self._wakes_at:
            self._wakes_at = math.inf
        self.wake()

    def _readable(self, there: bool) -> Target | None:
        """Return what to invoke; None, with the reason noted, when nothing can be read or invoked now."""
        target = self._find_target()
        if not there:
            problem: str | None = "PROBLEM: The event source does not exist"
        elif target is None:
            problem = "PROBLEM: The function does not exist"
        else:
            problem = forbidden(target.role, self.mapping.source_arn)
            problem = problem and f"PROBLEM: {problem}"
        if problem is None:
            self._problems = 0
            return target
        self._note(problem)
        self._problems += 1
        self._wake_in(pause(self._problems))
        return None

    def _note(self, result: str) -> None:
        """Have LastProcessingResult say it."""
        if self.mapping.result != result:
            self.mapping.result = result
            journal.changed("lambda", self.mapping.region)

    def _begin(self, target: Target, payload: bytes, done: Callable[[Outcome], object], trace_id: str = "") -> bool:
        """Invoke the function; `done` is called on the mapping's lane. False when it cannot be invoked now."""
        try:
            target.begin(payload, lambda outcome: self._in_order(lambda: done(outcome)), trace_id)
        except (TooManyRequests, LambdaError) as error:
            logger.info("%s is not invoked now: %r", self.mapping.function_arn, error)
            return False
        return True
