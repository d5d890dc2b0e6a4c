"""The embedded AWS made to behave like one that is slow, distant and failing.

    python -m tests.support.difficult_aws FOLDER FAULT[+FAULT …]

serves an account in the folder, which `lifecycle.start()` with LOCAL_AWS_HOME=FOLDER finds as it finds any other. What
struck how often stands in FOLDER/FAULT.json, so that a run in which nothing struck can be told from one that held out.
Everything is counted or seeded: the same requests meet the same faults.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote

from helpers.local_aws import lifecycle, server
from tests.support.embedded_aws import serve

Answer = tuple[int, dict[str, str], bytes]
_CHANGES = re.compile(
    r"(Create|Put|Delete|Add|Remove|Attach|Detach|Update|Set|Start|Tag|Enable|Disable|Publish|POST|PUT|DELETE)"
)
#: Data rather than resources: of these only every tenth loses its answer.
_DATA = {"PutEvents", "PutItem", "DeleteItem", "UpdateItem", "PutMetricData", "PutLogEvents", "Invoke", "InvokeAsync"}
#: Lesson 8 invokes a function that has no concurrency left, to read what Lambda says, and not what a fault says.
_EXEMPT = {"Invoke"}
_THROTTLED = {  # (status, code) by service; the others say ThrottlingException
    "lambda": (429, "TooManyRequestsException"),
    "iam": (400, "Throttling"),
    "sts": (400, "Throttling"),
    "cloudformation": (400, "Throttling"),
    "s3": (503, "SlowDown"),
    "sqs": (403, "RequestThrottled"),
}


class Lost(OSError):
    """The connection ends without an answer."""


class Faults:
    """What the faults have in common: they know each request's operation, and count how often they struck."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._requests: collections.Counter[tuple[str, str]] = collections.Counter()
        self.struck: collections.Counter[str] = collections.Counter()

    def strike(self, what: str) -> None:
        with self._lock:
            self.struck[what] += 1
            draft = self._file.with_suffix(".new")
            draft.write_text(json.dumps(self.struck))
            draft.replace(self._file)

    def number(self, service: str, operation: str) -> int:
        """How many calls of this operation there were, this one included."""
        with self._lock:
            self._requests[service, operation] += 1
            return self._requests[service, operation]


def operation_of(request: server.Request) -> tuple[str, str]:
    """Service and operation, whatever the protocol; for REST the method and the shape of the path."""
    scope = request.headers.get("authorization", "").split("/")
    service = scope[3] if len(scope) > 3 else ""
    target = request.headers.get("x-amz-target")
    if target:
        return service, target.rpartition(".")[2]
    rpc = re.search(r"/operation/(\w+)$", request.path)
    if rpc:
        return service, rpc[1]
    if service not in ("lambda", "s3"):
        action = parse_qs(request.body.decode("utf-8", "replace")).get("Action")
        if action:
            return service, action[0]
    if request.path.endswith("/invocations"):
        return service, "Invoke"
    return service, f"{request.method} {re.sub(r'[^/]*[-:][^/]*', '…', unquote(request.path))}"


def throttle(faults: Faults) -> None:
    """The first call of each operation, and then every tenth, is throttled."""

    def refuse(service: str, operation: str) -> Answer | None:
        if operation in _EXEMPT or faults.number(service, operation) % 10 != 1:
            return None
        faults.strike(f"{service} {operation}")
        status, code = _THROTTLED.get(service, (400, "ThrottlingException"))
        return _error(service, status, code, "Rate exceeded")

    _before(refuse)


