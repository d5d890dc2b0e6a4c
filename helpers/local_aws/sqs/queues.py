"""Make moto's SQS queues quick however much is in them, and safe for threads to share.

moto looks through all messages of a queue for each send, receive and delete. Here a queue knows which message
is next, so each of them takes as long with three thousand messages as with three. Who waits for a message
(long polling) sleeps until one is there.

When a message comes back, and has been kept for long enough, is counted in the account's uptime (`messages`): on AWS
the queue is always up, and four days of retention are four days in which somebody can receive the message.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar

import moto.sqs.models as models
from moto.sqs.exceptions import InvalidParameterValue, QueueDoesNotExist, ReceiptHandleIsInvalid

from ..engine import clock, executor
from . import message_rows, queue_attributes
from .messages import MAX_VISIBILITY_S, Message
from .messages import uptime_ms as _now_ms
from .queue_order import Order
from .receipt_handles import HandleMaker

_DEDUPLICATION_S = models.DEDUPLICATION_TIME_IN_SECONDS


class Queue(models.Queue):
    """moto's queue with another store for its messages. `_changed` is held by who touches the store."""

    #: Attributes that a snapshot leaves out, and what makes them anew: rows keep ids, and who watches comes again.
    MADE_ANEW: ClassVar[dict[str, Callable[[], Any]]] = {
        "_watchers": tuple,
        "_sent": dict,
        "_changed": executor.Condition,
        "_changes": int,
    }
    _changes = 0  # so many until now, for who waits for another
    _watchers: tuple[Callable[[], object], ...] = ()

    def __init__(self, *args: Any, **attributes: Any) -> None:
        self._changed = executor.Condition()
        self._order = Order()
        self._handles = HandleMaker()
        self._sent: dict[str, tuple[float, float]] = {}  # deduplication ids, and when they came (see _is_duplicate)
        self._gone = False
        super().__init__(*args, **attributes)

    def _set_attributes(self, attributes: dict[str, Any], now: float | None = None) -> None:
        """Set what is given, all of it or nothing. moto's takes a policy that is not given away; AWS leaves it.

        Raises InvalidAttributeValue.
        """
        queue_attributes.check(attributes)
        policy = getattr(self, "_policy_json", None)
        super()._set_attributes(attributes, now)
        if policy is not None and "Policy" not in attributes:
            self._policy_json = policy

    # What is in it

    @property
    def approximate_number_of_messages(self) -> int:
        return self._counts()[0]

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        return self._counts()[1]

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        return self._counts()[2]

    def _counts(self) -> tuple[int, int, int]:
        with self._changed:
            self._order.wake(_now_ms())
            return self._order.counts()

    @property
    def messages(self) -> list[Message]:  # type: ignore[override]  # all are ours
        with self._changed:
            self._order.wake(_now_ms())
            return self._order.visible()

    def add_message(self, message: Message) -> None:  # type: ignore[override]  # all are ours
        with self._changed:
            if self.fifo_queue and self._is_duplicate(message):
                return
        self.take_over(message)

    def take_over(self, message: Message) -> None:
        """Put a message in that another queue, or a sender, has given up: whatever its deduplication id says."""
        with self._changed:
            self._order.add(message, self._line(message), _now_ms())
            message_rows.put(self.queue_arn, message, new=True)
            self._tell()

    def _line(self, message: Message) -> str:
        return message.group_id if self.fifo_queue else message.id  # type: ignore[return-value]  # in a FIFO queue it has one

    def put_back(self, message: Message) -> None:
        """Put a message back where it was when an earlier server ended."""
        now = _now_ms()
        if message.approximate_receive_count and message.visible_at > now:
            self._order.add_in_flight(message, self._line(message), message.visible_at)
        else:
            self._order.add(message, self._line(message), now)

    def remember_sent(self, deduplication_id: str, at: tuple[float, float]) -> None:
        """Put a deduplication id back, too; at: when it came."""
        if isinstance(at, tuple):  # what earlier releases have kept is the calendar's, and over
            self._sent[deduplication_id] = at

    def _is_duplicate(self, message: Message) -> bool:
        """Tell whether a message with this one's deduplication id came in the last five minutes.

        They are over when either clock says so, the account's uptime or the calendar: a message that is taken for a
        duplicate is lost, and one that comes twice is not.
        """
        if not message.deduplication_id:
            return False
        while self._sent and _is_over(next(iter(self._sent.values()))):
            expired = next(iter(self._sent))
            del self._sent[expired]
            message_rows.forget_sent(self.queue_arn, expired)
        came = self._sent.get(message.deduplication_id)
        if came is not None and not _is_over(came):
            return True
        self._sent.pop(message.deduplication_id, None)  # those that came last stand last
        at = self._sent[message.deduplication_id] = clock.uptime(), clock.now()
        message_rows.put_sent(self.queue_arn, message.deduplication_id, at)
        return False

    # Receiving

    def receive(self, count: int, wait_s: float, visibility_s: int) -> list[Message]:
        """Return up to `count` messages, as copies; waits up to `wait_s` seconds for the first one.

        A message that was received too often goes to the dead-letter queue instead.
        """
        dead: list[Message] = []
        end = clock.monotonic() + wait_s
        with self._changed:
            while True:
                now = _now_ms()
                taken = self._take(count, visibility_s, now, dead)
                if taken:
                    self._tell(more=False)  # who waits learns when they may come back
                left_s = end - clock.monotonic()
                if taken or dead or left_s <= 0:
                    break
                self._wait_for_change(min(left_s, (self._order.next_change() - now) / 1000))
        for message in dead:
            self._move_to_dead_letter_queue(message)
        if dead and not taken and clock.monotonic() < end:
            return self.receive(count, end - clock.monotonic(), visibility_s)
        return taken

    def _wait_for_change(self, seconds: float) -> None:
        """Wait until another has changed the queue, at most so long. Raises QueueDoesNotExist."""
        before = self._changes
        self._changed.wait_for(lambda: self._changes != before, seconds)
        if self._gone:
            raise QueueDoesNotExist

    def _tell(self, more: bool = True) -> None:
        """Wake whoever waits: there is another message, or another time at which one comes back.

        more: whether there may be something to receive, or sooner than before; who watches hears of nothing else.
        """
        self._changes += 1
        self._changed.notify_all()
        for watcher in self._watchers if more else ():
            watcher()

    def watch(self, watcher: Callable[[], object]) -> None:
        """Have `watcher` called when there may be something to receive: it is quick, and leaves the queue alone."""
        with self._changed:
            if watcher not in self._watchers:
                self._watchers = (*self._watchers, watcher)

    def unwatch(self, watcher: Callable[[], object]) -> None:
        with self._changed:
            self._watchers = tuple(each for each in self._watchers if each != watcher)

    def next_change(self) -> float:
        """Return in how many seconds a message comes back or arrives by itself, at the earliest; inf without one."""
        with self._changed:
            return max(0.0, (self._order.next_change() - _now_ms()) / 1000)

    @property
    def gone(self) -> bool:
        """Whether the queue is deleted."""
        return self._gone

    def _take(self, count: int, visibility_s: int, now: float, dead: list[Message]) -> list[Message]:
        taken: list[Message] = []
        oldest = now - self.message_retention_period * 1000  # type: ignore[attr-defined]  # moto sets it with setattr
        limit = self.redrive_policy["maxReceiveCount"] if self.dead_letter_queue and self.redrive_policy else None
        self._order.wake(now)
        while len(taken) < count:
            batch = self._order.take(count - len(taken))
            if not batch:
                break
            for message in batch:
                if message.arrived <= oldest:
                    self._order.remove(message)
                    message_rows.delete(self.queue_arn, message)
                elif limit is not None and message.approximate_receive_count >= limit:
                    self._order.remove(message)
                    dead.append(message)
                else:
                    taken.append(self._receive(message, visibility_s, now))
        return taken

    def _receive(self, message: Message, visibility_s: int, now: float) -> Message:
        first = message.approximate_first_receive_timestamp
        message.approximate_first_receive_timestamp = first or int(clock.now() * 1000)
        message.received = now
        message.approximate_receive_count += 1
        message.receipt_handle = self._handles.make(message.id)
        self._order.hide(message, now + visibility_s * 1000)
        message_rows.put(self.queue_arn, message)
        return copy(message)

    def _move_to_dead_letter_queue(self, message: Message) -> None:
        """Move a message; in a FIFO queue it begins to age anew, in a standard queue it goes on.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        message.visible_at = message.delayed_until = 0
        if self.fifo_queue:
            message.mark_sent()
        self.dead_letter_queue.take_over(message)  # type: ignore[union-attr]  # the caller has looked; all are ours
        message_rows.delete(self.queue_arn, message)

    # By receipt handle

    def delete_message(self, receipt_handle: str) -> None:
        """Delete a message; one that is no longer there counts as deleted. Raises ReceiptHandleIsInvalid."""
        with self._changed:
            message = self._message(receipt_handle)
            if message is not None:
                self._order.remove(message)
                message_rows.delete(self.queue_arn, message)
                self._tell(more=self.fifo_queue)  # in a FIFO queue its group may go on

    def change_visibility(self, receipt_handle: str, visibility_s: int) -> None:
        """Change for how long, in seconds, a message in flight is hidden.

        Raises ReceiptHandleIsInvalid, and InvalidParameterValue when it is not in flight.
        """
        with self._changed:
            now = _now_ms()
            self._order.wake(now)
            message = self._message(receipt_handle)
            if message is None or not self._order.in_flight(message):
                raise InvalidParameterValue(
                    f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist "
                    "or is not available for visibility timeout change."
                )
            if now + visibility_s * 1000 - message.received > MAX_VISIBILITY_S * 1000:
                raise InvalidParameterValue(
                    f"Value {visibility_s} for parameter VisibilityTimeout is invalid. Reason: Total "
                    f"VisibilityTimeout for the message is beyond the limit [{MAX_VISIBILITY_S} seconds]"
                )
            self._order.hide(message, now + visibility_s * 1000)
            message_rows.put(self.queue_arn, message)
            self._order.wake(now)
            self._tell()  # who waits learns how long

    def _message(self, receipt_handle: str) -> Message | None:
        message_id = self._handles.message_id(receipt_handle)
        if message_id is None:
            raise ReceiptHandleIsInvalid
        return self._order.find(message_id)

    # Emptied and deleted

    def purge(self) -> None:
        with self._changed:
            self._order = Order()
            message_rows.delete_all(self.queue_arn)

    def end(self) -> None:
        """Wake whoever waits for a message: the queue is deleted."""
        with self._changed:
            self._gone = True
            message_rows.forget(self.queue_arn)
            self._tell()


def _is_over(came: tuple[float, float]) -> bool:
    """Tell whether a deduplication id that came then (uptime, time of day) may come again."""
    return clock.uptime() - came[0] > _DEDUPLICATION_S or abs(clock.now() - came[1]) > _DEDUPLICATION_S
