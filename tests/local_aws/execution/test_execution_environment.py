"""Functions really run: black box, through boto3 against the embedded AWS."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from helpers.local_aws import lifecycle
from tests.support.embedded_aws import Aws, Gate, gone, own_home, zip_of

COUNTER = (
    Gate.SOURCE
    + """
import os, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event.get("gate"):
        pass_gate(event["gate"])
    time.sleep(event.get("sleep", 0))
    return {"pid": os.getpid(), "calls": calls}
"""
)


@pytest.fixture
def gate(tmp_path) -> Gate:
    return Gate(tmp_path / "gate")


def settings_of(aws, name: str, **changes: object) -> None:
    aws.client("lambda").update_function_configuration(FunctionName=name, **changes)
    aws.client("lambda").get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})


def test_an_environment_is_used_again_while_it_is_free(aws):
    name = aws.function(COUNTER)
    first, second = aws.invoke(name, {})["Json"], aws.invoke(name, {})["Json"]
    assert first["pid"] == second["pid"]
    assert (first["calls"], second["calls"]) == (1, 2)


def test_overlapping_invocations_get_environments_of_their_own(aws, gate):
    name = aws.function(COUNTER)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(aws.invoke, name, {"gate": gate.folder}) for _ in range(3)]
        gate.wait_for(3)
        gate.open()
    assert len({answer.result()["Json"]["pid"] for answer in answers}) == 3


def test_new_code_and_new_configuration_mean_new_environments(aws):
    name = aws.function("def handler(event, context): return 'old'")
    assert aws.invoke(name)["Json"] == "old"
    lambda_ = aws.client("lambda")
    lambda_.update_function_code(
        FunctionName=name,
        ZipFile=zip_of({"main.py": "import os\ndef handler(event, context): return os.environ.get('COLOUR', 'none')"}),
    )
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert aws.invoke(name)["Json"] == "none"
    settings_of(aws, name, Environment={"Variables": {"COLOUR": "green"}})
    assert aws.invoke(name)["Json"] == "green"


def test_a_deleted_function_leaves_no_process(aws):
    name = aws.function(COUNTER)
    pid = aws.invoke(name, {})["Json"]["pid"]
    assert psutil.pid_exists(pid)
    aws.client("lambda").delete_function(FunctionName=name)
    assert gone(pid)


def test_the_variables_that_aws_documents(aws):
    name = aws.function(
        "import os\ndef handler(event, context): return dict(os.environ)",
        MemorySize=256,
        Environment={"Variables": {"TABLE_NAME": "orders"}},
    )
    variables = aws.invoke(name)["Json"]
    assert variables["TABLE_NAME"] == "orders"
    assert variables["_HANDLER"] == "main.handler"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert variables["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", variables["AWS_LAMBDA_LOG_STREAM_NAME"])
    assert Path(variables["LAMBDA_TASK_ROOT"]).name
    assert re.fullmatch(
        r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};.*Sampled=0;Lineage=1:[0-9a-f]{8}:1", variables["_X_AMZN_TRACE_ID"]
    )
    # The function has credentials of its own, and never the administrator's.
    assert variables["AWS_ACCESS_KEY_ID"] != aws.account.access_key_id
    assert aws.account.secret_access_key not in variables.values()


def test_no_variable_of_the_learner_reaches_the_function(aws):
    name = aws.function("import os\ndef handler(event, context): return sorted(os.environ)")
    names = set(aws.invoke(name)["Json"])
    assert not {"LOCAL_AWS_HOME", "PYTHONPATH", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"} & names


def test_the_context_object(aws):
    source = """
def handler(event, context):
    return {
        "request": context.aws_request_id, "arn": context.invoked_function_arn, "name": context.function_name,
        "version": context.function_version, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "left": context.get_remaining_time_in_millis(), "custom": context.client_context.custom["colour"],
        "identity": context.identity.cognito_identity_id,
    }
"""
    name = aws.function(source, Timeout=7)
    client_context = base64.b64encode(b'{"custom": {"colour": "blue"}}').decode()
    answer = aws.invoke(name, {}, ClientContext=client_context)
    context = answer["Json"]
    assert context["request"] == answer["ResponseMetadata"]["RequestId"]
    assert context["arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert (context["name"], context["version"], context["memory"]) == (name, "$LATEST", "128")
    assert context["group"] == f"/aws/lambda/{name}"
    assert 0 < context["left"] <= 7000
    assert (context["custom"], context["identity"]) == ("blue", None)


def test_the_function_calls_aws_as_its_execution_role(aws):
    role = aws.role()
    source = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Arn']"
    name = aws.function(source, Role=role)
    assert aws.invoke(name)["Json"] == f"arn:aws:sts::123456789012:assumed-role/{role.split('/')[-1]}/{name}"


def test_only_what_lambda_has_can_be_imported(aws):
    source = """
