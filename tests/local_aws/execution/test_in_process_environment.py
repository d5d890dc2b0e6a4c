"""Functions in this interpreter: they behave as in a worker, and leave nothing of theirs behind."""

from __future__ import annotations

import importlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint

from helpers.local_aws.account.credentials import Credentials
from helpers.local_aws.awslambda import environment_pool
from helpers.local_aws.awslambda.function_runner import FunctionRunner, FunctionSpec, Host, Invocation
from helpers.local_aws.engine import clock, executor
from helpers.local_aws.engine.clock import ManualClock, SystemClock
from helpers.local_aws.engine.loop import Loop
from helpers.local_aws.engine.threads import ThreadExecutor
from helpers.local_aws.execution import call_stack
from helpers.local_aws.execution.in_process_environment import InProcessEnvironment
from helpers.paths import PROJECT


@pytest.fixture(autouse=True)
def loop() -> Iterator[Loop]:
    """The loop, on a clock that stands until something moves it."""
    before, scale, made = executor.in_use(), clock.scale(), Loop()
    clock.use(ManualClock(start=1_800_000_000))  # a whole second: deadlines are told in milliseconds
    executor.use(made)
    yield made
    executor.use(before)
    clock.use(SystemClock(), scale)


class Account:
    """As much of an account as functions need: it has a log, and answers boto3's requests on the stack."""

    def __init__(self, folder: Path) -> None:
        self.log: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.runners: list[FunctionRunner] = []
        self.during = lambda: None
        self._folder = folder

    def write_log(self, group: str, stream: str, events: list[tuple[int, str]], role_arn: str) -> None:
        self.log += [message for _, message in events]

    def send(self, request: Any) -> AWSResponse:
        """Stand in for botocore's sending."""
        with call_stack.outside():
            self.requests.append(json.loads(request.body))
            self.during()
        raw: Any = io.BytesIO(b"{}")
        raw.stream = lambda **_: iter([b"{}"])
        return AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, raw)

    def spec(self, files: dict[str, str], **changes: Any) -> FunctionSpec:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        name = changes.pop("name", "sample")
        settings: dict[str, Any] = {
            "name": name,
            "arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
            "version": "$LATEST",
            "handler": "main.handler",
            "runtime": "python3.13",
            "role_arn": "arn:aws:iam::123456789012:role/r",
            "memory_mb": 128,
            "timeout_s": 3,
            "environment": (),
            "code_dir": folder,
            "account_id": "123456789012",
            "region": "us-east-1",
            "log_group": f"/aws/lambda/{name}",
        }
        return FunctionSpec(**{**settings, **changes})

    def function(self, source: str, **changes: Any) -> FunctionRunner:
        self.runners.append(FunctionRunner(self.spec({"main.py": source}, **changes)))
        return self.runners[-1]


@pytest.fixture
def account(tmp_path, monkeypatch) -> Iterator[Account]:
    made = Account(tmp_path)
    host = Host("http://account.invalid", lambda *_: Credentials("ASIATEST", "secret", "token"), made.write_log,
                InProcessEnvironment)  # fmt: skip
    monkeypatch.setattr(environment_pool, "_host", host)
    monkeypatch.setattr(Endpoint, "_send", lambda _, request: made.send(request))
    yield made
    for runner in made.runners:
        runner.close()


def invoke(runner: FunctionRunner, event: Any = None) -> Invocation:
    return runner.invoke(json.dumps(event).encode(), request_id="id")


def answer(runner: FunctionRunner, event: Any = None) -> Any:
    """What the function returned, or the report of its error."""
    return json.loads(invoke(runner, event).payload)


# --- as in a worker ---


def test_the_tutorials_function_stores_an_order(account):
    order = {"OrderId": "A-1", "Item": "desk-lamp", "Amount": 65.5, "IsMember": True, "ShippingMethod": "Express"}
    spec = account.spec(
        {"handler.py": (PROJECT / "handler.py").read_text(encoding="utf-8")},
        handler="handler.lambda_handler",
        environment=(("TABLE_NAME", "orders"),),
    )
    runner = FunctionRunner(spec)
    account.runners.append(runner)
    assert answer(runner, {"body": order}) == {"status": "stored", "orderId": "A-1"}
    (request,) = account.requests
    assert (request["TableName"], request["Item"]["Amount"]) == ("orders", {"N": "65.5"})


