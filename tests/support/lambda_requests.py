"""What the tests of the embedded Lambda share: requests, refusals, and recorded answers made comparable."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.support.embedded_aws import Aws, zip_of

ACCOUNT = "123456789012"
ECHO = "def handler(event, context):\n    return event\n"
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/sample-rule"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

#: The parts of a function's description that differ from function to function.
_VARYING = (
    *("CodeSha256", "CodeSize", "LastModified", "RevisionId"),
    *("FunctionName", "LoggingConfig", "Location"),
)


def create_function(aws: Aws, role: str, **changes: object) -> dict:
    """CreateFunction, valid except for the changes; a value of None leaves a parameter out."""
    request = {
        "FunctionName": f"function-{uuid.uuid4().hex[:8]}",
        "Runtime": "python3.13",
        "Role": role,
        "Handler": "main.handler",
        "Code": {"ZipFile": zip_of({"main.py": ECHO})},
        **changes,
    }
    client = aws.client("lambda", parameter_validation=False)
    return client.create_function(**{key: value for key, value in request.items() if value is not None})


def refusal(call, **parameters: object) -> dict:
    """The error that a call must end in: boto3's response with Error, and the status in ResponseMetadata."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert 400 <= error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return error.value.response


def refused(call, **parameters: object) -> tuple[str, str]:
    """The code and the message that a call is refused with."""
    error = refusal(call, **parameters)["Error"]
    return error["Code"], error["Message"]


def constraint(name: str, value: object, rule: str) -> str:
    """The message about one parameter that breaks the API's rules."""
    return f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"


def lines_of(aws: Aws, name: str) -> list[str]:
    """A function's log, also when it has none yet."""
    try:
        return aws.log(name)
    except aws.client("logs").exceptions.ResourceNotFoundException:
        return []


def as_here(recorded: object, **placeholders: str) -> object:
    """Something recorded, with this account's values; `placeholders` by their names: function_name="f"."""
    text = json.dumps(recorded)
    for name, value in {"partition": "aws", "region": "us-east-1", **placeholders}.items():
        text = re.sub(f"<{name.replace('_', '[-_]')}(:1)?>", value, text)
    return json.loads(text.replace("111111111111", ACCOUNT))


def in_general(answer: dict) -> dict:
    """An answer without what differs from call to call, or from account to account."""
    kept = {key: value for key, value in answer.items() if key not in ("ResponseMetadata", "Payload")}
    general = json.loads(re.sub(r"arn:[^\"]*", "arn", json.dumps(kept, default=str)))
    for part in (general, general.get("Configuration", {}), general.get("Code", {})):
        part.update({key: "…" for key in _VARYING if key in part})
    return general
