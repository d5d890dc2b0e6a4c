"""Read a function's answer of the type ReportBatchItemFailures.

What counts as a complete success and what as a complete failure:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#sqs-batchfailurereporting-conditions
and, for streams, .../dg/services-ddb-batchfailurereporting.html#streams-batchfailurereporting-conditions
"""

from __future__ import annotations

import json
from collections.abc import Container


def failed_items(payload: bytes, known: Container[str]) -> set[str] | None:
    """Return the identifiers that the function reports as failed, of those that it was given (`known`).

    Empty: all went well. None: the answer names something else, or is no such answer, so all of the batch has failed.
    """
    try:
        answer = json.loads(payload or b"null")
    except ValueError:
        return None
    if answer is None or answer == "":
        return set()
    if not isinstance(answer, dict):
        return None
    items = answer.get("batchItemFailures")
    if items is None:
        return set()
    if not isinstance(items, list):
        return None
    failed = set()
    for item in items:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str) or identifier not in known:
            return None
        failed.add(identifier)
    return failed
