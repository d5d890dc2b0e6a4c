"""Refuse what Lambda refuses when a function is created or changed, with AWS's codes and messages.

Rules that the API model states for single parameters come first and are reported together (the code is
ValidationException); then come the service's own. What AWS accepts but cannot run here is refused in one line
that says what to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from ..account.arn import Arn
from ..execution.function_names import locate
from ..execution.lambda_errors import LambdaError, constraint_errors, invalid
from ..execution.lambda_runtimes import cannot_here, check_runtime
from ..iam.authorization import role_trusts_service

ROLE_PATTERN = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
_VARIABLE_NAME = r"[a-zA-Z]([a-zA-Z0-9_])+"
_MAX_ENVIRONMENT = 4096  # bytes, as JSON

#: Names that a function's own variables must not have:
#: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
RESERVED_VARIABLES = frozenset(
    (
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API"),
        *("AWS_LAMBDA_METADATA_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    )
)

Spec = Mapping[str, Any]


def check_new_function(spec: Spec, account: str, region: str) -> str:
    """Check a CreateFunction request; returns the function's bare name. Raises LambdaError."""
    _check_parameters(spec)
    if spec.get("PackageType", "Zip") == "Image":
        raise cannot_here(
            "cannot run container images: leave PackageType out and pass a .zip archive, Code={'ZipFile': …}."
        )
    if not spec.get("Runtime") or not spec.get("Handler"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    if not spec.get("Code", {}).keys() & {"ZipFile", "S3Key"}:
        raise invalid("Please provide a source for function code.")
    _check_configuration(spec, account, region)
    name, qualifier = locate(spec["FunctionName"], None, account, region)
    if qualifier:
        raise invalid("Cannot provide qualifier")
    if len(name) > 64:
        rule = "Member must have length less than or equal to 64"
        raise invalid(constraint_errors([("functionName", name, rule)]).message)
    return name


def check_changes(changes: Spec, account: str, region: str) -> None:
    """Check an UpdateFunctionConfiguration request. Raises LambdaError."""
    _check_parameters(changes)
    _check_configuration(changes, account, region)


def check_revision(request: Spec, revision_id: str, call: str = "GetFunction/GetAlias") -> None:
    """Refuse a change that was meant for another revision than the present one. Raises LambdaError."""
    if request.get("RevisionId") and request["RevisionId"] != revision_id:
        raise LambdaError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. "
            f"Call the {call} API to retrieve the latest Revision Id",
        )


def _check_parameters(spec: Spec) -> None:
    failures = list(_constraint_failures(spec))
    if failures:
        raise constraint_errors(failures)
    variables = (spec.get("Environment") or {}).get("Variables") or {}
    if not all(re.fullmatch(_VARIABLE_NAME, name) for name in variables):
        # AWS keeps the values, which may be secret, out of this message.
        raise LambdaError(
            "ValidationException",
            "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map "
            "keys must satisfy constraint: "
            f"[Member must satisfy regular expression pattern: {_VARIABLE_NAME}]",
        )


def _constraint_failures(spec: Spec) -> Iterator[tuple[str, object, str]]:
    """(parameter, value, rule that it breaks). Sizes in characters, seconds and megabytes, as in
    https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html."""
    yield from _out_of_range(spec, "Timeout", 1, 900)
    yield from _out_of_range(spec, "MemorySize", 128, 10240)
    yield from _too_long(spec, "Handler", 128)
    yield from _too_long(spec, "Description", 256)
    yield from _pattern_broken(spec, "Handler", r"[^\s]+")
    yield from _pattern_broken(spec, "Role", ROLE_PATTERN)
    size = (spec.get("EphemeralStorage") or {}).get("Size")
    for _, value, rule in _out_of_range({"Size": size}, "Size", 512, 10240):
        yield "ephemeralStorage.size", value, rule
    architectures = spec.get("Architectures")
    if architectures is not None and len(architectures) > 1:
        yield (
            _parameter("Architectures"),
            _list_text(architectures),
            "Member must have length less than or equal to 1",
        )
    elif architectures and architectures[0] not in ("x86_64", "arm64"):
        rule = (
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
            "Member must not be null]"
        )
        yield _parameter("Architectures"), _list_text(architectures), rule
    if spec.get("PackageType", "Zip") not in ("Zip", "Image"):
        yield "packageType", spec["PackageType"], "Member must satisfy enum value set: [Zip, Image]"


def _out_of_range(spec: Spec, name: str, low: int, high: int) -> Iterator[tuple[str, object, str]]:
    value = spec.get(name)
    if value is not None and value < low:
        yield _parameter(name), value, f"Member must have value greater than or equal to {low}"
    elif value is not None and value > high:
        yield _parameter(name), value, f"Member must have value less than or equal to {high}"


def _too_long(spec: Spec, name: str, length: int) -> Iterator[tuple[str, object, str]]:
    if len(spec.get(name) or "") > length:
        yield _parameter(name), spec[name], f"Member must have length less than or equal to {length}"


def _pattern_broken(spec: Spec, name: str, pattern: str) -> Iterator[tuple[str, object, str]]:
    if spec.get(name) and not re.fullmatch(pattern, spec[name]):
        yield _parameter(name), spec[name], f"Member must satisfy regular expression pattern: {pattern}"


def _parameter(name: str) -> str:
    return name[0].lower() + name[1:]


def _list_text(values: list[str]) -> str:
    return f"[{', '.join(values)}]"


def _check_configuration(spec: Spec, account: str, region: str) -> None:
    _check_environment((spec.get("Environment") or {}).get("Variables") or {})
    if spec.get("Layers"):
        raise cannot_here("has no layers: put what the layer holds into the function's .zip archive.")
    logging = spec.get("LoggingConfig") or {}
    if logging.get("LogFormat", "Text") != "Text":
        raise cannot_here("writes logs in the format Text only: leave LogFormat out of LoggingConfig.")
    if spec.get("Runtime"):
        check_runtime(spec["Runtime"])
    if spec.get("Role"):
        _check_role(spec["Role"], account, region, spec.get("FunctionName", ""))


def _check_environment(variables: Mapping[str, str]) -> None:
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    failed = "Lambda was unable to configure your environment variables because the environment variables"
    if len(text.encode()) > _MAX_ENVIRONMENT:
        raise invalid(f"{failed} you have provided exceeded the 4KB limit. String measured: {text}")
    reserved = [name for name in variables if name in RESERVED_VARIABLES]
    if reserved:
        raise invalid(
            f"{failed} you have provided contains reserved keys that are currently not supported for "
            f"modification. Reserved keys used in this request: {', '.join(reserved)}"
        )


def _check_role(role_arn: str, account: str, region: str, function_name: str) -> None:
    if Arn.parse(role_arn).account != account:
        raise LambdaError("AccessDeniedException", "Cross-account pass role is not allowed.")
    try:
        role = iam_backends[account][get_partition(region)].get_role_by_arn(role_arn)
        trust = json.loads(role.assume_role_policy_document)
    except (NotFoundException, ValueError):
        trust = {}
    context = {
        "aws:sourceaccount": account,
        "aws:sourcearn": f"arn:aws:lambda:{region}:{account}:function:{function_name}",
    }
    if not role_trusts_service(trust, "lambda.amazonaws.com", context):
        raise invalid("The role defined for the function cannot be assumed by Lambda.")