def test_the_log_of_an_invocation(account):
    runner = account.function("""
import logging, os, sys
print("at import")
def handler(event, context):
    print("first")
    sys.stderr.write("second\\n")
    logging.getLogger().warning("third")
    print("a\\nb\\rc")
    os.system("")
    print("no newline at the end", end="")
""")
    invoke(runner)
    messages = account.log
    assert messages[0].startswith("INIT_START Runtime Version: python:3.13")
    assert messages[1:5] == ["at import\n", "START RequestId: id Version: $LATEST\n", "first\n", "second\n"]
    assert re.fullmatch(r"\[WARNING\]\t[\d\-T:.]+Z\tid\tthird\n", messages[5])
    assert messages[6:-1] == ["a\n", "b\rc\n", "no newline at the end", "END RequestId: id\n"]
    assert messages[-1] == (
        "REPORT RequestId: id\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 64 MB\tInit Duration: 0.00 ms\t\n"
    )
    invoke(runner)
    assert "Init Duration" not in account.log[-1], "a warm invocation has no initialisation"


def test_an_error_is_reported_as_in_a_worker(account):
    runner = account.function("def handler(event, context):\n    return {}['absent']\n")
    result = invoke(runner)
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload) == {
        "errorMessage": "'absent'",
        "errorType": "KeyError",
        "requestId": "id",
        "stackTrace": ["  File \"/var/task/main.py\", line 2, in handler\n    return {}['absent']\n"],
    }
    (event,) = [message for message in account.log if message.startswith("[ERROR]")]
    assert event.splitlines()[:3] == [
        "[ERROR] KeyError: 'absent'",
        "Traceback (most recent call last):",
        '\u00a0\u00a0File "/var/task/main.py", line 2, in handler',
    ]


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "message"),
    [
        (
            *("import no_such_module", "main.handler", "Runtime.ImportModuleError"),
            "Unable to import module 'main': No module named 'no_such_module'",
        ),
        ("x = 1", "main.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'main'"),
        (
            *("x = 1", "conftest.handler", "Runtime.ImportModuleError"),
            "Unable to import module 'conftest': No module named 'conftest'",
        ),
        (
            *("def handler(:", "main.handler", "Runtime.UserCodeSyntaxError"),
            "Syntax error in module 'main': invalid syntax (main.py, line 1)",
        ),
        ("raise LookupError('at import')", "main.handler", "LookupError", "at import"),
        (
            *("def handler(e, c): return {1, 2}", "main.handler", "Runtime.MarshalError"),
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
    ],
)
def test_errors_in_the_function(account, source, handler, error_type, message):
    runner = account.function(source, handler=handler)
    for _ in ("at first", "and again"):
        report = answer(runner)
        assert (report["errorType"], report["errorMessage"]) == (error_type, message)


def test_a_failed_start_is_an_invocation_in_the_log(account):
    invoke(account.function("raise LookupError('at import')"))
    kinds = [re.split(r"[ :]", message)[0] for message in account.log]
    assert kinds == ["INIT_START", "[ERROR]", "START", "END", "REPORT"]
    assert "Status: error\tError Type: LookupError\t" in account.log[-1]


@pytest.mark.parametrize("at_once", ["time.sleep(3)", "time.sleep(600)", "[time.sleep(1) for _ in range(9)]"])
def test_a_function_that_sleeps_too_long(account, at_once):
    runner = account.function(f"""
import time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event == "sleep":
        {at_once}
    return calls
""")
    assert answer(runner) == 1
    began = clock.monotonic()
    assert answer(runner, "sleep") == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: id Error: Task timed out after 3.00 seconds",
    }
    assert clock.monotonic() - began == 3
    assert re.fullmatch(r"[\d\-T:.]+Z id Task timed out after 3.00 seconds\n", account.log[-3])
    assert "Duration: 3000.00 ms" in account.log[-1]
    assert "Status: timeout" in account.log[-1]
    assert answer(runner) == 1, "the next invocation starts afresh"


def test_a_sleep_within_the_limit_passes_on_the_clock(account):
    runner = account.function("""
import time
def handler(event, context):
    before = context.get_remaining_time_in_millis()
    time.sleep(2)
    return [before, context.get_remaining_time_in_millis()]
""")
    assert answer(runner) == [3000, 1000]


def test_what_comes_back_too_late_has_timed_out(account):
    account.during = lambda: clock.sleep(5)
    source = "import boto3\ndef handler(event, context): boto3.client('dynamodb').list_tables()"
    assert answer(account.function(source))["errorType"] == "Sandbox.Timedout"


def test_an_import_that_takes_too_long(account):
    report = answer(account.function("import time\ntime.sleep(600)\ndef handler(event, context): pass"))
    assert report["errorMessage"] == "RequestId: id Error: Init timed out after 30.00 seconds"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("sys.exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit('because')", "Runtime exited with error: exit status 1"),
        ("os._exit(7)", "Runtime exited with error: exit status 7"),
        ("raise BaseException('odd')", "Runtime exited with error: exit status 1"),
    ],
)
@pytest.mark.parametrize("place", ["def handler(event, context): {}", "{}"], ids=["handler", "import"])
def test_a_runtime_that_exits(account, statement, message, place):
    runner = account.function(f"import os, sys\n{place.format(statement)}")
    assert answer(runner) == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: id Error: {message}"}
    assert "Status: error\tError Type: Runtime.ExitError\t" in account.log[-1]
    text = re.search(r"'(\w+)'", statement)
    assert text is None or any(text[1] in line for line in account.log[:-2]), "Python says it at its end"


