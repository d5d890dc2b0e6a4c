"""Run one execution environment: a worker process, and the Runtime API that it alone may call.

The worker runs `runtime.py` (or any client of the Lambda Runtime API) with the function's code, variables and
role credentials. A thread here serves it: the worker asks for the next event, works, and posts the answer.
The same thread watches the deadline, the memory and the output. Runtime API, version 2018-06-01:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from pathlib import Path
from typing import Protocol

from ..http.http1 import Request
from . import invocation_log as log
from .invocation import FunctionSpec, Outcome, Work
from .invocation_metrics import Meter
from .lambda_runtimes import runtime_version_arn
from .runtime_api import Disconnected, RuntimeApiServer, event_headers, given_error_type
from .worker_process import MEMORY, CodeIsGone, WorkerProcess

logger = logging.getLogger("local_aws.execution_environment")

#: Seconds that an environment may take to import the function. AWS allows 10 on machines that it knows; a laptop
#: with a virus scanner needs longer for the same import.
INIT_TIMEOUT = 30.0
#: Seconds between two looks at the worker while it works: output, memory, life.
TICK = 0.05
#: Bytes of a synchronous answer, as AWS counts them: 6 MB and a little.
MAX_RESPONSE = 6 * 1024 * 1024 + 100
RUNTIME = Path(__file__).with_name("runtime.py")

API = "/2018-06-01/runtime"
NOT_ALLOWED = b'{"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}'
#: Seconds that a worker has between its answer and its wish for the next event.
NEXT_TIMEOUT = 2.0
#: Ticks after which an invocation counts as slow: it waits for something, and others should not wait for it.
SLOW_AFTER_TICKS = 4


class Pool(Protocol):
    """What an environment asks of the function's runner."""

    def next_work(self, environment: ExecutionEnvironment) -> Work | None:
        """Block until there is work for this environment; None tells it to end."""

    def take_back(self, work: Work) -> None:
        """Work that was handed to an environment which then turned out to be dead."""

    def take_failed_start(self) -> Work | None:
        """Work that waits for an environment of which this one will never be; it fails with the start."""

    def busy_for_long(self, environment: ExecutionEnvironment) -> None:
        """Note that the current invocation has run for a while: others need not wait for it."""

    def ended(self, environment: ExecutionEnvironment) -> None:
        """Note that the environment is gone."""


