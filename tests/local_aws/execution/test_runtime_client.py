"""AWS's own runtime client runs the same functions through the same Runtime API, unmodified, with equal results.

This holds two things at once: that our Runtime API is the real one (awslambdaric knows no other), and that our own
runtime, which runs on every platform, does what AWS's does.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import uuid
from functools import partial

import pytest

from helpers.local_aws.account.credentials import Credentials
from helpers.local_aws.awslambda import environment_pool, function_runner
from helpers.local_aws.execution.process_environment import ProcessEnvironment

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("awslambdaric") is None,
    reason="awslambdaric is published for Linux only",
)

SOURCE = """
import json, logging, os, sys, time
from decimal import Decimal

calls = 0

def echo(event, context):
    return event

def count(event, context):
    global calls
    calls += 1
    return calls

def facts(event, context):
    return {
        "request": context.aws_request_id, "arn": context.invoked_function_arn, "name": context.function_name,
        "memory": context.memory_limit_in_mb, "version": context.function_version, "group": context.log_group_name,
        "left": 0 < context.get_remaining_time_in_millis() <= 3000,
        "trace": os.environ["_X_AMZN_TRACE_ID"].startswith("Root=1-"),
        "client": context.client_context.custom if context.client_context else None,
    }

def decimals(event, context):
    return {"amount": Decimal("65.50"), "huge": Decimal("1E+30"), "list": [Decimal("0.1")]}

def text(event, context):
    return "\\u00fc \\u20ac \\U0001f600"

def raw(event, context):
    return b'{"raw": true}'

def nothing(event, context):
    pass

def prints(event, context):
    print("one\\ntwo")
    sys.stderr.write("three\\n")
    logging.getLogger().error("four")

def raises(event, context):
    return helper(event)

def helper(event):
    raise KeyError("OrderId")

class Custom(Exception):
    pass

def custom(event, context):
    raise Custom("not an order")

def unserialisable(event, context):
    return {1, 2}

def sleeps(event, context):
    print("before")
    time.sleep(30)

def leaves(event, context):
    sys.exit(4)
"""

CASES = [
    ("echo", {"a": [1, 2.5, None, True, "ü"]}),
    ("facts", None),
    ("decimals", None),
    ("text", None),
    ("raw", None),
    ("nothing", None),
    ("prints", None),
    ("raises", None),
    ("custom", None),
    ("unserialisable", None),
    ("sleeps", None),
    ("leaves", None),
    ("absent", None),
]
AWS_CLIENT = (sys.executable, "-m", "awslambdaric")


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "main.py").write_text(SOURCE, encoding="utf-8")
    (folder / "broken.py").write_text("import no_such_module", encoding="utf-8")
    return folder


@pytest.fixture
def run(code, monkeypatch):
    """Run a function with our runtime or with AWS's; returns its runner and the log that it writes."""
    runners = []
    monkeypatch.setattr(environment_pool, "_host", None)

    def start(handler: str, command: tuple[str, ...] | None):
        log: list[str] = []
        host = function_runner.Host(
            "http://127.0.0.1:9",
            lambda role, session: Credentials("ASIATEST", "secret", "token"),
            lambda group, stream, events, role_arn=None: log.extend(message for _, message in events),
            partial(ProcessEnvironment, command=(*command, handler) if command else None),
        )
        function_runner.set_host(host)
        spec = function_runner.FunctionSpec(
            name="sample",
            arn="arn:aws:lambda:us-east-1:123456789012:function:sample",
            version="$LATEST",
            handler=handler,
            runtime="python3.13",
            role_arn="arn:aws:iam::123456789012:role/r",
            memory_mb=256,
            timeout_s=1 if "sleeps" in handler else 3,
            environment=(),
            code_dir=code,
            account_id="123456789012",
            region="us-east-1",
            log_group="/aws/lambda/sample",
        )
        runners.append(function_runner.FunctionRunner(spec))
        return runners[-1], log

    yield start
    for runner in runners:
        runner.close()


def outcome(run, handler: str, payload: object, command: tuple[str, ...] | None, code) -> dict:
    """What a caller and the log see of one invocation, without what differs from run to run."""
    runner, log = run(handler, command)
    request_id = str(uuid.uuid4())
    answer = runner.invoke(
        json.dumps(payload).encode(), request_id=request_id, client_context='{"custom": {"colour": "blue"}}'
    )
    text = json.loads(answer.payload)
    return {
        "answer": json.loads(_plain(json.dumps(text), request_id, code)),
        "error": answer.function_error,
        "log": [_plain(message, request_id, code) for message in log if not message.startswith("INIT_START")],
    }


def _plain(text: str, request_id: str, code) -> str:
    """Without ids, durations and stamps; and with the task root where AWS has it."""
    text = text.replace(request_id, "ID").replace(str(code), "/var/task")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"(Duration|Used): [\d.]+ (ms|MB)", r"\1: N \2", text)


@pytest.mark.parametrize(("name", "payload"), CASES)
def test_the_results_are_equal(run, code, name, payload):
    ours = outcome(run, f"main.{name}", payload, None, code)
    theirs = outcome(run, f"main.{name}", payload, AWS_CLIENT, code)
    # awslambdaric warns once, in the log, when the initialisation fails; the answers are the same.
    theirs["log"] = [line for line in theirs["log"] if not line.startswith("[WARNING]")]
    assert ours == theirs


@pytest.mark.parametrize("handler", ["broken.handler", "absent.handler", "main"])
def test_failed_initialisations_are_equal(run, code, handler):
    ours = outcome(run, handler, None, None, code)["answer"]
    theirs = outcome(run, handler, None, AWS_CLIENT, code)["answer"]
    assert ours == theirs


def test_nobody_waits_for_a_function_that_was_deleted(run):
    """Deleted between the moment that it was found and the moment that it is invoked."""
    runner, _ = run("main.echo", None)
    runner.close()
    answer = runner.invoke(b"{}", request_id="late")
    assert answer.function_error == "Unhandled"
    assert json.loads(answer.payload) == {"errorMessage": "The function was deleted."}


def test_a_warm_environment_of_aws_s_client_is_used_again(run):
    runner, _ = run("main.count", AWS_CLIENT)
    answers = [runner.invoke(b"null", request_id=str(uuid.uuid4())).payload for _ in range(3)]
    assert answers == [b"1", b"2", b"3"]