import importlib
def handler(event, context):
    found = []
    for name in event:
        try:
            importlib.import_module(name)
            found.append(name)
        except ImportError:
            pass
    return found
"""
    name = aws.function(source)
    assert aws.invoke(name, ["boto3", "botocore", "pandas", "moto", "helpers", "handler"])["Json"] == [
        "boto3",
        "botocore",
    ]


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "message"),
    [
        (
            "import no_such_module",
            "main.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'main': No module named 'no_such_module'",
        ),
        (
            "x = 1",
            "main.handler",
            "Runtime.HandlerNotFound",
            "Handler 'handler' missing on module 'main'",
        ),
        (
            "x = 1",
            "absent.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'absent': No module named 'absent'",
        ),
        (
            "x = 1",
            "main",
            "Runtime.MalformedHandlerName",
            "Bad handler 'main': not enough values to unpack (expected 2, got 1)",
        ),
        (
            "def handler(:",
            "main.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'main': invalid syntax (main.py, line 1)",
        ),
        (
            "raise LookupError('at import')",
            "main.handler",
            "LookupError",
            "at import",
        ),
        (
            "def handler(e, c): raise ValueError('no good')",
            "main.handler",
            "ValueError",
            "no good",
        ),
        (
            "def handler(e, c): return {1, 2}",
            "main.handler",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
    ],
)
def test_errors_in_the_function(aws, source, handler, error_type, message):
    name = aws.function(source, handler)
    answer = aws.invoke(name)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (answer["Json"]["errorType"], answer["Json"]["errorMessage"]) == (error_type, message)
    assert aws.invoke(name)["Json"]["errorType"] == error_type, "and again at the next invocation"


def test_a_traceback_names_the_file_as_aws_would(aws):
    name = aws.function("def handler(event, context):\n    return {}['absent']\n")
    answer = aws.invoke(name)["Json"]
    assert answer["stackTrace"] == ["  File \"/var/task/main.py\", line 2, in handler\n    return {}['absent']\n"]
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["requestId"])
    (event,) = [message for message in aws.log(name) if message.startswith("[ERROR]")]
    assert event.splitlines()[:3] == [
        "[ERROR] KeyError: 'absent'",
        "Traceback (most recent call last):",
        '\u00a0\u00a0File "/var/task/main.py", line 2, in handler',
    ]


def test_a_timeout_kills_the_environment(aws):
    name = aws.function(COUNTER, Timeout=2)
    before = aws.invoke(name, {})["Json"]
    answer = aws.invoke(name, {"sleep": 600})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Json"]["errorType"] == "Sandbox.Timedout"
    assert answer["Json"]["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert gone(before["pid"])
    assert aws.invoke(name, {})["Json"]["calls"] == 1, "the next invocation starts afresh"
    assert any("Task timed out after 2.00 seconds" in message for message in aws.log(name))


def test_a_function_that_ignores_signals_is_killed_with_its_children(aws):
    source = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def handler(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("child", child.pid, flush=True)
    time.sleep(600)
"""
    name = aws.function(source, Timeout=5)
    assert aws.invoke(name)["Json"]["errorType"] == "Sandbox.Timedout"
    (line,) = [message for message in aws.log(name) if message.startswith("child ")]
    assert gone(int(line.split()[1]))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("sys.exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(7)", "Runtime exited with error: exit status 7"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_runtime_that_exits(aws, statement, message):
    if os.name != "posix" and "kill" in statement:
        pytest.skip("this platform has no signals")
    name = aws.function(f"import os, sys\ndef handler(event, context): {statement}")
    answer = aws.invoke(name)
    assert answer["FunctionError"] == "Unhandled"
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["Json"] == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: {message}",
    }


def test_memory_beyond_the_limit_ends_the_environment(aws):
    source = """
import time
def handler(event, context):
    hoard = bytearray(300 * 1024 * 1024)
    for at in range(0, len(hoard), 4096):
        hoard[at] = 1
    time.sleep(event)
"""
    name = aws.function(source)
    answer = aws.invoke(name, 50, LogType="Tail")
    assert answer["Json"]["errorType"] == "Runtime.ExitError"
    assert answer["Json"]["errorMessage"].endswith("signal: killed")
    assert "Max Memory Used: 128 MB" in base64.b64decode(answer["LogResult"]).decode()
    settings_of(aws, name, MemorySize=512)
    assert "FunctionError" not in aws.invoke(name, 2)


