"""Read a filter pattern of CloudWatch Logs, of whatever form, and say which log events it means."""

from __future__ import annotations

from functools import lru_cache

from .columns import Columns
from .errors import InvalidPattern
from .json_events import JsonEvents
from .terms import Terms

FilterPattern = JsonEvents | Columns | Terms

#: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
LONGEST = 1024


@lru_cache(maxsize=128)
def compiled(text: str) -> FilterPattern:
    """Return what a filter pattern means; the empty one means all log events. Raises InvalidPattern."""
    text = text.strip()
    if len(text) > LONGEST:
        raise InvalidPattern
    forms: dict[str, type[FilterPattern]] = {"{": JsonEvents, "[": Columns}
    return forms.get(text[:1], Terms)(text)
