"""Keep for each SQS message since when it has been in its queue, and until when it is delayed or hidden.

All of that is counted in the account's uptime: while nobody is there to receive a message, it neither comes back nor
grows too old, and a clock that is set right takes no message away. The times that ReceiveMessage tells
(`SentTimestamp`) are the calendar's.
"""

from __future__ import annotations

import moto.sqs.models as models

from ..engine import clock

#: The longest time for which a message can be hidden, and for which it can be delayed (seconds).
MAX_VISIBILITY_S, MAX_DELAY_S = 43_200, 900


def uptime_ms() -> float:
    """Return the account's uptime in milliseconds."""
    return clock.uptime() * 1000


class Message(models.Message):
    """moto's message. visible_at and delayed_until are in uptime_ms(), as are these two."""

    arrived = 0.0  # when it was sent
    received = 0.0  # when it was received the last time

    def mark_sent(self, delay_seconds: int | None = None) -> None:
        self.sent_timestamp = int(clock.now() * 1000)  # type: ignore[assignment]  # moto has None there at first
        self.arrived = uptime_ms()
        self.delayed_until = self.arrived + delay_seconds * 1000 if delay_seconds else 0.0

    @classmethod
    def of_row(cls, values: dict[str, object]) -> Message:
        """Make a message of what an earlier server has kept.

        The uptime of a server that was killed is known roughly: nothing waits longer than anything can. In the rows of
        earlier releases the times are the calendar's.
        """
        message: Message = object.__new__(cls)
        message.__dict__.update(values)
        now = uptime_ms()
        if "arrived" not in values:
            message.arrived, message.visible_at, message.delayed_until = now, 0.0, 0.0
        message.arrived = min(message.arrived, now)
        message.visible_at = min(message.visible_at, now + MAX_VISIBILITY_S * 1000)
        message.delayed_until = min(message.delayed_until, now + MAX_DELAY_S * 1000)
        return message
