"""When the answer to a delete gets lost on its way, botocore sends the request again, and AWS says that there is no
such thing: because the first request has deleted it. That is success, and a cell shall see it as that.

(A create that is sent again meets "already exists" in the same way; the cells know that answer anyway, as they may be
run twice.)
"""

from typing import Any

_DELETES = ("Delete", "Remove", "Detach")
_NOT_FOUND = {
    "NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException", "ResourceNotFound", "NoSuchBucket",
    "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
}  # fmt: skip


def install(events: Any) -> None:
    """Make the clients that a session creates from now on see it so; `events` is boto3's Session.events."""
    events.unregister("after-call.*.*", unique_id="workbook lost answers")
    events.register("after-call.*.*", _deleted_before, unique_id="workbook lost answers")


def _deleted_before(http_response: Any, parsed: dict, model: Any, **_: Any) -> None:
    sent_again = parsed.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
    code = parsed.get("Error", {}).get("Code")
    if sent_again and code in _NOT_FOUND and model.name.startswith(_DELETES):
        del parsed["Error"]
        parsed["ResponseMetadata"]["HTTPStatusCode"] = http_response.status_code = 200