class ExecutionEnvironment:
    """A sandboxed worker and the thread that serves it. Started at once; ends when its pool or its worker does."""

    def __init__(
        self,
        spec: FunctionSpec,
        pool: Pool,
        variables: dict[str, str],
        command: list[str],
        write_log: log.WriteLog,
    ) -> None:
        self.spec, self._pool = spec, pool
        self.initialised = False
        self.slow = False  # the current invocation has run for SLOW_AFTER_TICKS
        self.idle_since = time.monotonic()
        now = time.gmtime()
        stream = f"{time.strftime('%Y/%m/%d', now)}/[{spec.version}]{uuid.uuid4().hex}"
        self._log = log.InvocationLog(spec.log_group, stream, spec.memory_mb, write_log)
        self._meter = Meter(spec.name)
        self._variables = {**variables, "AWS_LAMBDA_LOG_STREAM_NAME": stream}
        self._command = command
        self._thread = threading.Thread(target=self._run, name=f"{spec.name}-environment", daemon=True)
        self._process: WorkerProcess | None = None
        self._work: Work | None = None  # what is being worked on
        if spec.code is not None:
            spec.code.share()
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and (self._process is None or self._process.running())

    def kill(self) -> None:
        """Kill the worker now, whatever it is doing. The thread notices and cleans up."""
        if self._process is not None:
            self._process.kill()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            with RuntimeApiServer() as api, self._start(api.address) as process:
                self._process = process
                api.only_for(process.pid)
                self._serve(api, process)
        except CodeIsGone as error:
            self._work = self._pool.take_failed_start()
            self._end_work("Sandbox.Failed", f"Error: {error}")
        except Exception:
            logger.exception("the execution environment of %s failed", self.spec.name)
            if not self.initialised and self._work is None:
                self._work = self._pool.take_failed_start()
        finally:
            self._meter.cancel()
            self._end_work("Sandbox.Failed", "Error: the sandbox failed")
            if self.spec.code is not None:
                self.spec.code.release()
            self._pool.ended(self)

    def _end_work(self, error_type: str, message: str) -> None:
        """Nobody waits for ever, whatever went wrong here."""
        work, self._work = self._work, None
        if work is not None:
            payload = log.error_payload(work.request_id, error_type, message)
            work.done(work, Outcome(work.request_id, payload, error_type, b""))

    def _start(self, address: str) -> WorkerProcess:
        variables = {**self._variables, "AWS_LAMBDA_RUNTIME_API": address}
        spec = self.spec
        return WorkerProcess(self._command, variables, spec.code_dir, spec.memory_mb, spec.storage_mb)

    def _serve(self, api: RuntimeApiServer, process: WorkerProcess) -> None:
        started = time.monotonic()
        self._log.init_start(self.spec.runtime, runtime_version_arn(self.spec.region, self.spec.runtime))
        if not self._await_first_next(api, process, started + INIT_TIMEOUT):
            return
        self.initialised = True
        init_ms: float | None = (time.monotonic() - started) * 1000
        while True:
            self.idle_since = time.monotonic()
            self.slow = False
            process.deadline = None
            work = self._pool.next_work(self)
            if work is None:
                return
            if not process.running():
                self._pool.take_back(work)
                return
            if not self._invoke(api, process, work, init_ms):
                return
            init_ms = None

    def _await_first_next(self, api: RuntimeApiServer, process: WorkerProcess, deadline: float) -> bool:
        """Let the worker import the function; True when it asks for its first event."""
        process.deadline = deadline
        while True:
            request = _receive(api, process, deadline)
            if request is None:
                self._read_output(process)
                failure = process.failure(f"Error: Init timed out after {INIT_TIMEOUT:.2f} seconds")
                if failure is not None:
                    return self._init_failed(process, *failure)
            elif (request.method, request.path) == ("GET", f"{API}/invocation/next"):
                self._read_output(process)
                return True
            elif (request.method, request.path) == ("POST", f"{API}/init/error"):
                api.reply(202, b'{"status":"OK"}')
                process.wait(2.0)
                return self._init_failed(process, given_error_type(request, "Runtime.Unknown"), "", request.body)
            else:
                api.reply(403, NOT_ALLOWED)

    def _init_failed(self, process: WorkerProcess, error_type: str, message: str, payload: bytes = b"") -> bool:
        """Fail one invocation that waits for a function that could not be started, for the same reason."""
        work = self._work = self._pool.take_failed_start()
        self._read_output(process)
        if work is not None:
            self._log.start(work.request_id, self.spec.version)
            self._meter.begin()
            payload = payload or log.error_payload(work.request_id, error_type, message)
            self._finish(process, work, time.monotonic(), None, payload, error_type, environment_failed=True)
        return False

    def _invoke(self, api: RuntimeApiServer, process: WorkerProcess, work: Work, init_ms: float | None) -> bool:
        """Hand the worker one event and wait for its answer; True when the worker lives on."""
        self._work = work
        self._meter.begin()
        self._log.start(work.request_id, self.spec.version)
        started = time.monotonic()
        deadline = process.deadline = started + self.spec.timeout_s
        delivered = api.reply(200, work.payload, event_headers(self.spec, work))
        if not delivered and process.ended_for is None:
            self._log.abandon()
            self._meter.cancel()
            self._work = None
            self._pool.take_back(work)
            return False
        answer = self._await_answer(api, process, work, deadline)
        if isinstance(answer, Request):
            error_type = None
            if answer.path.endswith("/error"):
                error_type = given_error_type(answer, "Unhandled")
            payload = answer.body
            if len(payload) > MAX_RESPONSE:
                error_type = "Function.ResponseSizeTooLarge"
                payload = log.too_large_payload(MAX_RESPONSE)
            self._finish(process, work, started, init_ms, payload, error_type)
            api.reply(202, b'{"status":"OK"}')
            return self._await_next(api, process)
        error_type, message = answer
        payload = log.error_payload(work.request_id, error_type, message)
        self._finish(process, work, started, init_ms, payload, error_type, environment_failed=True)
        return False

    def _await_answer(
        self, api: RuntimeApiServer, process: WorkerProcess, work: Work, deadline: float
    ) -> Request | tuple[str, str]:
        """Return the worker's answer, or the type and message of what went wrong with the worker."""
        answers = {f"{API}/invocation/{work.request_id}/{kind}" for kind in ("response", "error")}
        ticks = 0
        while True:
            request = _receive(api, process, deadline)
            if request is not None:
                if request.method == "POST" and request.path in answers:
                    return request
                api.reply(400, b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}')
                if time.monotonic() < deadline:
                    continue
            if api.refused_body:
                return "Function.ResponseSizeTooLarge", f"Error: {log.too_large_message(MAX_RESPONSE)}"
            ticks += 1
            self._read_output(process)
            failure = process.failure(f"Error: Task timed out after {self.spec.timeout_s:.2f} seconds")
            if failure is not None:
                return failure
            if ticks == SLOW_AFTER_TICKS:
                self.slow = True
                self._pool.busy_for_long(self)

    def _await_next(self, api: RuntimeApiServer, process: WorkerProcess) -> bool:
        """After an answer the worker asks for the next event; a worker that does anything else is not to be trusted."""
        deadline = process.deadline = time.monotonic() + NEXT_TIMEOUT
        while time.monotonic() < deadline:
            try:
                request = api.receive(min(deadline, time.monotonic() + TICK))
            except Disconnected:
                return False
            if request is None:
                if not process.running():
                    return False
            elif (request.method, request.path) == ("GET", f"{API}/invocation/next"):
                return True
            else:
                api.reply(403, NOT_ALLOWED)
        return False

    def _finish(
        self,
        process: WorkerProcess,
        work: Work,
        started: float,
        init_ms: float | None,
        payload: bytes,
        error_type: str | None,
        environment_failed: bool = False,
    ) -> None:
        """Close the invocation's log and tell its caller. A failed environment is named in the REPORT line."""
        duration_ms = (time.monotonic() - started) * 1000
        self._read_output(process, all_of_it=True)
        if error_type == "Sandbox.Timedout":
            self._log.timed_out(work.request_id, self.spec.timeout_s)
        failure = error_type if environment_failed else None
        if process.ended_for == MEMORY:
            failure = "Runtime.OutOfMemory"  # so the report has it, while the caller reads Runtime.ExitError
        tail = self._log.end(work.request_id, duration_ms, init_ms, process.max_memory_mb(), failure)
        self._meter.end(duration_ms, failed=error_type is not None)
        self._work = None
        work.done(work, Outcome(work.request_id, payload, error_type, tail))

    def _read_output(self, process: WorkerProcess, all_of_it: bool = False) -> None:
        self._log.output(process.read_output(all_of_it), process.lost_output())


def _receive(api: RuntimeApiServer, process: WorkerProcess, deadline: float) -> Request | None:
    """Return the worker's next request, or None at the next tick. A worker that has hung up gets a moment to end."""
    try:
        return api.receive(min(deadline, time.monotonic() + TICK))
    except Disconnected:
        process.wait(1.0)
        return None