def errors(faults: Faults) -> None:
    """The first call of each operation, and then every tenth, ends in an error of AWS's own."""

    def fail(service: str, operation: str) -> Answer | None:
        number = faults.number(service, operation)
        if operation in _EXEMPT or number % 10 != 1:
            return None
        faults.strike(f"{service} {operation}")
        status, code = ((500, "InternalFailure"), (503, "ServiceUnavailable"))[number // 10 % 2]
        return _error(service, status, code, "An internal error occurred.")

    _before(fail)


def dropped(faults: Faults) -> None:
    """Each change takes effect, and its answer never comes, the first time; of the requests for data, every tenth."""
    seen: set[bytes] = set()

    def lose(request: server.Request, service: str, operation: str, answer: Answer) -> Answer:
        if not _CHANGES.match(operation) and operation not in _DATA or answer[0] >= 300:
            return answer
        if operation in _DATA:
            strikes = faults.number(service, operation) % 10 == 1
        else:
            content = hashlib.sha256(f"{service} {operation} {request.target}".encode() + request.body).digest()
            strikes = content not in seen
            seen.add(content)
        if strikes:
            faults.strike(f"{service} {operation}")
            raise Lost
        return answer

    _after(lose)


def partial(faults: Faults) -> None:
    """One entry in ten of PutEvents fails, for a reason that passes."""
    from helpers.local_aws.events.event_bus import EventBusBackend

    check, lock, count = EventBusBackend._accept, threading.Lock(), 0

    def accept(self: EventBusBackend, entries: list[dict], throttle: bool) -> tuple[list, list[dict]]:
        nonlocal count
        chosen = set()
        for position in range(len(entries)):
            with lock:
                count += 1
                if count % 10 == 4:
                    chosen.add(position)
        accepted, answers = check(self, [entry for n, entry in enumerate(entries) if n not in chosen], throttle)
        for position in sorted(chosen):
            faults.strike("PutEvents entry")
            code = "ThrottlingException" if count % 20 < 10 else "InternalFailure"
            answers.insert(position, {"ErrorCode": code, "ErrorMessage": "Try again."})
        return accepted, answers

    EventBusBackend._accept = accept


def shuffled(faults: Faults) -> None:
    """Every third delivery comes twice, and all come in another order than they were sent."""
    import random

    from helpers.local_aws.events.event_bus import EventBusBackend

    deliver, chance, lock, count = EventBusBackend._deliver, random.Random(5), threading.Lock(), 0

    def later(self: EventBusBackend, rule: object, event: object) -> None:
        nonlocal count
        if rule.managed_by:  # an archive keeps what the bus has taken, once
            deliver(self, rule, event)
            return
        with lock:
            count += 1
            pauses = [chance.uniform(0, 0.4) for _ in range(2 if count % 3 == 0 else 1)]
        for pause in pauses:
            threading.Timer(pause, deliver, (self, rule, event)).start()
        faults.strike("delivered twice" if len(pauses) > 1 else "delivered late")

    EventBusBackend._deliver = later


def iam(faults: Faults) -> None:
    """What IAM is told bites 10 seconds later: a role can be assumed, a policy allows or no longer allows."""
    from tests.support.difficult_iam import install

    install(faults, 10.0)


def slow(faults: Faults) -> None:
    """Tables, functions and rules take 5 seconds to be what they were told to be; log lines come 2 seconds late."""
    from tests.support.difficult_states import install

    install(faults, 5.0, 2.0)


FAULTS: dict[str, Callable[[Faults], None]] = {
    each.__name__: each for each in (throttle, errors, dropped, partial, shuffled, iam, slow)
}


def _spared(request: server.Request) -> bool:
    """The tests' own calls, and those of CloudFormation, which on AWS tries again by itself."""
    user_agent = request.headers.get("user-agent", "")
    return request.path.startswith(server.CONTROL) or "cloudformation.amazonaws" in user_agent


def _tries_again(request: server.Request) -> bool:
    """Whether the SDK sends a call once more. Several clients share the count: chance would strike one call again and
    again, until the SDK or the function's timeout gave up.
    """
    attempt = re.search(r"attempt=(\d+)", request.headers.get("amz-sdk-request", ""))
    return attempt is not None and int(attempt[1]) > 1


def _before(act: Callable[[str, str], Answer | None]) -> None:
    answer = server.Server._answer

    def answered(self: server.Server, request: server.Request) -> Answer:
        spared = _spared(request) or _tries_again(request)
        fault = None if spared else act(*operation_of(request))
        return fault or answer(self, request)

    server.Server._answer = answered


def _after(act: Callable[[server.Request, str, str, Answer], Answer]) -> None:
    answer = server.Server._answer

    def answered(self: server.Server, request: server.Request) -> Answer:
        given = answer(self, request)
        return given if _spared(request) else act(request, *operation_of(request), given)

    server.Server._answer = answered


def _error(service: str, status: int, code: str, message: str) -> Answer:
    from helpers.local_aws.http.dispatch import error_answer

    return error_answer(service, status, code, message)


@contextlib.contextmanager
def difficult_aws(folder: Path, faults: str) -> Iterator[lifecycle.Access]:
    """Such an account, as long as the context lasts: in its own process, for whoever sets LOCAL_AWS_HOME=folder."""
    process, account = serve("tests.support.difficult_aws", folder, faults)
    try:
        yield account
    finally:
        process.terminate()
        process.wait(30)


def struck(folder: Path, fault: str) -> int:
    """How often a fault struck so far."""
    file = folder / f"{fault}.json"
    return sum(json.loads(file.read_text(encoding="utf-8")).values()) if file.is_file() else 0


def main(folder: str, faults: str) -> int:
    for fault in faults.split("+"):
        FAULTS[fault](Faults(Path(folder) / f"{fault}.json"))
    return server.main(folder, 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