def test_the_log_of_an_invocation(aws):
    source = """
import logging, sys
print("at import")
def handler(event, context):
    print("first")
    sys.stderr.write("second\\n")
    logging.getLogger().warning("third")
    print("a\\nb\\rc")
    print("no newline at the end", end="")
"""
    name = aws.function(source)
    request_id = aws.invoke(name)["ResponseMetadata"]["RequestId"]
    messages = aws.log(name)
    report = messages.pop()
    assert re.fullmatch(
        rf"REPORT RequestId: {request_id}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n",
        report,
    )
    assert messages[0].startswith("INIT_START Runtime Version: python:3.13")
    assert messages[1:5] == ["at import\n", f"START RequestId: {request_id} Version: $LATEST\n", "first\n", "second\n"]
    assert re.fullmatch(rf"\[WARNING\]\t[\d\-T:.]+Z\t{request_id}\tthird\n", messages[5])
    assert messages[6:] == ["a\n", "b\rc\n", "no newline at the end", f"END RequestId: {request_id}\n"]
    aws.invoke(name)
    assert "Init Duration" not in aws.log(name)[-1], "a warm invocation has no initialisation"


def test_the_log_tail_is_the_invocations_own(aws):
    name = aws.function("def handler(event, context): print(event)")
    aws.invoke(name, "one")
    tail = base64.b64decode(aws.invoke(name, "two", LogType="Tail")["LogResult"]).decode()
    assert tail.startswith("START RequestId: ")
    assert "two\n" in tail
    assert "one" not in tail


def test_much_output_does_not_stop_a_function(aws):
    name = aws.function(
        "def handler(event, context):\n    for _ in range(20000): print('x' * 100)\n    return 'done'", Timeout=20
    )
    assert aws.invoke(name)["Json"] == "done"
    assert aws.invoke(name)["Json"] == "done"


def test_decimals_and_text_leave_as_they_are(aws):
    name = aws.function(
        "from decimal import Decimal\ndef handler(event, context): return [Decimal('1.10'), 'ü€', event]"
    )
    payload = aws.client("lambda").invoke(FunctionName=name, Payload='"\u00e9"'.encode())["Payload"].read().decode()
    assert payload == '[1.10, "ü€", "é"]'


def test_a_worker_killed_while_idle_is_replaced(aws):
    name = aws.function(COUNTER)
    pid = aws.invoke(name, {})["Json"]["pid"]
    psutil.Process(pid).kill()
    assert gone(pid)  # in the moment of its end it may still take an event
    answer = aws.invoke(name, {})
    assert "FunctionError" not in answer
    assert answer["Json"]["pid"] != pid


def test_another_process_cannot_speak_to_the_runtime_api(aws, gate):
    source = """
import os
def handler(event, context):
    print("api", os.environ["AWS_LAMBDA_RUNTIME_API"], flush=True)
    if event:
        pass_gate(event)
    return "mine"
"""
    name = aws.function(Gate.SOURCE + source)
    with ThreadPoolExecutor(1) as pool:
        aws.invoke(name)
        (line,) = [message for message in aws.log(name) if message.startswith("api ")]
        answer = pool.submit(aws.invoke, name, gate.folder)
        gate.wait_for(1)
        connection = http.client.HTTPConnection(line.split()[1], timeout=3)
        with pytest.raises((http.client.HTTPException, OSError)):
            connection.request("POST", "/2018-06-01/runtime/invocation/x/response", b'"forged"')
            connection.getresponse()
        gate.open()
        assert answer.result()["Json"] == "mine"


@pytest.mark.deep
def test_workers_end_when_the_server_is_killed(tmp_path, gate):
    """SIGKILL leaves the server no moment to clean up; its workers notice by themselves."""
    with own_home(tmp_path / "home"):
        account = lifecycle.start()
        aws = Aws(account)
        busy = aws.function(COUNTER, Timeout=600)
        pid = aws.invoke(busy, {})["Json"]["pid"]
        waits = json.dumps({"gate": gate.folder})
        aws.client("lambda").invoke(FunctionName=busy, InvocationType="Event", Payload=waits)
        gate.wait_for(1)
        psutil.Process(account.pid).kill()
        assert gone(pid)
        assert lifecycle.status() is None, "the state file that it left confuses nobody"
        again = lifecycle.start()
        assert again.started
        assert lifecycle.stop()
