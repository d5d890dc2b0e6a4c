"""Define the types AWS::Lambda::Function, AWS::Lambda::Permission and AWS::Lambda::EventInvokeConfig."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from .errors import handler_failure
from .resource_type import Properties, ResourceType, Work, allowed, changed, pick
from .services import wait

#: Bytes of code that a template may hold:
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-lambda-function-code.html
LARGEST_INLINE = 4 * 1024 * 1024


class Function(ResourceType):
    name = "AWS::Lambda::Function"
    _settings = (
        "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "FileSystemConfigs", "Handler",
        "ImageConfig", "KmsKeyArn", "Layers", "LoggingConfig", "MemorySize", "Role", "Runtime", "SnapStart", "Timeout",
        "TracingConfig", "VpcConfig",
    )  # fmt: skip
    # What a setting is that the template no longer has.
    _defaults = {
        "DeadLetterConfig": {}, "Description": "", "Environment": {"Variables": {}}, "EphemeralStorage": {"Size": 512},
        "KmsKeyArn": "", "Layers": [], "MemorySize": 128, "Timeout": 3, "TracingConfig": {"Mode": "PassThrough"},
    }  # fmt: skip
    properties = allowed(
        ["Code", "Role"],
        [*(name for name in _settings if name != "Role"), "Architectures", "FunctionName", "PackageType",
         "ReservedConcurrentExecutions", "Tags"],
    )  # fmt: skip
    create_only = frozenset({"FunctionName", "PackageType"})
    named_by = "FunctionName"
    attributes = frozenset({"Arn"})
    takes_tags = True

    def make(self, work: Work, name: str, properties: Properties) -> str:
        work.call(
            "lambda",
            "CreateFunction",
            FunctionName=name,
            Code=_code(properties),
            Tags=work.tags(properties),
            **pick(properties, "Architectures", "PackageType", *self._settings),
        )
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        found = work.call_if_there("lambda", "GetFunction", FunctionName=name)
        return name if found and work.owns(found.get("Tags", {})) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        self._settle(work, physical_id)
        self._reserve(work, physical_id, {}, properties)
        return {"Arn": self._arn(work, physical_id)}

    def _arn(self, work: Work, name: str) -> str:
        return str(work.call("lambda", "GetFunctionConfiguration", FunctionName=name)["FunctionArn"])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        if changed(old, new, "Code", "Architectures"):
            code = {**_code(new), **pick(new, "Architectures")}
            work.call("lambda", "UpdateFunctionCode", FunctionName=physical_id, **code)
            self._settle(work, physical_id)
        if changed(old, new, *self._settings):
            settings = {name: new.get(name, self._defaults.get(name)) for name in self._settings}
            settings = {name: value for name, value in settings.items() if changed(old, new, name)}
            work.call("lambda", "UpdateFunctionConfiguration", FunctionName=physical_id, **settings)
            self._settle(work, physical_id)
        self._reserve(work, physical_id, old, new)
        arn = self._arn(work, physical_id)
        gone = work.tags_gone(old, new)
        if gone:
            work.call("lambda", "UntagResource", Resource=arn, TagKeys=gone)
        work.call("lambda", "TagResource", Resource=arn, Tags=work.tags(new))
        return {"Arn": arn}

    def _reserve(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "ReservedConcurrentExecutions"):
            reserved = new.get("ReservedConcurrentExecutions")
            operation = "DeleteFunctionConcurrency" if reserved is None else "PutFunctionConcurrency"
            work.call("lambda", operation, FunctionName=name, ReservedConcurrentExecutions=reserved)

    def _settle(self, work: Work, name: str) -> None:
        def settled() -> bool:
            state = work.call("lambda", "GetFunctionConfiguration", FunctionName=name)
            if "Failed" in (state.get("State"), state.get("LastUpdateStatus")):
                raise handler_failure(state.get("StateReason") or f"Function {name} failed", "NotStabilized")
            return state.get("State", "Active") == "Active" and state.get("LastUpdateStatus") != "InProgress"

        wait(settled, f"Function {name}")

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        work.call_if_there("lambda", "DeleteFunction", FunctionName=physical_id)


def _code(properties: Properties) -> dict[str, Any]:
    """Return the code as Lambda's API takes it. Inline text becomes a package of one file, index.py or index.js."""
    code = dict(properties["Code"])
    source = code.get("ZipFile")
    if source is None:
        return code
    if {"S3Bucket", "S3Key", "ImageUri"} & set(code):
        raise handler_failure(
            "Please do not provide other FunctionCode parameters when providing a ZipFile.", "InvalidRequest"
        )
    runtime = str(properties.get("Runtime", ""))
    if not runtime.startswith(("python", "nodejs")):
        raise handler_failure(
            "ZipFile can only be used when Runtime is set to either of nodejs or python.", "InvalidRequest"
        )
    if len(source.encode()) > LARGEST_INLINE:
        raise handler_failure("The code in ZipFile is larger than 4 MB; put it into a bucket.", "InvalidRequest")
    # Dated 1980 and made by "Unix": the same text gives the same package, and the same hash, on every machine.
    entry = zipfile.ZipInfo("index.py" if runtime.startswith("python") else "index.js")
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, source)
    return {"ZipFile": buffer.getvalue()}


class Permission(ResourceType):
    """A statement of a function's resource-based policy. It cannot be changed, only replaced."""

    name = "AWS::Lambda::Permission"
    _settings = (
        "Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "Principal",
        "PrincipalOrgID", "SourceAccount", "SourceArn",
    )  # fmt: skip
    properties = allowed(
        ["Action", "FunctionName", "Principal"],
        [name for name in _settings if name not in ("Action", "FunctionName", "Principal")],
    )
    create_only = frozenset(_settings)
    attributes = frozenset({"Id"})
    longest_name = 100

    def make(self, work: Work, name: str, properties: Properties) -> str:
        work.call("lambda", "AddPermission", StatementId=name, **properties)
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        policy = work.call_if_there("lambda", "GetPolicy", FunctionName=properties["FunctionName"])
        statements = json.loads(policy["Policy"])["Statement"] if policy else []
        return name if any(each.get("Sid") == name for each in statements) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return {"Id": physical_id}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        name = properties["FunctionName"]
        work.call_if_there("lambda", "RemovePermission", FunctionName=name, StatementId=physical_id)


class EventInvokeConfig(ResourceType):
    """How Lambda's own queue treats a function: retries, age, destinations."""

    name = "AWS::Lambda::EventInvokeConfig"
    properties = allowed(
        ["FunctionName", "Qualifier"], ["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"]
    )
    create_only = frozenset({"FunctionName", "Qualifier"})

    unmarked = True

    def planned_name(self, work: Work, properties: Properties) -> str:
        return f"{properties['FunctionName']}|{properties['Qualifier']}"

    def make(self, work: Work, name: str, properties: Properties) -> str:
        self.update(work, name, {}, properties)
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        target = pick(properties, "FunctionName", "Qualifier")
        return name if work.call_if_there("lambda", "GetFunctionEventInvokeConfig", **target) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return {}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        work.call("lambda", "PutFunctionEventInvokeConfig", **new)  # puts all of it, not only what has changed
        return {}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        target = pick(properties, "FunctionName", "Qualifier")
        work.call_if_there("lambda", "DeleteFunctionEventInvokeConfig", **target)
