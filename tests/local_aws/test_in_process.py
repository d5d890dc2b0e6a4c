"""An account in the caller's interpreter. An interpreter has one in its life: so each test has one of its own.

That takes seconds: the default level has the two tests that say most.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import PROJECT


def run(program: str, *arguments: str) -> Any:
    """Run a program in an interpreter of its own; returns what it leaves in `result`."""
    text = f"{textwrap.dedent(program)}\nimport json; print(json.dumps(result))"
    done = subprocess.run([sys.executable, "-c", text, *arguments], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_tutorial_where_there_are_neither_threads_nor_processes():
    """As in a browser: an order goes all its way in one thread, without what a browser's Python lacks."""
    result = run("""
        import sys
        from tests.support import bare_python
        bare_python.forbid_threads()
        bare_python.take_modules_away()
        from helpers.local_aws import in_process
        with in_process():
            from tests.support import tutorial
            tutorial.build()
            tutorial.put("A-1")
            result = [tutorial.stored(), sorted({"psutil", "resource"} & sys.modules.keys())]
    """)
    assert result == [["A-1"], []]


@pytest.mark.deep
def test_what_stands_in_for_an_absent_module_fails_when_it_is_used():
    result = run("""
        from tests.support import bare_python
        bare_python.take_modules_away()
        from helpers.local_aws.inside import absent
        absent.stand_in()
        from cryptography.hazmat.primitives import hashes
        import subprocess
        result = []
        for use in (lambda: hashes.SHA256(), lambda: subprocess.run(["true"])):
            try:
                use()
            except ImportError as error:
                result.append(str(error))
    """)
    missing = ["cryptography.hazmat.primitives.hashes.SHA256", "subprocess.run"]
    assert result == [f"{name} is not to be had in this Python" for name in missing]


def test_no_socket_is_opened_and_all_is_checked():
    """Signatures and permissions, as by the server: the answers are AWS's refusals."""
    result = run("""
        import socket
        class NoSocket(socket.socket):
            def __init__(self, *_, **__):
                raise AssertionError("a socket was opened")
        from helpers.local_aws import in_process
        with in_process() as account:
            import boto3
            from botocore.exceptions import ClientError
            socket.socket = NoSocket
            iam = account.client("iam")
            iam.create_user(UserName="visitor")
            key = iam.create_access_key(UserName="visitor")["AccessKey"]
            def refused(key_id, secret):
                try:
                    boto3.client("dynamodb", aws_access_key_id=key_id, aws_secret_access_key=secret).list_tables()
                except ClientError as error:
                    return error.response["Error"]["Code"]
            result = [
                refused(account.access.access_key_id, "another secret"),
                refused("AKIANOBODY", "no secret"),
                refused(key["AccessKeyId"], key["SecretAccessKey"]),
                account.client("dynamodb").list_tables()["TableNames"],
            ]
    """)
    assert result == ["InvalidSignatureException", "UnrecognizedClientException", "AccessDeniedException", []]


@pytest.mark.deep
def test_a_folder_keeps_the_account(tmp_path: Path):
    program = """
        import sys
        from pathlib import Path
        from helpers.local_aws import in_process
        with in_process(Path(sys.argv[1])) as account:
            from tests.support import tutorial
            if sys.argv[2] == "first":
                tutorial.build()
            tutorial.put(sys.argv[2])
            result = [tutorial.stored(), account.access.access_key_id]
    """
    orders, key = run(program, str(tmp_path / "account"), "first")
    assert orders == ["first"]
    assert run(program, str(tmp_path / "account"), "second") == [["first", "second"], key]


@pytest.mark.deep
def test_a_folder_that_is_in_use_is_refused_in_one_line_and_another_may_be_tried(tmp_path: Path):
    result = run(
        """
        import subprocess, sys
        from pathlib import Path
        from helpers.errors import WorkbookError
        from helpers.local_aws import in_process
        from helpers.local_aws.account.account_owner import AccountOwner
        folder = Path(sys.argv[1])
        folder.mkdir(mode=0o700)
        owner = AccountOwner.of(folder)  # as a server has it
        try:
            in_process(folder)
        except WorkbookError as error:
            result = str(error)
        with in_process() as account:
            account.client("sts").get_caller_identity()
    """,
        str(tmp_path / "account"),
    )
    path = tmp_path / "account" / "account.sqlite"
    assert result == f"The account in {path} is in use by another process, which has to end first."


@pytest.mark.deep
def test_what_is_wrong_with_a_folder_or_a_scale_is_said_in_one_line_that_helps(tmp_path: Path):
    """Never to forget the account of LOCAL_AWS_HOME, which is another one."""
    result = run(
        """
        import sys
        from pathlib import Path
        from helpers.errors import WorkbookError
        from helpers.local_aws import in_process
        folder = Path(sys.argv[1])
        (folder / "spoilt").mkdir(mode=0o700)
        (folder / "spoilt" / "account.sqlite").write_text("no database, for sure" * 100)
        (folder / "file").touch()
        result = []
        (folder / "in the way").mkdir(mode=0o700)
        (folder / "in the way" / "functions").touch()
        for wrong in (
            {"folder": folder / "spoilt"}, {"folder": str(folder / "file" / "below")}, {"scale": -1},
            {"folder": folder / "in the way"}, {"clock": 3}, {"scale": "quick"}, {"folder": 3}
        ):
            try:
                in_process(**wrong)
            except WorkbookError as error:
                result.append(str(error))
        in_process(str(folder / "new")).close()
        """,
        str(tmp_path),
    )
    spoilt, below, scale, in_the_way, clock, quick, three = result
    assert spoilt.endswith("It was left as it is. For a new account, give another folder.")
    assert below.endswith(" Give a folder that you may write to.")
    assert in_the_way.endswith("File exists. Remove it, or give another folder.")
    assert clock.startswith("clock=3 is no clock. Give one of helpers.local_aws.engine.clock, such as QuickClock()")
    assert quick.startswith("scale='quick' is no number.") and three.startswith("folder=3 is no folder.")
    assert scale.startswith("The scale is -1; it must be a number from 0 up")
    assert (tmp_path / "new" / "account.sqlite").exists()


