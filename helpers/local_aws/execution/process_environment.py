"""Run one execution environment: a worker process, and the Runtime API that it alone may call.

The worker runs `runtime.py` (or any client of the Lambda Runtime API) with the function's code, variables and
role credentials. A task here serves it: the worker asks for the next event, works, and posts the answer.
The same task watches the deadline, the memory and the output. Runtime API, version 2018-06-01:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import logging
import sys
import sysconfig

from ..engine import clock, executor
from ..engine.executor import Empty, Inbox
from ..http.http1 import Request
from . import environment
from . import invocation_log as log
from .environment import MAX_RESPONSE, RUNTIME, CodeIsGone, Pool, timed_out_message
from .invocation import FunctionSpec, Work, event_headers
from .reporter import Reporter
from .runtime_api import Disconnected, RuntimeApiServer, given_error_type
from .worker_process import MEMORY, TIMEOUT, WorkerProcess

logger = logging.getLogger("local_aws.process_environment")

#: Seconds between two looks at the worker while it works: output, memory, life.
TICK = 0.05

API = "/2018-06-01/runtime"
NOT_ALLOWED = b'{"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}'
#: Seconds that a worker has between its answer and its wish for the next event.
NEXT_TIMEOUT = 2.0
#: Ticks after which an invocation counts as slow: it waits for something, and others should not wait for it.
SLOW_AFTER_TICKS = 4


def runtime_command() -> tuple[str, ...]:
    """Python without this project, its variables and its packages; the runtime picks those that AWS has."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return (sys.executable, "-I", "-S", "-B", "-X", "utf8", str(RUNTIME), *sorted(folders))


