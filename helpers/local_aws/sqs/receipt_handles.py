"""Make and read receipt handles of SQS: who has received a message shows one to delete it.

A handle names its queue and its message, so no list of all handles ever given is needed: one of a message
that has been deleted is valid still, as on AWS.
"""

from __future__ import annotations

import base64
import os
import uuid

_RANDOM_BYTES = 16
_QUEUE_BYTES = 16


class HandleMaker:
    """Makes and reads the handles of one queue."""

    def __init__(self) -> None:
        self._queue = os.urandom(_QUEUE_BYTES)

    def make(self, message_id: str) -> str:
        """Return a new handle of the message with this id (a UUID)."""
        return base64.b64encode(self._queue + uuid.UUID(message_id).bytes + os.urandom(_RANDOM_BYTES)).decode()

    def message_id(self, handle: str) -> str | None:
        """Return the id of the message that the handle is of; None when it is no handle of this queue."""
        try:
            content = base64.b64decode(handle, validate=True)
        except ValueError:
            return None
        if len(content) != _QUEUE_BYTES + 16 + _RANDOM_BYTES or content[:_QUEUE_BYTES] != self._queue:
            return None
        return str(uuid.UUID(bytes=content[_QUEUE_BYTES : _QUEUE_BYTES + 16]))
