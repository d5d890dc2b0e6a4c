"""Call the account's other services as whoever asked for the stack.

A template's values are looser than an API's: "10" is a number where one is wanted, "true" is true. CloudFormation
accepts both, so the values are turned into what the operation's model says before they are sent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import Shape

from ..account.credentials import Credentials
from ..engine import clock, executor
from .errors import from_service, handler_failure, is_missing

#: Seconds that a resource may take until it is as it was asked to be.
WAIT_TIMEOUT_S = 120
# Never through a proxy (the endpoint is on this machine), and one try: a failure is to be seen.
_CONFIG = Config(
    retries={"total_max_attempts": 1},
    proxies={},
    parameter_validation=True,
    user_agent_extra="cloudformation.amazonaws.com",
)
_making = executor.Lock()


@lru_cache(maxsize=64)
def _client(endpoint_url: str, credentials: Credentials, region: str, service: str) -> Any:
    session = boto3.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        region_name=region,
    )
    return session.client(service, endpoint_url=endpoint_url, config=_CONFIG)


class Services:
    """Calls the account's services with somebody's credentials."""

    def __init__(self, endpoint_url: str, credentials: Credentials, region: str) -> None:
        self._endpoint_url, self._credentials, self.region = endpoint_url, credentials, region

    @property
    def access_key_id(self) -> str:
        """Whose credentials these are."""
        return self._credentials.access_key_id

    def request(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call e.g. ("sqs", "CreateQueue", QueueName=…). What is None is left out. Raises boto3's errors."""
        with _making:  # boto3 makes one client at a time
            client = _client(self._endpoint_url, self._credentials, self.region, service)
        shape = client.meta.service_model.operation_model(operation).input_shape
        given = {name: value for name, value in parameters.items() if value is not None}
        return getattr(client, xform_name(operation))(**fit(given, shape))

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call a service for a resource, as `request` does. Raises ResourceFailure."""
        answer = self._call(service, operation, parameters, missing_is_fine=False)
        assert answer is not None
        return answer

    def call_if_there(self, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """Call a service for a resource; None where the service says that there is no such thing."""
        return self._call(service, operation, parameters, missing_is_fine=True)

    def _call(
        self, service: str, operation: str, parameters: dict[str, Any], missing_is_fine: bool
    ) -> dict[str, Any] | None:
        try:
            return self.request(service, operation, **parameters)
        except ClientError as error:
            if missing_is_fine and is_missing(error.response["Error"].get("Code", "")):
                return None
            raise from_service(error, _SERVICE_IDS.get(service, service)) from error
        except ParamValidationError as error:
            raise handler_failure(str(error), "InvalidRequest") from error


_SERVICE_IDS = {
    "iam": "Iam", "lambda": "Lambda", "dynamodb": "DynamoDb", "events": "EventBridge", "sqs": "Sqs",
    "logs": "CloudWatchLogs",
}  # fmt: skip


def wait(condition: Callable[[], bool], what: str) -> None:
    """Ask until it is true; ResourceFailure when that takes too long."""
    deadline, pause = clock.monotonic() + WAIT_TIMEOUT_S, 0.02
    while not condition():
        if clock.monotonic() > deadline:
            raise handler_failure(f"{what} did not stabilize.", "NotStabilized")
        executor.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def fit(value: Any, shape: Shape | None) -> Any:
    """Return a template's value as the API's model wants it; what does not fit stays, for the model's own check."""
    if shape is None:
        return value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {name: fit(each, shape.members.get(name)) for name, each in value.items()}
    if kind == "map" and isinstance(value, dict):
        return {name: fit(each, shape.value) for name, each in value.items()}
    if kind == "list" and isinstance(value, list):
        return [fit(each, shape.member) for each in value]
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value) if value.strip().lstrip("-").isdigit() else value
    if kind == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    if kind == "string" and isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
