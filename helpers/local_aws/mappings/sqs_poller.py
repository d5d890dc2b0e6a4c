"""Read a queue for a function: batches, windows, filters, and messages that are deleted when their batch is done.

What a function fails with stays in flight until its visibility timeout is over, and is then received again, or goes to
the dead-letter queue: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and .../dg/services-sqs-errorhandling
.html. A batch that finds no room in the function's concurrency is tried until then. Seconds of batching windows are
as long as on AWS, as are those of visibility and delay.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message

from ..cloudwatch import metrics
from ..engine import clock
from ..execution.invocation import Outcome, hops_in
from ..sqs import trace
from ..sqs.queues import Queue
from . import answers, filters, records, sources
from .mapping import CALL_FAILED, OK, EventSourceMapping
from .poller import Poller, Target, pause

#: Seconds until somebody looks again whether a function that was busy with long invocations takes more of them.
_LOOK_AGAIN = 1.0
#: Seconds that it waits at the least for a moment that has almost come.
_SOON = 0.001


@dataclass(frozen=True, slots=True)
class _Held:
    """A message that was received, written as the function gets it."""

    handle: str
    text: str
    size: int  # of the text, in bytes
    until: float  # clock.monotonic() when it comes back to the queue
    trace_id: str


@dataclass(eq=False)
class _Batch:
    messages: dict[str, _Held]  # by id
    until: float = field(init=False)
    refused: int = 0  # how often there was no room

    def __post_init__(self) -> None:
        self.until = min(held.until for held in self.messages.values())


class SqsPoller(Poller):
    """Reads one queue for one function."""

    def __init__(self, mapping: EventSourceMapping, find_target: Callable[[], Target | None]) -> None:
        super().__init__(mapping, find_target)
        self._queue: Queue | None = None  # that which is watched
        self._held: dict[str, _Held] = {}  # not handed over yet, by message id, in their order
        self._size = 0  # of their texts together
        self._since = 0.0  # clock.monotonic() when the first of these was received
        self._in_flight = 0  # batches
        self._waiting: deque[_Batch] = deque()  # those for which there was no room

    def close(self) -> None:
        if self._queue is not None:
            self._queue.unwatch(self.wake)

    def rest(self) -> None:
        self._held.clear()
        self._size = 0

    def step(self) -> None:
        queue = sources.queue(self.mapping.source_arn)
        target = self._readable(queue is not None)
        if queue is None or target is None:
            return
        self._watch(queue)
        self._try_again(target)
        while not self._waiting and self._room(target, queue):
            self._fill(queue, target)
            if not self._complete():
                self._wait(queue)
                return
            self._hand_over(target, self._next_batch())

    def _wait(self, queue: Queue) -> None:
        """Come again when the batch that is gathered is to be handed over, or a message comes back by itself."""
        if self._held:
            self._wake_in(max(_SOON, self._since + self.mapping.window - clock.monotonic()))
        self._wake_in(max(_SOON, queue.next_change()))

    def _watch(self, queue: Queue) -> None:
        if self._queue is not queue:
            self.close()
            self._queue = queue
            queue.watch(self.wake)

    def _room(self, target: Target, queue: Queue) -> bool:
        """Return whether another batch may be begun."""
        if self._in_flight >= (self.mapping.maximum_concurrency or math.inf):
            return False
        if queue.fifo_queue and self._held and self._in_flight:
            return False  # a batch was too large, and the rest of it comes after it
        if not target.takes_batches():
            self._wake_in(_LOOK_AGAIN)
            return False
        return True

    def _fill(self, queue: Queue, target: Target) -> None:
        """Receive what there is, as far as it belongs into the next batch."""
        size, patterns = self.mapping.batch_size, self.mapping.patterns
        while len(self._held) < size:
            visibility: int = queue.visibility_timeout  # type: ignore[attr-defined]  # moto sets it with setattr
            received = queue.receive(size - len(self._held), 0, visibility)
            if not received:
                return
            now = clock.monotonic()
            if not self._held:
                self._since = now
            for message in received:
                record = records.of_message(message, queue.queue_arn, queue.region)
                if patterns and not filters.message_matches(patterns, record):
                    _delete(queue, message)
                elif target.goes_round(trace.header_of(message)):
                    self._stop_recursion(target)
                else:
                    self._hold(message, records.text_of(record), now + visibility)

    def _hold(self, message: Message, text: str, until: float) -> None:
        held = _Held(str(message.receipt_handle), text, len(text.encode()), until, trace.header_of(message))
        former = self._held.pop(message.id, None)  # it may have come back during a long window
        self._size += held.size - (former.size if former is not None else 0)
        self._held[message.id] = held

    def _stop_recursion(self, target: Target) -> None:
        """Leave a message in flight whose chain has come round too often: Lambda refuses it as it does a failed batch.

        "This increments the receiveCount value on the message": .../dg/invocation-recursion.html
        """
        metrics.record("AWS/Lambda", {"FunctionName": target.function_name}, {"RecursiveInvocationsDropped": 1})
        self._note(CALL_FAILED)

    def _complete(self) -> bool:
        """Return whether what is held is to be handed over now."""
        held = self._held
        if not held:
            return False
        late = clock.monotonic() >= self._since + self.mapping.window
        return late or len(held) >= self.mapping.batch_size or self._size > records.MAX_PAYLOAD

    def _next_batch(self) -> _Batch:
        count = min(self.mapping.batch_size, records.fitting(held.size for held in self._held.values()))
        batch = _Batch({name: self._held.pop(name) for name in list(self._held)[:count]})
        self._size -= sum(held.size for held in batch.messages.values())
        return batch

    def _hand_over(self, target: Target, batch: _Batch) -> bool:
        """Invoke the function with a batch, or have it wait; returns whether it was invoked."""
        payload = records.event(held.text for held in batch.messages.values())
        trace_id = max((held.trace_id for held in batch.messages.values()), key=hops_in)
        if self._begin(target, payload, partial(self._done, batch), trace_id):
            self._in_flight += 1
            return True
        batch.refused += 1
        self._waiting.append(batch)
        self._wake_in(pause(batch.refused))
        return False

    def _try_again(self, target: Target) -> None:
        """Hand over what there was no room for, unless its messages are back in the queue."""
        for _ in range(len(self._waiting)):
            batch = self._waiting.popleft()
            if clock.monotonic() < batch.until and not self._hand_over(target, batch):
                self._waiting.rotate(1)  # it is the first again
                return

    def _done(self, batch: _Batch, outcome: Outcome) -> None:
        self._in_flight -= 1
        failed: set[str] | None = None
        if outcome.error_type is None:
            failed = answers.failed_items(outcome.payload, batch.messages) if self.mapping.reports_failures else set()
        queue = sources.queue(self.mapping.source_arn)
        if queue is not None and failed is not None:
            for name, held in batch.messages.items():
                if name not in failed:
                    with contextlib.suppress(ReceiptHandleIsInvalid):  # of another queue, which had this name
                        queue.delete_message(held.handle)
        self._note(CALL_FAILED if failed is None else OK)
        self._turn()


def _delete(queue: Queue, message: Message) -> None:
    queue.delete_message(str(message.receipt_handle))
