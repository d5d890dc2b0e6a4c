"""Keep a function's settings beside its configuration: asynchronous events, concurrency, loops."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import UnknownFunctionException

from ..account.arn import Arn, service_of
from ..execution.function_names import locate
from ..execution.lambda_errors import LambdaError, constraint_errors, invalid, not_found
from ..iam.access_control import role_may
from . import destinations
from .concurrency import ACCOUNT_LIMIT, UNRESERVED_MINIMUM
from .event_invoke_config import ACTIONS, EventInvokeConfig, check_constraints, make_config, no_config
from .lambda_function import Function

Request = Mapping[str, Any]

_TARGET = r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"


class AsyncSettings:
    """A part of the Lambda service in one region of one account."""

    account_id: str
    region_name: str
    lock: Any
    _lambdas: Any

    if TYPE_CHECKING:

        def get_function(self, function_name_or_arn: str, qualifier: str | None = None) -> Function: ...
        def _versions_of(self, name: str) -> list[Function]: ...

    # How asynchronous events are treated.

    def put_function_event_invoke_config(
        self, function_name: str, config: Request, qualifier: str | None = None, update: bool = False
    ) -> EventInvokeConfig:
        """Set the configuration of a function, version or alias; `update`: what is not given stays as it is."""
        check_constraints(config)
        name, qualifier = self._located(function_name, qualifier)
        with self.lock:
            latest = self._latest(name)
            if latest is None or not self._is_there(name, qualifier):
                raise LambdaError("ResourceNotFoundException", "The function doesn't exist.")
            arn = self._arn(name, qualifier)
            former = latest.invoke_configs.get(qualifier)
            if update and former is None:
                raise no_config(arn)

            def check_destination(destination: str) -> None:
                _check_destination(destination, latest.role)

            made = make_config(arn, config, check_destination, former if update else None)
            latest.invoke_configs[qualifier] = made
        self._reconsider(name)
        return made

    def event_invoke_config(self, function_name: str, qualifier: str | None) -> EventInvokeConfig:
        """Return the configuration of a version or alias. Raises LambdaError when there is none."""
        name, qualifier = self._located(function_name, qualifier)
        latest = self._latest(name)
        config = latest.invoke_configs.get(qualifier) if latest else None
        if config is None:
            raise no_config(self._arn(name, qualifier))
        return config

    def delete_function_event_invoke_config(self, function_name: str, qualifier: str | None = None) -> None:
        """Go back to the defaults. Raises LambdaError when there is no configuration."""
        with self.lock:
            self.event_invoke_config(function_name, qualifier)
            name, qualifier = self._located(function_name, qualifier)
            self._latest(name).invoke_configs.pop(qualifier, None)  # type: ignore[union-attr]  # it was found above

    def event_invoke_configs(self, function_name: str) -> list[EventInvokeConfig]:
        """Return all configurations of a function, by qualifier. Raises LambdaError without such a function."""
        name, _ = self._located(function_name, None)
        latest = self._latest(name)
        if latest is None:
            raise LambdaError("ResourceNotFoundException", "The function doesn't exist.")
        return [config for _, config in sorted(latest.invoke_configs.items())]

    # How many invocations may run at once.

    def put_function_concurrency(self, function_name: str, reserved: int | None) -> int:
        """Reserve concurrency for a function, which is its limit too; 0 stops it."""
        if reserved is None or reserved < 0:
            rule = (
                "Member must not be null" if reserved is None else "Member must have value greater than or equal to 0"
            )
            value = "null" if reserved is None else reserved
            raise constraint_errors([("reservedConcurrentExecutions", value, rule)])
        with self.lock:
            function = self._unqualified(function_name)
            others = self.reserved_concurrency() - (function.concurrency.reserved or 0)
            if ACCOUNT_LIMIT - others - reserved < UNRESERVED_MINIMUM:
                raise invalid(
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}]."
                )
            function.concurrency.reserved = reserved
        self._reconsider(function.function_name)
        return reserved

    def get_function_concurrency(self, function_name: str) -> int | None:
        return self._unqualified(function_name).concurrency.reserved

    def delete_function_concurrency(self, function_name: str) -> None:
        function = self._unqualified(function_name)
        function.concurrency.reserved = None
        self._reconsider(function.function_name)

    def reserved_concurrency(self) -> int:
        """Return what all functions have reserved together."""
        functions: list[Function] = list(self._lambdas.latest())
        return sum(function.concurrency.reserved or 0 for function in functions)

    # Loops.

    def recursion_config(self, function_name: str, setting: str | None = None) -> str:
        """Return whether loops are stopped, "Terminate" or "Allow"; with `setting`, change it first.

        Raises LambdaError for another word, and without such a function.
        """
        if setting is not None and setting not in ("Allow", "Terminate"):
            rule = "Member must satisfy enum value set: [Allow, Terminate]"
            raise constraint_errors([("recursiveLoop", setting, rule)])
        function = self._unqualified(function_name)
        if setting is not None:
            for version in self._versions_of(function.function_name):
                version.recursive_loop = setting
        return function.recursive_loop

    def _located(self, function_name: str, qualifier: str | None) -> tuple[str, str]:
        name, qualifier = locate(function_name, qualifier, self.account_id, self.region_name)
        return name, qualifier or "$LATEST"

    def _arn(self, name: str, qualifier: str) -> str:
        return f"arn:aws:lambda:{self.region_name}:{self.account_id}:function:{name}:{qualifier}"

    def _latest(self, name: str) -> Function | None:
        group = self._lambdas._functions.get(name)
        return group["latest"] if group else None

    def _is_there(self, name: str, qualifier: str) -> bool:
        try:
            return self.get_function(name, qualifier) is not None
        except (LambdaError, UnknownFunctionException):
            return False

    def _unqualified(self, function_name: str) -> Function:
        name, qualifier = locate(function_name, None, self.account_id, self.region_name)
        if qualifier:
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                "operation. Please specify either a function name or an unqualified function ARN."
            )
        function = self._latest(name)
        if function is None:
            raise not_found(self._arn(name, "").rstrip(":"))
        return function

    def _reconsider(self, name: str) -> None:
        for version in self._versions_of(name):
            version.reconsider()


def _check_destination(destination: str, role_arn: str) -> None:
    if not destinations.exists(destination):
        raise invalid(f"The destination ARN {destination} is invalid.")
    action = ACTIONS[Arn.parse(destination).service]
    if not role_may(role_arn, action, destination):
        call = action.partition(":")[2].replace("InvokeFunction", "Invoke")
        raise invalid(f"The function's execution role does not have permissions to call {call} on {destination}")


def check_dead_letter_target(spec: Request, role_arn: str) -> None:
    """Check a function's own dead-letter queue or topic: the execution role must be allowed to send to it.

    Raises LambdaError.
    """
    target = (spec.get("DeadLetterConfig") or {}).get("TargetArn")
    if not target:
        return
    if not re.fullmatch(_TARGET, target):
        rule = f"Member must satisfy regular expression pattern: {_TARGET}"
        raise constraint_errors([("deadLetterConfig.targetArn", target, rule)])
    service = service_of(target) or ""
    call = {"sqs": "SendMessage on SQS", "sns": "Publish on SNS"}.get(service)
    if call is None:
        raise invalid(f"The dead letter target {target} is neither an SQS queue nor an SNS topic.")
    if not role_may(role_arn, ACTIONS[service], target):
        raise invalid(f"The provided execution role does not have permissions to call {call}")