class ProcessEnvironment:
    """A sandboxed worker and the task that serves it. Started at once; ends when its pool or its worker does."""

    def __init__(
        self,
        spec: FunctionSpec,
        pool: Pool,
        variables: dict[str, str],
        write_log: log.WriteLog,
        command: tuple[str, ...] | None = None,
    ) -> None:
        self.spec, self._pool = spec, pool
        self.initialised = False
        self.slow = False  # the current invocation has run for SLOW_AFTER_TICKS
        self.idle_since = clock.monotonic()
        self._report = Reporter(spec, write_log)
        self._variables = {**variables, "AWS_LAMBDA_LOG_STREAM_NAME": self._report.stream}
        self._command = command or runtime_command()
        self._process: WorkerProcess | None = None
        self._inbox: Inbox[Work | None] = Inbox()
        self.hand_over = self._inbox.put
        if spec.code is not None:
            spec.code.share()
        self._task = executor.start(self._run, f"{spec.name}-environment")

    @property
    def alive(self) -> bool:
        return self._task.running() and (self._process is None or self._process.usable())

    def kill(self) -> None:
        """Kill the worker now, whatever it is doing. The task notices and cleans up."""
        if self._process is not None:
            self._process.kill()

    def join(self, timeout: float) -> None:
        self._task.join(timeout)

    def _run(self) -> None:
        try:
            with RuntimeApiServer() as api, self._start(api.address) as process:
                self._process = process
                api.only_for(process.pid)
                self._serve(api, process)
        except CodeIsGone as error:
            self._report.work = self._pool.take_failed_start()
            self._report.fail("Sandbox.Failed", f"Error: {error}")
        except Exception:
            logger.exception("the execution environment of %s failed", self.spec.name)
            if not self.initialised and self._report.work is None:
                self._report.work = self._pool.take_failed_start()
        finally:
            self._report.close()
            if self.spec.code is not None:
                self.spec.code.release()
            self._pool.ended(self)

    def _start(self, address: str) -> WorkerProcess:
        variables = {**self._variables, "AWS_LAMBDA_RUNTIME_API": address}
        spec = self.spec
        return WorkerProcess(list(self._command), variables, spec.code_dir, spec.memory_mb, spec.storage_mb)

    def _serve(self, api: RuntimeApiServer, process: WorkerProcess) -> None:
        started = clock.monotonic()
        self._report.init_begins()
        if not self._await_first_next(api, process, started + environment.INIT_TIMEOUT):
            return
        self.initialised = True
        init_ms: float | None = (clock.monotonic() - started) * 1000
        while True:
            self.idle_since = clock.monotonic()
            self.slow = False
            process.deadline = None
            work = self._next_work()
            if work is None:
                return
            begun = clock.monotonic()
            if not process.begin(begun + self.spec.timeout_s):
                self._pool.take_back(work)
                return
            if not self._invoke(api, process, work, begun, init_ms):
                return
            init_ms = None

    def _next_work(self) -> Work | None:
        """Wait for work; None when it is time to end."""
        work = self._pool.next_work(self)
        if work is not None:
            return work
        try:
            return self._inbox.get(environment.IDLE_SECONDS)
        except Empty:
            return None if self._pool.leave(self) else self._inbox.get()

    def _await_first_next(self, api: RuntimeApiServer, process: WorkerProcess, deadline: float) -> bool:
        """Let the worker import the function; True when it asks for its first event."""
        process.deadline = deadline
        while True:
            request = _receive(api, process, deadline)
            if request is None:
                self._read_output(process)
                failure = process.failure(environment.init_timed_out_message())
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
        work = self._report.work = self._pool.take_failed_start()
        self._read_output(process)
        if work is not None:
            self._report.begins(work)
            payload = payload or log.error_payload(work.request_id, error_type, message)
            self._finish(process, clock.monotonic(), None, payload, error_type, environment_failed=True)
        return False

    def _invoke(
        self, api: RuntimeApiServer, process: WorkerProcess, work: Work, started: float, init_ms: float | None
    ) -> bool:
        """Hand the worker one event and wait for its answer; True when the worker lives on."""
        self._report.begins(work)
        deadline = started + self.spec.timeout_s
        delivered = api.reply(200, work.payload, event_headers(self.spec, work))
        if not delivered and process.ended_for != TIMEOUT:
            self._report.did_not_begin()
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
            self._finish(process, started, init_ms, payload, error_type)
            api.reply(202, b'{"status":"OK"}')
            return self._await_next(api, process)
        error_type, message = answer
        payload = log.error_payload(work.request_id, error_type, message)
        self._finish(process, started, init_ms, payload, error_type, environment_failed=True)
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
                if clock.monotonic() < deadline:
                    continue
            if api.refused_body:
                return "Function.ResponseSizeTooLarge", f"Error: {log.too_large_message(MAX_RESPONSE)}"
            ticks += 1
            self._read_output(process)
            failure = process.failure(timed_out_message(self.spec.timeout_s))
            if failure is not None:
                return failure
            if ticks == SLOW_AFTER_TICKS:
                self.slow = True
                self._pool.busy_for_long(self)

    def _await_next(self, api: RuntimeApiServer, process: WorkerProcess) -> bool:
        """After an answer the worker asks for the next event; a worker that does anything else is not to be trusted."""
        deadline = process.deadline = clock.monotonic() + NEXT_TIMEOUT
        while clock.monotonic() < deadline:
            try:
                request = api.receive(min(deadline, clock.monotonic() + TICK))
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
        started: float,
        init_ms: float | None,
        payload: bytes,
        error_type: str | None,
        environment_failed: bool = False,
    ) -> None:
        """Close the invocation's log and tell its caller. A failed environment is named in the REPORT line."""
        duration_ms = (clock.monotonic() - started) * 1000
        self._read_output(process, all_of_it=True)
        failure = error_type if environment_failed else None
        if process.ended_for == MEMORY:
            failure = "Runtime.OutOfMemory"  # so the report has it, while the caller reads Runtime.ExitError
        self._report.ends(duration_ms, init_ms, process.max_memory_mb(), payload, error_type, failure)

    def _read_output(self, process: WorkerProcess, all_of_it: bool = False) -> None:
        self._report.output(process.read_output(all_of_it), process.lost_output())


def _receive(api: RuntimeApiServer, process: WorkerProcess, deadline: float) -> Request | None:
    """Return the worker's next request, or None at the next tick. A worker that has hung up gets a moment to end."""
    try:
        return api.receive(min(deadline, clock.monotonic() + TICK))
    except Disconnected:
        process.wait(1.0)
        return None
