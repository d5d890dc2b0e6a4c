"""Keep SQS's messages on disk: a row for each, with how often it was received and until when it is hidden."""

from __future__ import annotations

import pickle
from typing import Any

from ..account.arn import Arn
from ..storage import journal
from .messages import Message

KIND = "message"
#: The deduplication ids of FIFO queues.
SENT = "sent"


def put(queue_arn: str, message: Message, *, new: bool = False) -> None:
    if journal.store is not None:
        value = pickle.dumps(message.__dict__, 5)
        journal.put(KIND, queue_arn, message.id, value, new=new)


def delete(queue_arn: str, message: Message) -> None:
    journal.delete(KIND, queue_arn, message.id)


def put_sent(queue_arn: str, deduplication_id: str, at: tuple[float, float]) -> None:
    journal.put(SENT, queue_arn, deduplication_id, pickle.dumps(at, 5))


def forget_sent(queue_arn: str, deduplication_id: str) -> None:
    journal.delete(SENT, queue_arn, deduplication_id)


def delete_all(queue_arn: str) -> None:
    """Delete all rows of a queue that is emptied."""
    journal.delete_all(KIND, queue_arn)


def forget(queue_arn: str) -> None:
    """Delete all rows of a queue that is deleted."""
    delete_all(queue_arn)
    journal.delete_all(SENT, queue_arn)


def restore(backend_of: Any) -> None:
    """Put all messages into their queues. `backend_of`: region -> moto's backend."""
    assert journal.store is not None
    for arn, key, value in journal.store.rows(SENT):
        queue = _queue(backend_of, arn)
        if queue is not None:
            queue.remember_sent(str(key), pickle.loads(value))
    for arn, _, value in journal.store.rows(KIND):
        queue = _queue(backend_of, arn)
        if queue is not None:
            queue.put_back(Message.of_row(pickle.loads(value)))


def _queue(backend_of: Any, arn: str) -> Any:
    queue_arn = Arn.parse(arn)
    return backend_of(queue_arn.region).queues.get(queue_arn.resource)
