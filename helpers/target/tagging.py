"""Put one tag on everything that the workbook makes, in the same request wherever the API can carry it.

The tag, and not a name, is what clean-up goes by. To helpers.target.name_prefix its value is a name like others, so
with the prefix team1- AWS has `team1-serverless-order-workbook`: people who share an account tell their things apart.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

KEY = "created-by"
VALUE = "serverless-order-workbook"
RETENTION_DAYS = 14  # of log groups; without one, AWS keeps every line for ever

Change = Callable[[dict[str, Any]], dict[str, Any]]


def _in_list(name: str = "Tags") -> Change:
    return lambda params: {**params, name: [*params.get(name, []), {"Key": KEY, "Value": VALUE}]}


def _in_map(name: str) -> Change:
    return lambda params: {**params, name: {**params.get(name, {}), KEY: VALUE}}


def _in_description(params: dict[str, Any]) -> dict[str, Any]:
    """Write the tag into the description: an archive can carry none."""
    return {"Description": f"{KEY}: {VALUE}", **params}


#: {service: {operation: how its request carries the tag}}
_REQUESTS: dict[str, dict[str, Change]] = {
    "iam": {"CreateRole": _in_list(), "CreatePolicy": _in_list()},
    "dynamodb": {"CreateTable": _in_list()},
    "lambda": {"CreateFunction": _in_map("Tags"), "CreateEventSourceMapping": _in_map("Tags")},
    "eventbridge": {"PutRule": _in_list(), "CreateEventBus": _in_list(), "CreateArchive": _in_description},
    "sqs": {"CreateQueue": _in_map("tags")},
    "sns": {"CreateTopic": _in_list()},
    "cloudwatch-logs": {"CreateLogGroup": _in_map("tags")},
    "cloudwatch": {"PutMetricAlarm": _in_list()},
    "cloudformation": {"CreateStack": _in_list(), "UpdateStack": _in_list(), "CreateChangeSet": _in_list()},
}


def install(session: Any) -> None:
    """Make the clients that a boto3 Session creates from now on put the tag on what they make."""

    def add_tag(params: dict[str, Any], model: Any, **_: Any) -> None:
        change = _REQUESTS.get(model.service_model.service_id.hyphenize(), {}).get(model.name)
        if change and not _has(params):
            params.update(change(params))  # botocore's copy, not the caller's dict

    def function_created(parsed: dict[str, Any], http_response: Any, **_: Any) -> None:
        if http_response.status_code < 300:
            _prepare_log(session.client("logs"), f"/aws/lambda/{parsed['FunctionName']}")

    def bucket_created(http_response: Any, context: dict[str, Any], **_: Any) -> None:
        if http_response.status_code < 300 and context.get("workbook_bucket"):
            tags = {"TagSet": [{"Key": KEY, "Value": VALUE}]}
            session.client("s3").put_bucket_tagging(Bucket=context["workbook_bucket"], Tagging=tags)

    def remember_bucket(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["workbook_bucket"] = params["Bucket"]

    _register(session.events, "provide-client-params.*.*", add_tag)
    _register(session.events, "after-call.lambda.CreateFunction", function_created)
    _register(session.events, "provide-client-params.s3.CreateBucket", remember_bucket)
    _register(session.events, "after-call.s3.CreateBucket", bucket_created)


def _has(params: dict[str, Any]) -> bool:
    """Return whether a learner has given the tag in the request already."""
    tags = params.get("Tags") or params.get("tags") or ()
    return KEY in tags if isinstance(tags, dict) else any(each.get("Key") == KEY for each in tags)


def _prepare_log(logs: Any, name: str) -> None:
    """Make a function's log group before its first invocation would, without tag and retention."""
    with suppress(ClientError):  # without the permission for it, Lambda makes the group in its own way
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)


def _register(events: Any, event: str, handler: Callable[..., Any]) -> None:
    key = f"workbook tag {event}"
    events.unregister(event, unique_id=key)
    events.register(event, handler, unique_id=key)
