"""Model a version of a Lambda function: what moto keeps of it, its unpacked code, and the runner that runs it."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from moto.awslambda.models import LambdaFunction
from moto.s3.exceptions import MissingBucket, MissingKey
from moto.s3.models import s3_backends

from ..engine import clock
from ..execution.function_names import unqualified
from ..execution.invocation import Outcome, hops_in, new_id, root_of
from ..execution.lambda_errors import LambdaError, invalid
from ..execution.lambda_runtimes import runtime_version_arn
from . import async_queue, code_download
from .concurrency import Concurrency
from .event_invoke_config import EventInvokeConfig
from .function_code import FunctionCode, check, decoded
from .function_runner import FunctionRunner, FunctionSpec, Invocation, TooManyRequests
from .resource_policy import ResourcePolicy

#: What AWS answers to CreateFunction and to an update, which go on after the answer. Here they are done by
#: then, and whoever asks next hears so; but what works here must work there, so the answer is AWS's.
_CREATING = {
    "State": "Pending",
    "StateReason": "The function is being created.",
    "StateReasonCode": "Creating",
}
_UPDATING = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}


#: What a copy of a function, made in order to show it, does not share: workers, locks, the account's logs.
_NOT_COPIED = frozenset({"_runner", "logs_backend", "concurrency", "invoke_configs"})
#: How often an event may come to functions that hand it on to one another, before Lambda stops it. "Approximately
#: 16 times": https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
MAX_HOPS = 16


class Function(LambdaFunction):
    """A function's $LATEST, or a published version of it. Copies of it can be shown, but not run."""

    #: Attributes that a snapshot leaves out: None until `revive`.
    NOT_KEPT: ClassVar[tuple[str, ...]] = ("_runner",)

    handler: str
    run_time: str
    revision_id: str
    _runner: FunctionRunner | None = None

    def __init__(self, account_id: str, spec: dict[str, Any], region: str) -> None:
        super().__init__(account_id, spec, region, version="$LATEST")
        self._has_environment = "Environment" in spec
        self.logs_group_name = (spec.get("LoggingConfig") or {}).get("LogGroup") or self.logs_group_name
        #: Resource policies, by version or alias; "" is the function's own. Only $LATEST has them.
        self.policies: dict[str, ResourcePolicy] = {"": ResourcePolicy(self.function_arn)}
        #: What all versions share: the limit of what runs at once; how asynchronous events are treated, by version
        #: or alias; whether a loop is stopped ("Terminate") or not ("Allow").
        self.concurrency = Concurrency()
        self.invoke_configs: dict[str, EventInvokeConfig] = {}
        self.recursive_loop = "Terminate"
        self.dead_letter_arn = (spec.get("DeadLetterConfig") or {}).get("TargetArn") or ""
        self.last_version = 0
        self._touch()
        self._runner = FunctionRunner(self.runner_spec(), self.concurrency, self.invoke_configs)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k not in _NOT_COPIED}

    def runner_spec(self) -> FunctionSpec:
        return FunctionSpec(
            name=self.function_name,
            arn=self.unqualified_arn,
            version=str(self.version),
            handler=self.handler,
            runtime=self.run_time,
            role_arn=self.role,
            memory_mb=self.memory_size,
            storage_mb=self.ephemeral_storage,
            timeout_s=self.timeout,
            environment=tuple(self.environment_vars.items()),
            code_dir=self.function_code.path,
            code=self.function_code,
            account_id=self.account_id,
            region=self.region,
            log_group=self.logs_group_name,
            dead_letter_arn=self.dead_letter_arn,
        )

    @property
    def unqualified_arn(self) -> str:
        return unqualified(self.function_arn)

    # Running it.

    def run(
        self, payload: bytes, request_id: str, client_context: str | None = None, trace_id: str | None = None
    ) -> Invocation:
        """Invoke and wait for the answer; `trace_id` is the caller's. Raises LambdaError when it is not run."""
        if self._runner is None:
            raise LambdaError("ResourceNotFoundException", f"Function not found: {self.function_arn}")
        if self.goes_round(trace_id):
            raise LambdaError(
                "RecursiveInvocationException",
                f"Lambda has detected your function {self.function_name} being invoked in a recursive loop with other "
                "AWS resources and stopped your function's invocation.",
            )
        hops, root = hops_in(trace_id), root_of(trace_id)
        try:
            return self._runner.invoke(
                payload, request_id=request_id, client_context=client_context, hops=hops, root=root
            )
        except TooManyRequests as error:
            reason = "ReservedFunctionConcurrent" if error.reserved else "Concurrent"
            details = {"Reason": f"{reason}InvocationLimitExceeded"}
            raise LambdaError("TooManyRequestsException", "Rate Exceeded.", **details) from None

    def begin(self, payload: bytes, done: Callable[[Outcome], object], trace_id: str = "") -> None:
        """Run it with a batch of an event source, that `trace_id` says the way of; see FunctionRunner.begin."""
        if self._runner is None:
            raise LambdaError("ResourceNotFoundException", f"Function not found: {self.function_arn}")
        self._runner.begin(payload, done, hops=hops_in(trace_id), root=root_of(trace_id))

    def takes_batches(self) -> bool:
        return self._runner is not None and self._runner.takes_batches()

    def enqueue(self, payload: bytes, hops: int = 0, root: str = "", qualifier: str = "$LATEST") -> str:
        """Put an event on Lambda's asynchronous queue; returns the request id.

        Every asynchronous invocation, by the Invoke API or by another service, enters here. hops: through how
        many functions the event has come before, in the chain `root`; qualifier: the version or alias that was named.
        """
        request_id = new_id()
        if self._runner is not None:
            self._runner.invoke_async(payload, request_id=request_id, hops=hops, root=root, qualifier=qualifier)
        return request_id

    def enqueue_watched(self, payload: bytes, trace_id: str | None, qualifier: str) -> str:
        """Queue an event (see `enqueue`) that a function may have sent: an endless loop is stopped.

        Lambda watches what functions send to one another, and not what comes through EventBridge.
        """
        if self._runner is None or not self.goes_round(trace_id):
            return self.enqueue(payload, hops_in(trace_id), root_of(trace_id), qualifier)
        request_id = str(uuid.uuid4())
        self._runner.stop_recursion(payload, request_id=request_id, trace_id=trace_id or "", qualifier=qualifier)
        return request_id

    def goes_round(self, trace_id: str | None) -> bool:
        """Return whether what has this trace is in an endless loop, which is to be stopped."""
        return hops_in(trace_id) >= MAX_HOPS and self.recursive_loop == "Terminate"

    def reconsider(self) -> None:
        """Look again at what waits: the reserved concurrency or the treatment of asynchronous events has changed."""
        if self._runner is not None:
            self._runner.limit_changed()

    def invoke(self, body: str | bytes, request_headers: Any, response_headers: Any) -> str | bytes:
        """Invoke the function as moto's topics and log subscriptions do; they look at the headers."""
        payload = body.encode() if isinstance(body, str) else body
        try:
            invocation = self.run(payload or b"{}", str(uuid.uuid4()))
        except LambdaError as error:
            response_headers["x-amz-function-error"] = error.error_type
            return b""
        if invocation.function_error:
            response_headers["x-amz-function-error"] = invocation.function_error
        return invocation.payload

    def revive(self) -> None:
        """Make a version run again that was restored from what an earlier server has left."""
        self.function_code.share()
        self._runner = FunctionRunner(self.runner_spec(), self.concurrency, self.invoke_configs)

    def resume(self, kept: bytes) -> None:
        """Go on with an asynchronous event of an earlier server; see async_queue."""
        if self._runner is not None:
            self._runner.resume(kept)

    def close(self) -> None:
        """End the environments and remove the code: the version is deleted."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
        async_queue.delete_rows(self.unqualified_arn, str(self.version))
        self.function_code.release()

    # Describing it.

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Return the configuration as the API does; `on_create`: in the answer to CreateFunction."""
        configuration = super().get_configuration(on_create)
        described = {key: value for key, value in configuration.items() if value not in (None, [])}
        if self._has_environment:
            described["Environment"] = {"Variables": self.environment_vars}
        described |= {
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": self.logs_group_name},
            "RevisionId": str(uuid.uuid4()) if on_create else self.revision_id,
            "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_version_arn(self.region, self.run_time)},
        }
        if self.dead_letter_arn:
            described["DeadLetterConfig"] = {"TargetArn": self.dead_letter_arn}
        return {**described, **_CREATING} if on_create else described

    def get_code(self) -> dict[str, Any]:
        """Return what GetFunction does."""
        described = super().get_code()
        described["Code"]["Location"] = code_download.location(self.function_code)
        if self.concurrency.reserved is not None:
            described["Concurrency"] = {"ReservedConcurrentExecutions": self.concurrency.reserved}
        return described

    # Changing it.

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        changes = {key: value for key, value in config_updates.items() if value is not None and key != "Layers"}
        if "Environment" in changes:
            changes["Environment"] = {"Variables": changes["Environment"].get("Variables") or {}}
            self._has_environment = True
        super().update_configuration(changes)
        if "DeadLetterConfig" in changes:
            self.dead_letter_arn = changes["DeadLetterConfig"].get("TargetArn") or ""
        self.kms_key_arn = changes.get("KMSKeyArn", self.kms_key_arn)
        self.tracing_config = changes.get("TracingConfig", self.tracing_config)
        self.ephemeral_storage = (changes.get("EphemeralStorage") or {}).get("Size", self.ephemeral_storage)
        self.logs_group_name = (changes.get("LoggingConfig") or {}).get("LogGroup", self.logs_group_name)
        return self._changed()

    def update_function_code(self, updated_spec: dict[str, Any]) -> dict[str, Any]:
        if updated_spec.get("DryRun"):
            check(archive_of(updated_spec, self.account_id, self.partition))
            return self.get_configuration()
        former = self.function_code
        super().update_function_code(updated_spec)
        changed = self._changed()
        former.release()  # environments that still run it, or are about to, have shares of their own
        return changed

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        archive = archive_of(updated_spec, self.account_id, self.partition)
        self.function_code = FunctionCode(archive, self.function_name)
        self.code_size, self.code_sha_256 = self.function_code.size, self.function_code.sha256
        self.code_digest = self.code_sha_256
        # Whether there is a Code in what GetFunction answers, moto judges by this.
        self.code = {"S3Key": f"snapshots/{self.account_id}/{self.function_name}-{uuid.uuid4()}"}

    def new_version(self, description: str | None) -> Function:
        """Publish a version: the code and configuration as they are now, with environments of its own."""
        self.last_version += 1
        version = copy.copy(self)
        version.set_version(self.last_version)
        version.description = description or self.description
        version.function_code = self.function_code.share()
        version.policies = {}
        version.logs_backend = self.logs_backend
        version.concurrency, version.invoke_configs = self.concurrency, self.invoke_configs
        version._touch()  # noqa: SLF001  a copy of self
        version._runner = FunctionRunner(version.runner_spec(), self.concurrency, self.invoke_configs)  # noqa: SLF001  a copy of self
        self.code_or_config_updated = False
        return version

    def _changed(self) -> dict[str, Any]:
        self._touch()
        if self._runner is not None:
            self._runner.update(self.runner_spec())
        answer = {**self.get_configuration(), **_UPDATING, "RevisionId": self.revision_id}
        self.revision_id = str(uuid.uuid4())  # the end of an update is a revision of its own
        return answer

    def _touch(self) -> None:
        now = clock.utc()
        self.last_modified = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}+0000"
        self.revision_id = str(uuid.uuid4())


def archive_of(code: Mapping[str, Any], account_id: str, partition: str) -> bytes:
    """Return the .zip archive that a request names: in itself, or in a bucket. Raises LambdaError."""
    if code.get("ZipFile"):
        return decoded(code["ZipFile"])
    if "S3Bucket" not in code or "S3Key" not in code:
        raise invalid("Please provide a source for function code.")
    failed = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: The specified {} does not exist"
    try:
        key = s3_backends[account_id][partition].get_object(
            code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion")
        )
    except MissingBucket:
        raise invalid(failed.format("NoSuchBucket", "bucket")) from None
    except MissingKey:
        key = None
    if key is None:
        raise invalid(failed.format("NoSuchKey", "key"))
    return key.value
