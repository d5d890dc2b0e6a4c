"""The embedded AWS with a stop-watch: it notes when an order passes each station of its way.

    python -m tests.support.timed_aws FOLDER

serves an account in the folder, like `difficult_aws`. FOLDER/marks.jsonl is there when it has ended: a line for each
mark, with the station and the time of `time.perf_counter_ns`, which all processes of one machine share. A mark costs a
microsecond each; the code that is measured is the product's own.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle, server
from helpers.local_aws.http import endpoint
from tests.support.embedded_aws import serve

#: The worker's own marks: the tutorial's handler, unchanged, between two looks at the clock. They travel in its answer.
TIMED_HANDLER = """
import time
import handler

sent = []
handler.DYNAMODB.meta.events.register("before-send.dynamodb.PutItem", lambda **_: sent.append(time.perf_counter_ns()))

def lambda_handler(event, context):
    began = time.perf_counter_ns()
    sent.clear()
    handler.lambda_handler(event, context)
    return {"handler begins": began, "put sent": sent[0], "handler ends": time.perf_counter_ns()}
"""


class Marks:
    """Notes moments, in memory, until the server ends."""

    def __init__(self, file: Path) -> None:
        self._file, self._marks = file, []

    def note(self, station: str, at: int | None = None) -> None:
        self._marks.append((station, at or time.perf_counter_ns()))

    def around(self, owner: Any, name: str, before: str | None, after: str | None) -> None:
        """Have `owner.name` noted when it is called, and when it has returned."""
        call = getattr(owner, name)

        @functools.wraps(call)
        def noted(*args: Any, **settings: Any) -> Any:
            if before:
                self.note(before)
            answer = call(*args, **settings)
            if after:
                self.note(after)
            return answer

        setattr(owner, name, noted)

    def write(self) -> None:
        self._file.write_text("".join(json.dumps(mark) + "\n" for mark in self._marks), encoding="utf-8")


def time_everything(marks: Marks) -> None:
    """Put a mark at each station; a request's own are named after its operation."""
    from helpers.local_aws.awslambda import function_runner
    from helpers.local_aws.events.event_bus import EventBusBackend
    from helpers.local_aws.execution.process_environment import ProcessEnvironment
    from helpers.local_aws.execution.runtime_api import RuntimeApiServer
    from helpers.local_aws.http import dispatch, signing
    from helpers.local_aws.iam import access_control

    operation = _of_each_request(marks)
    for owner, name, station in (
        (signing, "authenticate", "authenticated"),
        (access_control, "refuse", "authorised"),
        (dispatch, "dispatch", "done"),
    ):
        _after(marks, owner, name, lambda station=station: f"{operation()} {station}")
    marks.around(EventBusBackend, "_route_all", "bus: matching", None)
    marks.around(function_runner.FunctionRunner, "invoke_async", "Lambda: queued", None)
    marks.around(ProcessEnvironment, "_invoke", "environment: woken", None)
    marks.around(RuntimeApiServer, "reply", None, "Runtime API: answered")
    finish = ProcessEnvironment._finish

    def finished(self: Any, process: Any, started: float, init_ms: Any, payload: bytes, *rest: Any, **more):
        marks.note("environment: has the answer")
        stations = json.loads(payload)
        if "errorType" in stations:  # Lambda tries again; server.log says why it had to
            logging.getLogger("timed_aws").warning("an order's function failed: %s", payload.decode())
            stations = {"function failed": time.perf_counter_ns()}
        for station, at in stations.items():
            marks.note(station, at)
        finish(self, process, started, init_ms, payload, *rest, **more)
        marks.note("environment: finished")

    ProcessEnvironment._finish = finished  # type: ignore[method-assign]


def _of_each_request(marks: Marks) -> Callable[[], str]:
    """Note when requests to the endpoint are read and answered; returns what tells a thread's current operation."""
    current = threading.local()
    receive, send = endpoint.Connection.receive, endpoint.Connection.send

    def noted_receive(*args: Any) -> Any:
        request = receive(*args)
        if request is not None:
            target = request.headers.get("x-amz-target", request.path).rpartition(".")[2]
            signed_by_role = "x-amz-security-token" in request.headers
            current.operation = f"{target} by the function" if signed_by_role else target
            marks.note(f"{current.operation} read")
        return request

    def noted_send(*args: Any) -> None:
        send(*args)
        marks.note(f"{getattr(current, 'operation', '')} answered")

    endpoint.Connection.receive, endpoint.Connection.send = noted_receive, noted_send  # type: ignore[method-assign]
    return lambda: getattr(current, "operation", "")


def _after(marks: Marks, owner: Any, name: str, station: Callable[[], str]) -> None:
    call = getattr(owner, name)

    @functools.wraps(call)
    def noted(*args: Any, **settings: Any) -> Any:
        answer = call(*args, **settings)
        marks.note(station())
        return answer

    setattr(owner, name, noted)


@contextlib.contextmanager
def timed_aws(folder: Path) -> Iterator[lifecycle.Access]:
    """An account that notes its moments in `folder`/marks.jsonl; they are there when the context has ended."""
    process, account = serve("tests.support.timed_aws", folder)
    try:
        yield account
    finally:
        with contextlib.suppress(WorkbookError):
            lifecycle.stop()  # of the context's own home: orderly on every platform, so that the marks are written
        process.wait(30)


def main(folder: str) -> int:
    marks = Marks(Path(folder) / "marks.jsonl")
    build = server.Server._build

    def built(self: server.Server) -> None:
        build(self)  # sets what moto reads at its import
        time_everything(marks)

    server.Server._build = built  # type: ignore[method-assign]
    try:
        return server.main(folder, 0)
    finally:
        marks.write()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