def test_an_answer_that_is_too_large(account):
    runner = account.function("def handler(event, context): return 'x' * 7_000_000")
    assert answer(runner)["errorType"] == "Function.ResponseSizeTooLarge"


def test_code_that_is_gone(account):
    runner = account.function("")
    (runner._spec.code_dir / "main.py").unlink()
    runner._spec.code_dir.rmdir()
    assert "its folder was deleted" in answer(runner)["errorMessage"]


# --- its own interpreter ---

KEEPS = """
import builtins, logging, os, sys, tempfile
import boto3
import helper_module
calls = 0
def handler(event, context):
    global calls
    calls += 1
    os.environ["CALLS"] = os.environ.get("CALLS", "") + "x"
    with open(os.path.join(tempfile.gettempdir(), "calls"), "a") as file:
        file.write("x")
    if calls == 1:
        boto3.setup_default_session(region_name="eu-west-3")
        logging.getLogger().setLevel(logging.DEBUG)
        sys.path.append("/somewhere")
    return [
        calls, os.environ["CALLS"], open(file.name).read(), boto3.DEFAULT_SESSION.region_name, helper_module.WHOSE,
        logging.getLogger().level, "/somewhere" in sys.path, os.environ.get("PYTEST_CURRENT_TEST"),
        os.path.samefile(os.getcwd(), os.path.dirname(__file__)),
    ]
"""


