"""Say of a resource that AWS does not find which one was meant: a name misspelled, another region, not made yet."""

import difflib
import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from helpers.account import state as account_state
from helpers.account.state import Finding
from helpers.account.troubles import ABSENT
from helpers.lessons import diagnosis
from helpers.local_aws.account.credentials import REGION
from helpers.target.connection import LOCAL

#: What the account says of a region that does not exist, as AWS does of a wrong one.
_NO_SUCH_REGION = "should be scoped to a valid region"
CLOSE = 0.7  # of difflib: a typo or two in a name
_PARTS = {  # the lessons' own, by name
    account_state.ROLE: "role",
    account_state.TABLE: "table",
    account_state.FUNCTION: "function",
    account_state.RULE: "rule",
}


@dataclass(frozen=True)
class Named:
    """A kind of resource: its word, and the call that lists the account's, the list in its answer, the name in that."""

    word: str
    service: str
    operation: str
    items: str
    name: str = ""  # none: an item is the name, or an address that ends in it


_FUNCTION = Named("function", "lambda", "list_functions", "Functions", "FunctionName")
_TABLE = Named("table", "dynamodb", "list_tables", "TableNames")
_ROLE = Named("role", "iam", "list_roles", "Roles", "RoleName")
_RULE = Named("rule", "events", "list_rules", "Rules", "Name")
_BUS = Named("event bus", "events", "list_event_buses", "EventBuses", "Name")
_ARCHIVE = Named("archive", "events", "list_archives", "Archives", "ArchiveName")
_QUEUE = Named("queue", "sqs", "list_queues", "QueueUrls")
_LOG_GROUP = Named("log group", "logs", "describe_log_groups", "logGroups", "logGroupName")
#: By the parameter that names it. A rule's call names the bus, too: without that there is no rule, whatever its name.
_PARAMETERS = {
    "lambda": {"FunctionName": _FUNCTION},
    "dynamodb": {"TableName": _TABLE},
    "iam": {"RoleName": _ROLE},
    "sqs": {"QueueName": _QUEUE, "QueueUrl": _QUEUE},
    "logs": {"logGroupName": _LOG_GROUP},
    "events": {"EventBusName": _BUS, "Rule": _RULE, "ArchiveName": _ARCHIVE, "Name": _RULE},
}


def line(error: ClientError) -> str | None:
    """Return a line about what AWS did not find; None when the error is another, or nothing helpful is known."""
    code = error.response.get("Error", {}).get("Code", "")
    no_such_region = _NO_SUCH_REGION in error.response.get("Error", {}).get("Message", "")
    if code not in account_state.NOT_FOUND and not no_such_region:
        return None
    client, parameters = call(error)
    if client is None:
        return None
    service, region = client.meta.service_model.service_name, client.meta.region_name
    message = f"(AWS: {' '.join(str(error).split())})"
    home = _region()
    if home and region != home and service != "iam":
        elsewhere = f"This client asks in {region}, and the account of the lessons is in {home}"
        return f"{elsewhere}: leave the region out, and AWS_DEFAULT_REGION as the setup cell sets it. {message}"
    if no_such_region:
        return None
    said = _about(service, parameters, error)
    return f"{said} {message}" if said else None


def _region() -> str | None:
    """Return the region of the account: the embedded AWS's own, whatever a variable says by now."""
    if (os.environ.get("WORKBOOK_TARGET") or LOCAL) == LOCAL:
        return REGION
    return boto3.DEFAULT_SESSION.region_name if boto3.DEFAULT_SESSION else None


def _about(service: str, parameters: dict[str, Any], error: ClientError) -> str | None:
    bus = str(parameters.get("EventBusName") or account_state.BUS)
    for parameter, kind in _PARAMETERS.get(service, {}).items():
        if parameter == "Name" and "Rule" not in error.operation_name:
            if "EventBus" not in error.operation_name:
                continue  # the name of something else, such as a connection
            kind = _BUS
        name = _name(kind, str(parameters.get(parameter) or ""))
        there = _names(kind, bus) if name else None
        if there is None or name in there:
            continue
        place = f"on event bus {bus}" if kind is _RULE and bus != account_state.BUS else "in the account"
        close = difflib.get_close_matches(name, there, 1, CLOSE)
        if close:
            return f"There is no {kind.word} {name} {place}. Did you mean {close[0]}?"
        if name in _PARTS and place == "in the account":
            return diagnosis.line(Finding(ABSENT[_PARTS[name]]), diagnosis.lesson())
        return f"There is no {kind.word} {name} {place}."
    return None


def _name(kind: Named, given: str) -> str:
    """Return the name in what a call was given: a name, an address that ends in it, or a function's with a version."""
    if kind is _LOG_GROUP:
        return given
    if kind is _FUNCTION:  # name, name:alias, arn:…:function:name or arn:…:function:name:alias
        return given.rpartition(":function:")[2].partition(":")[0]
    return given.replace(":", "/").rpartition("/")[2]


def _names(kind: Named, bus: str) -> list[str] | None:
    """Return the names that the account has of a kind, rules of that bus; None when it cannot be asked."""
    of = {"EventBusName": bus} if kind is _RULE else {}
    try:
        items = getattr(boto3.client(kind.service), kind.operation)(**of).get(kind.items, [])
    except (BotoCoreError, ClientError):
        return None
    return [item[kind.name] if kind.name else item.rpartition("/")[2] for item in items]


def call(error: BaseException) -> tuple[Any, dict[str, Any]]:
    """Return the client whose call failed, and what it was given: botocore's own frame in the traceback has both."""
    traceback = error.__traceback__
    while traceback:
        frame = traceback.tb_frame
        if frame.f_code.co_name == "_make_api_call":
            return frame.f_locals.get("self"), dict(frame.f_locals.get("api_params") or {})
        traceback = traceback.tb_next
    return None, {}
