"""Extend moto's AWS Lambda with functions that run.

moto keeps functions, versions, aliases and their configuration. What it does in Docker or not at all is here:
code is unpacked and run by a FunctionRunner, requests are validated as AWS validates them, and resource
policies decide which service may invoke what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from moto.awslambda import models as moto_lambda
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaBackend

from ..account.arn import Arn, MalformedArn
from ..engine import executor
from ..execution.function_names import locate, name_and_qualifier
from ..execution.lambda_errors import LambdaError, invalid, not_found
from ..iam.authorization import AccessRequest, Policy
from . import function_code, lambda_api
from .async_settings import AsyncSettings, check_dead_letter_target
from .lambda_api import MAX_EVENT
from .lambda_function import Function
from .lambda_validation import check_changes, check_new_function, check_revision
from .resource_policy import ResourcePolicy, check_permission_request


class InvocationRefused(Exception):
    """Lambda did not take an event that another service wanted to invoke a function with. `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def revive() -> None:
    """Make the functions that an earlier server has left run again, and remove what code it has left beside."""
    used = set()
    for _, _, backend in list(moto_lambda.lambda_backends.iter_backends()):
        if isinstance(backend, LambdaService):
            used |= backend.revive()
    function_code.remove_leftovers(used)


def close_all() -> None:
    """End all functions of this process and remove their code."""
    for _, _, backend in list(moto_lambda.lambda_backends.iter_backends()):
        if isinstance(backend, LambdaService):
            backend.close()


def invoke_as_service(
    function_arn: str,
    payload: bytes,
    *,
    service: str,
    source_arn: str,
    source_account: str,
    hops: int = 0,
    root: str = "",
) -> str:
    """Invoke a function asynchronously in the name of an AWS service, if the resource policy allows it.

    service: the principal, such as "events.amazonaws.com"; source_arn: what acts in it, such as a rule;
    hops, root: through how many functions the event has come before, and the chain that it belongs to.
    Returns the request id. Raises InvocationRefused; nothing is queued then.
    """
    function, policy, qualifier = _target(function_arn)
    context = {
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": source_account,
        "aws:principalservicename": service,
        "aws:principalisawsservice": "true",
    }
    request = AccessRequest("lambda:InvokeFunction", policy.arn if policy else "", ("Service", service), context)
    if policy is None or not policy.allows(request):
        raise InvocationRefused(
            "AccessDeniedException",
            f"User: {service} is not authorized to perform: lambda:InvokeFunction on resource: "
            f"{function_arn} because no resource-based policy allows the lambda:InvokeFunction action",
        )
    if len(payload) > MAX_EVENT:
        raise InvocationRefused("RequestEntityTooLargeException", lambda_api.event_too_large(len(payload)))
    return function.enqueue(payload, hops, root, qualifier)


def service_of(arn: Arn) -> LambdaService:
    """Return the Lambda that has the function with this ARN, or would have it."""
    return cast(LambdaService, moto_lambda.lambda_backends[arn.account][arn.region])


def _target(function_arn: str) -> tuple[Function, ResourcePolicy | None, str]:
    """Return the function that an ARN names, the resource policy of exactly what it names, and the qualifier."""
    try:
        arn = Arn.parse(function_arn)
        name, qualifier = name_and_qualifier(arn)
        backend = service_of(arn)
        function = backend.get_function(name, qualifier)
        latest = backend.get_function(name) if qualifier else function
    except (UnknownFunctionException, LambdaError, LookupError, MalformedArn):
        raise InvocationRefused("ResourceNotFoundException", f"Function not found: {function_arn}") from None
    qualifier = qualifier or "$LATEST"
    return function, latest.policies.get("" if qualifier == "$LATEST" else qualifier), qualifier


class LambdaService(AsyncSettings, LambdaBackend):  # type: ignore[misc]  # methods take other arguments than moto's
    """Lambda in one region of one account."""

    _url_module = lambda_api  # moto looks there for the addresses that it hands requests to

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = executor.Lock()  # requests come on many threads

    def revive(self) -> set[str]:
        """Make the functions run that were restored. Returns the names of the folders of their code."""
        used = set()
        for name in list(self._lambdas._functions):
            for function in self._versions_of(name):
                function.revive()
                used.add(function.function_code.path.name)
        return used

    def all_versions(self) -> list[Function]:
        """Return every version of every function."""
        return [version for name in list(self._lambdas._functions) for version in self._versions_of(name)]

    def close(self) -> None:
        for name in list(self._lambdas._functions):
            for function in self._versions_of(name):
                function.close()

    def reset(self) -> None:
        self.close()
        super().reset()

    # Functions.

    def get_function(self, function_name_or_arn: str, qualifier: str | None = None) -> Function:
        name, qualifier = locate(function_name_or_arn, qualifier, self.account_id, self.region_name)
        return super().get_function(name, qualifier)

    def invoked_function(self, function_name: str, qualifier: str | None) -> Function:
        """Return the function that an Invoke request means; without a qualifier it is $LATEST, in errors too."""
        name, qualifier = locate(function_name, qualifier, self.account_id, self.region_name)
        return super().get_function(name, qualifier or "$LATEST")

    def create_function(self, spec: dict[str, Any]) -> Function:
        name = check_new_function(spec, self.account_id, self.region_name)
        check_dead_letter_target(spec, spec["Role"])
        with self.lock:
            if name in self._lambdas._functions:
                raise LambdaError("ResourceConflictException", f"Function already exist: {name}")
            function = Function(self.account_id, {**spec, "FunctionName": name}, self.region_name)  # type: ignore[abstract]  # moto's part for CloudFormation is not used
            self._lambdas.put_function(function)
            return self.publish_version(name) if spec.get("Publish") else function

    def update_function_code(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            function = self.get_function(function_name)
            check_revision(body, function.revision_id)
            answer = function.update_function_code(body)
            if body.get("Publish") and not body.get("DryRun"):
                return self.publish_version(function.function_name).get_configuration()
            return answer

    def update_function_configuration(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            function = self.get_function(function_name)
            check_revision(body, function.revision_id)
            check_changes({**body, "FunctionName": function.function_name}, self.account_id, self.region_name)
            check_dead_letter_target(body, body.get("Role") or function.role)
            return function.update_configuration(body)

    def publish_version(self, function_name: str, description: str = "") -> Function:
        with self.lock:
            function = self.get_function(function_name)
            versions = self._lambdas._functions[function.function_name]["versions"]
            if versions and not function.code_or_config_updated:
                return versions[-1]  # nothing has changed since
            version = function.new_version(description)
            versions.append(version)
            self._lambdas._arns[version.function_arn] = version  # noqa: SLF001  moto publishes copies of its own
            return version

    def delete_function(self, function_name: str, qualifier: str | None = None) -> None:
        name, qualifier = locate(function_name, qualifier, self.account_id, self.region_name)
        if qualifier == "$LATEST":
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        with self.lock:
            latest = self.get_function(name)
            doomed = [self.get_function(name, qualifier)] if qualifier else self._versions_of(name)
            super().delete_function(name, qualifier)
            latest.policies.pop(qualifier or "", None)
            latest.invoke_configs.pop(qualifier or "", None)
        for function in doomed:
            function.close()

    def delete_alias(self, name: str, function_name: str) -> None:
        super().delete_alias(name, function_name)
        latest = self.get_function(function_name)
        latest.policies.pop(name, None)
        latest.invoke_configs.pop(name, None)

    def list_functions(self, func_version: str | None = None) -> Iterable[Function]:
        if func_version != "ALL":
            return self._lambdas.latest()
        versions: Any = [self.list_versions_by_function(name) for name in self._lambdas._functions]
        return [version for of_one in versions for version in of_one]

    def _versions_of(self, name: str) -> list[Function]:
        group = self._lambdas._functions[name]
        return [version for version in (group["latest"], *group["versions"]) if version is not None]

    # Permissions.

    def add_permission(self, function_name: str, qualifier: str | None, request: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]  # the request as it came, not as text
        check_permission_request(request, qualifier)
        name, qualifier = locate(function_name, qualifier, self.account_id, self.region_name)
        if qualifier == "$LATEST":
            raise invalid("We currently do not support adding policies for $LATEST.")
        with self.lock:
            latest, revision_id = self._with_policy(name, qualifier)
            policy = latest.policies.get(qualifier or "") or ResourcePolicy(_qualified(latest, qualifier))
            check_revision(request, policy.revision_id if policy else revision_id, "GetPolicy")
            statement = policy.add(request)
            latest.policies[qualifier or ""] = policy
            return statement

    def remove_permission(self, function_name: str, sid: str, revision: str = "", qualifier: str | None = None) -> None:
        name, qualifier = locate(function_name, qualifier, self.account_id, self.region_name)
        if name not in self._lambdas._functions:
            arn = moto_lambda.make_function_arn(self.region_name, self.account_id, name)
            raise LambdaError("ResourceNotFoundException", f"No policy found for: {arn}")
        with self.lock:
            latest, _ = self._with_policy(name, qualifier)
            policy = latest.policies.get(qualifier or "")
            if not policy:
                raise LambdaError("ResourceNotFoundException", "No policy is associated with the given resource.")
            check_revision({"RevisionId": revision}, policy.revision_id, "GetPolicy")
            policy.remove(sid)

    def resource_policy(self, function_name: str, qualifier: str | None) -> ResourcePolicy:
        """Return the policy of a function, version or alias. Raises LambdaError when it has none."""
        name, qualifier = locate(function_name, qualifier, self.account_id, self.region_name)
        policy = self._policy(name, qualifier or "")
        if not policy:
            raise LambdaError("ResourceNotFoundException", "The resource you requested does not exist.")
        return policy

    def evaluated_policy(self, name: str, qualifier: str | None) -> Policy | None:
        """Find the policy of a function, version or alias, ready to be asked; None when it has none."""
        policy = self._policy(name, "" if qualifier in (None, "$LATEST") else qualifier)
        return policy.evaluated if policy else None

    def _policy(self, name: str, qualifier: str) -> ResourcePolicy | None:
        latest = self._latest(name)
        return latest.policies.get(qualifier) if latest else None

    def _with_policy(self, name: str, qualifier: str | None) -> tuple[Function, str]:
        """Return the function, and the revision of what the qualifier names. Raises LambdaError when nothing is."""
        latest = self.get_function(name)
        if qualifier is None:
            return latest, latest.revision_id
        aliases = {alias.name: alias for alias in self.list_aliases(name)}
        if qualifier in aliases:
            return latest, aliases[qualifier].revision_id
        for version in self._lambdas._functions[name]["versions"]:
            if str(version.version) == qualifier:
                return latest, version.revision_id
        if re.fullmatch(r"\d+|.*\$.*", qualifier):
            raise not_found(_qualified(latest, qualifier))
        raise LambdaError("ResourceNotFoundException", f"Cannot find alias arn: {_qualified(latest, qualifier)}")


def _qualified(function: Function, qualifier: str | None) -> str:
    return f"{function.unqualified_arn}:{qualifier}" if qualifier else function.unqualified_arn