def test_a_function_keeps_what_is_its_own_and_its_caller_what_was_there(account, monkeypatch):
    mine: Any = type(sys)("helper_module")
    monkeypatch.setitem(sys.modules, "helper_module", mine)
    session = boto3.Session(region_name="us-west-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    runner = FunctionRunner(account.spec({"main.py": KEEPS, "helper_module.py": "WHOSE = 'the function'"}))
    account.runners.append(runner)

    def surroundings() -> list[Any]:
        root = logging.getLogger()
        return [
            *(dict(os.environ), list(sys.path), list(sys.meta_path), Path.cwd(), sys.stdout, sys.stderr),
            *(list(root.handlers), root.level, tempfile.gettempdir(), sys.dont_write_bytecode),
            *(time.sleep, os._exit, dict(sys.modules)),
        ]

    before = surroundings()
    shared = set(before[-1])
    for calls in (1, 2, 3):
        many = "x" * calls
        assert answer(runner) == [calls, many, many, "eu-west-3", "the function", logging.DEBUG, True, None, True]
    after = surroundings()
    assert after[:-1] == before[:-1]
    assert {name: after[-1][name] for name in shared} == before[-1]
    assert not {"main", "lambda_runtime"} & (set(after[-1]) - shared)
    assert sys.modules["helper_module"] is mine
    assert boto3.DEFAULT_SESSION is session


def test_functions_with_modules_of_one_name_are_strangers(account):
    source = "import part\ndef handler(event, context): return part.NAME, __name__"
    runners = []
    for name in ("one", "other"):
        runners.append(FunctionRunner(account.spec({"main.py": source, "part.py": f"NAME = {name!r}"}, name=name)))
    account.runners += runners
    for _ in range(2):
        assert [answer(runner)[0] for runner in runners] == ["one", "other"]


def test_a_caller_s_own_modules_cannot_be_imported(account):
    runner = account.function("""
import importlib, sys
def handler(event, context):
    for name in ("helpers", "tests", "conftest"):
        try:
            importlib.import_module(name)
            return name
        except ImportError:
            pass
    return sorted({"helpers", "tests"} & set(sys.modules))
""")
    assert answer(runner) == []
    assert importlib.import_module("helpers.paths").PROJECT == PROJECT


def test_new_code_means_a_new_environment(account):
    runner = account.function("def handler(event, context): return 'old'")
    assert answer(runner) == "old"
    runner.update(account.spec({"main.py": "def handler(event, context): return 'new'"}))
    assert answer(runner) == "new"


def test_nothing_is_left_in_the_file_system(account, tmp_path, loop, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    runner = account.function("import tempfile\ndef handler(event, context): return tempfile.mkstemp()[1]")
    assert Path(answer(runner)).is_relative_to(tmp_path / "scratch")
    assert not list(runner._spec.code_dir.glob("**/*.pyc"))
    runner.close()
    assert not list((tmp_path / "scratch").iterdir())


def test_an_idle_environment_ends_in_the_end(account):
    runner = account.function("calls = []\ndef handler(event, context):\n    calls.append(1)\n    return len(calls)")
    assert [answer(runner), answer(runner)] == [1, 2]
    executor.sleep(590)
    assert answer(runner) == 3, "the ten minutes begin anew with each invocation"
    executor.sleep(590)
    assert answer(runner) == 4
    executor.sleep(610)
    assert runner.size == 0
    assert answer(runner) == 1


# --- on one stack ---


def test_while_a_function_runs_only_what_it_waits_for_begins(account, loop):
    ran: list[str] = []

    def during() -> None:
        executor.soon(lambda: ran.append("job"))
        loop.run_due()
        assert (ran, loop.held) == ([], 1)
        assert "PYTEST_CURRENT_TEST" in os.environ, "the account has its own interpreter"
        assert time.sleep is not call_stack.sleep
        assert sys.modules["helpers"]

    account.during = during
    source = "import boto3\ndef handler(event, context): boto3.client('dynamodb').list_tables()"
    assert invoke(account.function(source)).function_error is None
    loop.run_due()
    assert (ran, loop.held) == (["job"], 0)


def test_a_function_waits_for_another(account):
    inner = account.function(
        "import os, time\ndef handler(event, context):\n    time.sleep(1)\n    return os.environ['COLOUR']",
        name="inner",
        environment=(("COLOUR", "green"),),
    )
    source = """
import os, boto3
def handler(event, context):
    os.environ["COLOUR"] = "red"
    boto3.client("dynamodb").list_tables()
    return os.environ["COLOUR"], context.get_remaining_time_in_millis()
"""
    answers: list[Any] = []
    account.during = lambda: answers.append(answer(inner))
    assert answer(account.function(source)) == ["red", 2000]
    assert answers == ["green"]


def test_a_function_may_be_deleted_by_itself(account):
    source = "import boto3\ndef handler(event, context):\n    boto3.client('dynamodb').list_tables()\n    return 'done'"
    runner = account.function(source)
    account.during = runner.close
    assert answer(runner) == "done"
    assert answer(runner) == {"errorMessage": "The function was deleted."}


def test_events_are_run_when_the_loop_comes_to_them(account, loop):
    runner = account.function("def handler(event, context):\n    print('event', event)\n    assert event != 2")
    for number in range(5):
        runner.invoke_async(str(number).encode(), request_id=f"id-{number}")
    assert account.log == []
    loop.run_due()
    numbers = sorted(int(line.split()[1]) for line in account.log if line.startswith("event"))
    assert numbers == [0, 1, 2, 3, 4]
    executor.sleep(clock.scaled(60) + clock.scaled(120))
    assert sum(line == "event 2\n" for line in account.log) == 3, "a failed one is tried again"


def test_an_interrupted_caller_leaves_nobody_waiting(account):
    runner = account.function("def handler(event, context):\n    if event:\n        raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        invoke(runner, 1)
    assert answer(runner) is None


def test_threads_would_share_one_interpreter(account):
    executor.use(ThreadExecutor())
    with pytest.raises(RuntimeError, match="only where the loop runs everything"):
        account.function("").invoke(b"", request_id="id")


# --- where there is little ---

BARE = """
import subprocess, sys, threading
sys.modules["resource"] = sys.modules["psutil"] = None
def cannot(*_, **__):
    raise RuntimeError("not in a browser's tab")
threading.Thread.start = subprocess.Popen.__init__ = cannot

from pathlib import Path
from helpers.local_aws.account.credentials import Credentials
from helpers.local_aws.awslambda.function_runner import FunctionRunner, FunctionSpec, Host, set_host
from helpers.local_aws.engine import executor, loop
from helpers.local_aws.execution.in_process_environment import InProcessEnvironment

executor.use(loop.Loop())
set_host(Host("", lambda *_: Credentials("ASIATEST", "secret", "token"), lambda *_, **__: None, InProcessEnvironment))
spec = FunctionSpec("f", "arn:aws:lambda:us-east-1:123456789012:function:f", "1", "main.handler", "python3.13", "role",
                    128, 3, (), Path(sys.argv[1]), "123456789012", "us-east-1", "/aws/lambda/f")
print(FunctionRunner(spec).invoke(b"[1, 2]", request_id="id").payload.decode())
print(sorted(name for name in sys.modules if name.rpartition(".")[2].startswith(("worker_process", "process_"))))
"""


def test_it_needs_no_processes_and_no_threads(tmp_path):
    (tmp_path / "main.py").write_text("def handler(event, context): return sum(event)", encoding="utf-8")
    command = [sys.executable, "-c", BARE, str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("3\n[]\n", "")
