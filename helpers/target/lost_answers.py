"""Treat a repeated request as done when its first answer got lost on the way.

Then botocore sends the request again, and AWS says that there is no such thing to delete, or that the thing to create
exists: because the first request has done it. That is success, and a cell should see it as that.

Most creates need nothing of this: the cells know the answer "already exists", as they may be run twice. What stands
here has a name that was never used before, so a cell expects no such thing.
"""

from collections.abc import Callable
from typing import Any

_DELETES = ("Delete", "Remove", "Detach")
_NOT_FOUND = {
    "NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException", "ResourceNotFound", "NoSuchBucket",
    "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
}  # fmt: skip
_EXISTS = {
    "ResourceConflictException", "ResourceAlreadyExistsException", "AlreadyExistsException",
    "ValidationError",  # CloudFormation's: the stack is being updated, or there is nothing left to update
}  # fmt: skip
#: {operation: how the answer that was lost is read again}
_READ_AGAIN: dict[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "AddPermission": lambda session, params: {},  # the statement that was sent is in force
    "StartReplay": lambda session, params: session.client("events").describe_replay(ReplayName=params["ReplayName"]),
    "CreateStack": lambda session, params: {"StackId": _stack(session, params["StackName"])["StackId"]},
    "UpdateStack": lambda session, params: {"StackId": _stack(session, params["StackName"])["StackId"]},
}


def _stack(session: Any, name: str) -> dict[str, Any]:
    stack: dict[str, Any] = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return stack


def install(session: Any) -> None:
    """Make the clients that a boto3 Session creates from now on accept the answer to a repeated request."""

    def remember(params: dict[str, Any], context: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in _READ_AGAIN:
            context["workbook_params"] = dict(params)

    def accept_repeated(
        http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        sent_again = parsed.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
        code = parsed.get("Error", {}).get("Code")
        if sent_again and code in _NOT_FOUND and model.name.startswith(_DELETES):
            _succeed(http_response, parsed, {})
        elif sent_again and code in _EXISTS and model.name in _READ_AGAIN:
            _succeed(http_response, parsed, _READ_AGAIN[model.name](session, context["workbook_params"]))

    # The parameters as the cell gives them: before helpers.target.name_prefix, which is registered later.
    for event, handler in (("provide-client-params.*.*", remember), ("after-call.*.*", accept_repeated)):
        key = f"workbook lost answers {event}"
        session.events.unregister(event, unique_id=key)
        session.events.register(event, handler, unique_id=key)


def _succeed(http_response: Any, parsed: dict[str, Any], answer: dict[str, Any]) -> None:
    del parsed["Error"]
    parsed.update({name: value for name, value in answer.items() if name != "ResponseMetadata"})
    parsed["ResponseMetadata"]["HTTPStatusCode"] = http_response.status_code = 200
