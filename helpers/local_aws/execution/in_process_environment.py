"""Run one execution environment in this interpreter, where there are neither processes nor threads.

A function has its own modules, environment variables, current folder, temporary folder, output, root logger and boto3
session, as it would in a worker, and keeps them between its invocations; `runtime.py` runs it, as there. What it asks
of the account is answered on the same stack: whoever answers does so within `call_stack.outside`, which gives the
account its own interpreter back.

What it cannot do, because there is no process to do it to: the function's memory has no limit, and the REPORT line
names MEMORY_MB instead of what was used. A time limit ends `time.sleep`; what waits or computes otherwise goes on, and
is reported as timed out when it returns. Functions run one at a time: a second invocation begins when the first has
ended, or on top of it, when the first waits for its answer. Threads that a function leaves behind go on in its
caller's interpreter. A package that is installed here can be imported here, also one that AWS does not have; and what
such a package keeps for itself (loggers but for the root, random numbers, caches) is everybody's. A function that
kills its process, or ends it in native code, ends the caller too.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from ..engine import clock, executor
from . import call_stack, environment, interpreter_state
from . import invocation_log as log
from .environment import MAX_ERROR_TYPE, MAX_RESPONSE, RUNTIME, CodeIsGone, Pool, exit_error
from .interpreter_state import InterpreterState
from .invocation import FunctionSpec, Work, event_headers
from .reporter import Reporter
from .worker_output import WorkerOutput

logger = logging.getLogger("local_aws.in_process_environment")

#: What a REPORT line says that was used, in MB: nothing measures it. AWS's runtime takes about this much with boto3.
MEMORY_MB = 64

Failure = tuple[str, str]  # type and message of what went wrong with the environment


class InProcessEnvironment:
    """A function in this interpreter. It begins as a job of the loop, and ends when its pool or its function does."""

    slow = False  # nothing goes on beside it that could wait for it

    def __init__(self, spec: FunctionSpec, pool: Pool, variables: dict[str, str], write_log: log.WriteLog) -> None:
        """Begin soon. Raises RuntimeError where jobs have threads: all would have one interpreter's state."""
        if executor.in_use().threaded:
            raise RuntimeError("functions run in this interpreter only where the loop runs everything")
        self.spec, self._pool = spec, pool
        self.initialised = False
        self.idle_since = clock.monotonic()
        self._alive, self._ended, self._watched = True, False, False
        self._report = Reporter(spec, write_log)
        self._scratch = tempfile.TemporaryDirectory(prefix="environment-", ignore_cleanup_errors=True)
        self._output = WorkerOutput(Path(self._scratch.name) / "output")
        self._tops: interpreter_state.Tops = frozenset()
        self._state = self._first_state({**variables, "AWS_LAMBDA_LOG_STREAM_NAME": self._report.stream})
        self._runtime: Any = None
        self._handler: Any = None
        self._init_ms: float | None = None
        if spec.code is not None:
            spec.code.share()
        executor.soon(self._begin)

    def _first_state(self, variables: dict[str, str]) -> InterpreterState:
        temporary = Path(self._scratch.name) / "tmp"
        temporary.mkdir()
        stdout, stderr = (
            self._output.path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace", newline="")
            for _ in range(2)
        )
        return InterpreterState(
            modules={},
            variables={**variables, "TMPDIR": str(temporary), "TEMP": str(temporary)},
            path=interpreter_state.library_path(sys.path),
            finders=list(sys.meta_path),
            folder=str(self.spec.code_dir),
            stdout=stdout,
            stderr=stderr,
            handlers=[],
            level=logging.WARNING,
            session=None,
            temporary=None,
            keeps_bytecode=False,
            sleep=call_stack.sleep,
            end=call_stack.end,
        )

    @property
    def alive(self) -> bool:
        return self._alive

    def hand_over(self, work: Work | None) -> None:
        if work is None:
            self._end()
        else:
            executor.soon(lambda: self._serve(work))

    def kill(self) -> None:
        """Have it end as soon as its function lets go: nothing can stop that from here."""
        self._alive = False

    def join(self, timeout: float) -> None:
        """Return at once: what could be waited for is on the stack below."""

    def _begin(self) -> None:
        with self._ending_when_broken():
            if self._alive and self._initialise():
                self.initialised = True
            else:
                self._alive = False
            self._ask_for_work()

    def _serve(self, work: Work) -> None:
        with self._ending_when_broken():
            if self._alive:
                self._invoke(work)
            else:
                self._pool.take_back(work)
            self._ask_for_work()

    def _ask_for_work(self) -> None:
        if not self._alive:
            self._end()
            return
        self.idle_since = clock.monotonic()
        work = self._pool.next_work(self)
        if work is not None:  # a job of its own, so that others have their turn
            self.hand_over(work)
        elif self._alive:
            self._end_when_idle(environment.IDLE_SECONDS)

    def _end_when_idle(self, seconds: float) -> None:
        """Look in so many seconds whether it is time to go. One look is under way at most."""
        if not self._watched:
            self._watched = True
            executor.later(seconds, self._look)

    def _look(self) -> None:
        self._watched = False
        left = self.idle_since + environment.IDLE_SECONDS - clock.monotonic()
        if self._alive and left > 0:
            self._end_when_idle(left)
        elif self._alive and self._pool.leave(self):
            self._end()

    @contextlib.contextmanager
    def _ending_when_broken(self) -> Iterator[None]:
        """Nobody waits for ever, whatever goes wrong here, or if the caller is interrupted."""
        try:
            yield
        except BaseException as error:
            self._fail_start(error)
            self._end()
            if not isinstance(error, CodeIsGone):
                raise

    def _fail_start(self, error: BaseException) -> None:
        if not self.initialised and self._report.work is None:
            self._report.work = self._pool.take_failed_start()
        if isinstance(error, CodeIsGone):
            self._report.fail("Sandbox.Failed", f"Error: {error}")

    def _end(self) -> None:
        self._alive = False
        if self._ended:
            return
        self._ended = True
        self._report.close()
        self._output.close()
        for stream in (self._state.stdout, self._state.stderr):
            with contextlib.suppress(Exception):  # the function may have put anything there
                stream.close()
        self._scratch.cleanup()
        if self.spec.code is not None:
            self.spec.code.release()
        executor.soon(lambda: self._pool.ended(self))

    # The function.

    def _initialise(self) -> bool:
        """Import the function; True when it can work."""
        if not self.spec.code_dir.is_dir():
            raise CodeIsGone
        self._tops = frozenset(path.name.partition(".")[0] for path in self.spec.code_dir.iterdir())
        started, answer = clock.monotonic(), _Answer()
        self._report.init_begins()
        deadline = started + environment.INIT_TIMEOUT
        failure = self._call(deadline, lambda: self._import(answer), environment.init_timed_out_message())
        if failure is None and answer.error_type is None:
            self._read_output()
            self._init_ms = (clock.monotonic() - started) * 1000
            return True
        work = self._report.work = self._pool.take_failed_start()
        self._read_output(all_of_it=True)
        if work is not None:
            self._report.begins(work)
            self._finish(clock.monotonic(), answer, failure, environment_failed=True)
        return False

    def _import(self, answer: _Answer) -> None:
        spec = importlib.util.spec_from_file_location("lambda_runtime", RUNTIME)
        assert spec is not None
        assert spec.loader is not None
        runtime: Any = importlib.util.module_from_spec(spec)
        self._runtime = runtime
        spec.loader.exec_module(runtime)
        runtime.now, runtime.passed = clock.now, clock.monotonic
        runtime.set_up_logging()
        sys.path.insert(0, str(self.spec.code_dir))
        with contextlib.suppress(_Failed):
            self._handler = runtime.initialise(answer)

    def _invoke(self, work: Work) -> None:
        self._report.begins(work)
        started, answer = clock.monotonic(), _Answer()
        headers = {name.lower(): value for name, value in event_headers(self.spec, work).items()}
        failure = self._call(
            started + self.spec.timeout_s,
            lambda: self._runtime.handle(answer, self._handler, headers, work.payload),
            environment.timed_out_message(self.spec.timeout_s),
        )
        self._read_output(all_of_it=True)
        self._alive = self._alive and failure is None
        self._finish(started, answer, failure)

    def _finish(
        self, started: float, answer: _Answer, failure: Failure | None, environment_failed: bool = False
    ) -> None:
        """Report an invocation. A failed environment is named in the REPORT line."""
        assert self._report.work is not None
        payload, error_type = answer.payload, answer.error_type
        if failure is not None:
            error_type, environment_failed = failure[0], True
            payload = log.error_payload(self._report.work.request_id, *failure)
        elif len(payload) > MAX_RESPONSE:
            error_type, payload = "Function.ResponseSizeTooLarge", log.too_large_payload(MAX_RESPONSE)
        init_ms, self._init_ms = self._init_ms, None
        duration_ms = (clock.monotonic() - started) * 1000
        memory_mb = min(MEMORY_MB, self.spec.memory_mb)
        self._report.ends(
            duration_ms, init_ms, memory_mb, payload, error_type, error_type if environment_failed else None
        )

    def _call(self, deadline: float, job: Callable[[], object], timed_out: str) -> Failure | None:
        """Run code of the function; returns how it has ended, other than by returning or raising an Exception."""
        failure, too_late = None, ("Sandbox.Timedout", timed_out)
        with call_stack.inside(self._state, deadline, self._tops):
            try:
                job()
            except call_stack.TimeIsUp:
                failure = too_late
            except call_stack.Exited as error:
                failure = exit_error(error.status)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failure = exit_error(_status_of(error))
                self._runtime.flush()
        return too_late if clock.monotonic() >= deadline else failure

    def _read_output(self, all_of_it: bool = False) -> None:
        self._report.output(self._output.read(all_of_it), self._output.take_lost())


class _Failed(Exception):
    """The function could not be imported, and the runtime has said so."""


class _Answer:
    """Takes what the runtime tells: what the Runtime API is to a worker. error_type: None when all went well."""

    payload = b""
    error_type: str | None = None

    def respond(self, request_id: str, body: bytes) -> None:
        self.payload = body

    def fail(self, request_id: str, error: dict[str, Any]) -> None:
        self.payload, self.error_type = _as_posted(error, "Unhandled")

    def fail_init(self, error: dict[str, Any]) -> NoReturn:
        self.payload, self.error_type = _as_posted(error, "Runtime.Unknown")
        raise _Failed


def _as_posted(error: dict[str, Any], default: str) -> tuple[bytes, str]:
    """Return an error report, and its type, as they arrive through the Runtime API."""
    body = json.dumps(error, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return body, (ascii(error["errorType"])[1:-1] or default)[:MAX_ERROR_TYPE]


def _status_of(error: BaseException) -> int:
    """Return the status with which Python ends for this error, and print what it prints then."""
    if not isinstance(error, SystemExit):
        traceback.print_exception(error)
        return 1
    if error.code is None or isinstance(error.code, int):
        return (error.code or 0) & 0xFF
    print(error.code, file=sys.stderr)
    return 1