@pytest.mark.deep
def test_a_second_one_is_refused_in_one_line_also_after_the_first():
    result = run("""
        from helpers.errors import WorkbookError
        from helpers.local_aws import in_process
        result = []
        def second():
            try:
                in_process()
            except WorkbookError as error:
                result.append(str(error))
        with in_process():
            second()
        second()
    """)
    assert result[0] == result[1] and "can have no second one" in result[0] and "\n" not in result[0]


@pytest.mark.deep
def test_another_thread_is_refused_and_its_sleep_runs_nothing():
    """A Jupyter kernel's own threads sleep: they must never run a function of the account's, nor end it."""
    result = run("""
        import threading, time
        from helpers.local_aws import in_process
        from helpers.local_aws.engine import executor
        result = []
        def elsewhere():
            time.sleep(0)
            for use in (lambda: boto3.client("sts").get_caller_identity(), account.close):
                try:
                    use()
                except Exception as error:
                    result.append(str(error))
        with in_process() as account:
            import boto3
            executor.soon(lambda: result.append(threading.current_thread().name))
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            time.sleep(0)
            try:
                time.sleep(-1)
            except ValueError as error:
                result.append(str(error))
    """)
    refused = [
        f"An account in this interpreter {does} the thread that opened it, and no other."
        for does in ("answers", "is closed by")
    ]
    assert result == [*refused, "MainThread", "sleep length must be non-negative"]


CLOCKS = pytest.mark.parametrize("clock", ["ManualClock", "QuickClock"])


@pytest.mark.deep
@CLOCKS
def test_days_pass_as_soon_as_somebody_waits_for_them(clock: str):
    """Signatures are of the account's time, so a request after a month is answered as one before."""
    result = run(
        """
        import sys, time
        from helpers.local_aws import in_process
        from helpers.local_aws.engine import clock
        machine, began = time.time, time.time()
        with in_process(clock=getattr(clock, sys.argv[1])()) as account:
            from tests.support import tutorial
            tutorial.build()
            time.sleep(30 * 86400)
            tutorial.put("A-1")
            days = round((time.time() - began) / 86400)
            result = [days, tutorial.stored(), account.client("sts").get_caller_identity()["Account"]]
        result += [time.time is machine]
    """,
        clock,
    )
    assert result == [30, ["A-1"], "123456789012", True]


@pytest.mark.deep
def test_a_waiter_lets_the_accounts_work_go_on():
    """What takes its time (a stack) is made while boto3 waits for it."""
    result = run("""
        import json, time
        from helpers.local_aws import in_process
        from helpers.local_aws.engine.clock import QuickClock
        table = {"Type": "AWS::DynamoDB::Table", "Properties": {
            "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}]}}
        with in_process(clock=QuickClock()) as account:
            stacks = account.client("cloudformation")
            stacks.create_stack(StackName="one", TemplateBody=json.dumps({"Resources": {"Table": table}}))
            stacks.get_waiter("stack_create_complete").wait(StackName="one")
            result = len(account.client("dynamodb").list_tables()["TableNames"])
    """)
    assert result == 1


@pytest.mark.deep
def test_a_queue_forms_while_somebody_only_hands_over():
    """As on AWS: PutEvents, and an asynchronous Invoke, do not wait for what was handed over before."""
    result = run("""
        import builtins, time
        from helpers.local_aws import in_process
        builtins.handled = []
        with in_process() as account:
            from tests.support import tutorial
            tutorial.build("import builtins; lambda_handler = lambda *_: builtins.handled.append(1)")
            lambda_ = account.client("lambda")
            for number in range(3):
                tutorial.put(str(number))
                lambda_.invoke(FunctionName=tutorial.FUNCTION, InvocationType="Event", Payload=b"{}")
            result = [len(builtins.handled)]
            time.sleep(0)
            result.append(len(builtins.handled))
    """)
    assert result == [0, 6]


@pytest.mark.deep
def test_lessons_find_it_and_the_interpreter_is_put_back():
    result = run("""
        import os, time
        import boto3
        from botocore.handlers import BUILTIN_HANDLERS
        from helpers.local_aws import in_process, lifecycle
        from helpers.target import connection
        os.environ.update(AWS_PROFILE="mine", AWS_ACCESS_KEY_ID="AKIAMINE", LOCAL_AWS_HOME=os.devnull)
        account = in_process()
        handlers = len(BUILTIN_HANDLERS)
        client = account.client("sts")
        found = [lifecycle.start() == account.access, lifecycle.status() == account.access, lifecycle.has_account()]
        found.append("AWS_PROFILE" in os.environ)
        found.append(connection.connect().endpoint_url == boto3.client("sts").meta.endpoint_url)
        assert lifecycle.stop()
        account.close()
        found += [os.environ["AWS_PROFILE"], os.environ["AWS_ACCESS_KEY_ID"]]
        found += [lifecycle.is_inside(), boto3.DEFAULT_SESSION]
        found += [time.sleep.__module__, len(BUILTIN_HANDLERS) - handlers]
        try:
            client.get_caller_identity()
        except Exception as error:
            found.append(str(error))
        result = found
    """)
    closed = "The account of this client was in this interpreter, and has been closed."
    assert result == [True, True, True, False, True, "mine", "AKIAMINE", False, None, "time", -1, closed]
