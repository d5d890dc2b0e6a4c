"""Functions that misbehave on purpose: the server survives, others do not notice, nothing stays behind.

Black box, through boto3. Around each of them an innocent function is invoked, before, during and after.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from helpers.local_aws import lifecycle
from helpers.local_aws.execution import environment
from tests.support.async_aws import send
from tests.support.embedded_aws import Aws, Gate, gone, own_home
from tests.support.hostile import failure, innocent_function, linux, posix, unnoticed  # noqa: F401
from tests.support.impatient_aws import impatient_aws
from tests.support.lambda_requests import ECHO, lines_of
from tests.support.polling import PATIENCE, eventually

#: Speaks to the Runtime API as any program can, beside the runtime's own connection.
SPEAK = """
import http.client, os, sys, time
def speak(method, path, body=b"", headers={}):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"], timeout=5)
    connection.request(method, "/2018-06-01/runtime" + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
"""


def printed(aws: Aws, name: str, what: str) -> list[str]:
    """What a function has printed after a word."""
    return [line.split(" ", 1)[1].strip() for line in lines_of(aws, name) if line.startswith(f"{what} ")]


# What a function starts.


@posix
@pytest.mark.parametrize(
    "start",
    [
        "subprocess.Popen([sys.executable, '-c', SLEEP], start_new_session=True)",
        "subprocess.Popen([sys.executable, '-c', IGNORE], start_new_session=True)",
        "daemon({})",
        pytest.param("daemon(None)", marks=linux),
    ],
    ids=["new session", "ignores signals", "daemon", "daemon without variables"],
)
def test_what_a_function_starts_ends_with_its_environment(aws, innocent, start):
    source = f"""
import os, signal, subprocess, sys, time
SLEEP = "import time; time.sleep(600)"
IGNORE = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 3, 15)]; time.sleep(600)"
def daemon(variables):
    twice = "import os, subprocess, sys; "
    twice += "p = subprocess.Popen([sys.executable, '-c', %r], start_new_session=True)" % SLEEP
    twice += "; print('pid', p.pid, flush=True); os._exit(0)"
    subprocess.run([sys.executable, "-c", twice], start_new_session=True, env=None if variables == {{}} else {{}})
def handler(event, context):
    child = {start}
    if child:
        print("pid", child.pid)
    time.sleep(0.5)
"""
    name = aws.function(source, Timeout=20)
    with unnoticed(aws, innocent):
        assert "FunctionError" not in aws.invoke(name)
        (pid,) = eventually(lambda: printed(aws, name, "pid"))
        assert psutil.pid_exists(int(pid)), "it goes on between invocations"
        aws.client("lambda").delete_function(FunctionName=name)
        assert gone(int(pid))


@pytest.mark.deep
@posix
def test_children_of_a_function_that_ran_out_of_time_end(aws, innocent):
    source = """
import os, signal, subprocess, sys, time
for number in (1, 2, 15):
    signal.signal(number, signal.SIG_IGN)
def handler(event, context):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    print("pid", child.pid, flush=True)
    time.sleep(600)
"""
    name = aws.function(source, Timeout=5)
    with unnoticed(aws, innocent):
        before = len(psutil.Process(aws.account.pid).children(recursive=True))
        assert failure(aws.invoke(name)) == ("Sandbox.Timedout", "Task timed out after 5.00 seconds")
        assert gone(int(printed(aws, name, "pid")[0]))
        assert eventually(lambda: len(psutil.Process(aws.account.pid).children(recursive=True)) <= before)


@linux
def test_limits_that_the_system_keeps(aws):
    source = """
import resource
def handler(event, context):
    return [resource.getrlimit(getattr(resource, name)) for name in event]
"""
    name = aws.function(source)
    aws.invoke(name, ["RLIMIT_CORE"])
    data, files, core, processes = aws.invoke(name, ["RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_NPROC"])[
        "Json"
    ]
    assert data == [(1024 + 128) * 1024**2] * 2
    assert files == [1024] * 2
    assert core == [0, 0]
    assert 1024 <= processes[0] < 1_000_000


# Memory.


@pytest.mark.parametrize(
    "source",
    [
        "def handler(event, context):\n    hoard = []\n    while True: hoard.append(b'x' * 2**20)\n",
        "hoard = []\nwhile True: hoard.append(b'x' * 2**20)\n",
    ],
    ids=["handler", "import"],
)
def test_memory_without_end(aws, innocent, source):
    name = aws.function(source, Timeout=30)
    with unnoticed(aws, innocent):
        answer = aws.invoke(name, LogType="Tail")
        assert failure(answer) == ("Runtime.ExitError", "Runtime exited with error: signal: killed")
    report = base64.b64decode(answer["LogResult"]).decode().splitlines()[-1]
    assert "Max Memory Used: 128 MB\t" in report
    assert report.endswith("Status: error\tError Type: Runtime.OutOfMemory\t")


@pytest.mark.deep
def test_memory_of_a_child(aws, innocent):
    source = """
import subprocess, sys, time
def handler(event, context):
    subprocess.run([sys.executable, "-c", "import time; x = b'x' * (300 * 2**20); time.sleep(60)"])
"""
    name = aws.function(source, Timeout=30)
    with unnoticed(aws, innocent):
        assert failure(aws.invoke(name)) == ("Runtime.ExitError", "Runtime exited with error: signal: killed")


@pytest.mark.deep
def test_memory_that_grows_between_invocations(aws, innocent):
    source = """
import os, threading, time
def grow():
    time.sleep(5)  # by then the invocation has long been answered
    hoard.append(b"x" * (300 * 2**20))
hoard = []
def handler(event, context):
    if event == "grow":
        threading.Thread(target=grow, daemon=True).start()
    return os.getpid()
"""
    name = aws.function(source, Timeout=60)
    with unnoticed(aws, innocent):
        assert gone(aws.invoke(name, "grow")["Json"])
        assert "FunctionError" not in aws.invoke(name)


# Output.


def scratch_bytes(aws: Aws) -> int:
    """What the environments' scratch folders hold at this moment."""
    total = 0
    for path in (aws._home / "scratch").rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


@pytest.mark.deep
@pytest.mark.parametrize("unit", ["b'x' * 99 + b'\\n'", "b'x' * 100"], ids=["lines", "one line"])
def test_gigabytes_of_output(aws, innocent, unit):
    source = f"""
import os
BLOCK = ({unit}) * 10_000
def handler(event, context):
    if event:
        return "fine"
    for _ in range(2500):
        at = 0
        while at < len(BLOCK):
            at += os.write(1, BLOCK[at:])
    return "done"
"""
    name = aws.function(source, Timeout=600)
    server, largest, memory = psutil.Process(aws.account.pid), 0, 0
    with unnoticed(aws, innocent), ThreadPoolExecutor(1) as pool:
        before = server.memory_info().rss
        running = pool.submit(aws.invoke, name)
        while not running.done():
            largest, memory = max(largest, scratch_bytes(aws)), max(memory, server.memory_info().rss)
            time.sleep(0.02)
        assert running.result()["Json"] == "done"
    assert largest < 1250 * 2**20, "the disk stays free: half of it at most, on a machine that is busy"
    assert memory - before < 150 * 2**20, "and the memory"
    log = aws.log(name)
    assert sum(map(len, log)) < 5 * 2**20
    (cut,) = [line for line in log if line.startswith("LOCAL LIMIT: ")]
    assert "bytes that the function printed are not in this log. It keeps 4 MB of what one invocation prints." in cut
    assert log[-2].startswith("END RequestId")
    aws.invoke(name, "again")
    assert not any("xxx" in line for line in aws.log(name)[len(log) :]), "nothing is left for the next invocation"


@pytest.mark.deep
def test_temporary_files_without_end(aws, innocent):
    source = """
import tempfile, time
def handler(event, context):
    with tempfile.TemporaryFile() as hidden, open(tempfile.mkdtemp() + "/large", "wb") as file:
        for _ in range(event["megabytes"]):
            file.write(b"x" * 2**20)
        file.flush()
        time.sleep(event["sleep"])
    return "written"
"""
    name = aws.function(source, Timeout=60, MemorySize=256, EphemeralStorage={"Size": 512})
    with unnoticed(aws, innocent):
        assert aws.invoke(name, {"megabytes": 300, "sleep": 1.5})["Json"] == "written"
        answer = aws.invoke(name, {"megabytes": 300, "sleep": 50})
        message = "Runtime ended: no space left, its temporary files are larger than 512 MB"
        assert failure(answer) == ("Runtime.ExitError", message), "both files are there: the environment is the same"
        assert aws.invoke(name, {"megabytes": 1, "sleep": 0})["Json"] == "written", "a new environment has a new folder"


@pytest.mark.deep
def test_output_between_invocations_is_bounded(aws, innocent):
    source = """
import os, threading, time
def chatter():
    end = time.monotonic() + 3
    while time.monotonic() < end:
        os.write(1, b"x" * 2**20)
        time.sleep(0.005)
def handler(event, context):
    threading.Thread(target=chatter, daemon=True).start()
"""
    name = aws.function(source)
    with unnoticed(aws, innocent):
        aws.invoke(name)
        sizes = []
        for _ in range(30):
            time.sleep(0.1)
            sizes.append(scratch_bytes(aws))
        assert max(sizes) < 200 * 2**20
        assert eventually(lambda: scratch_bytes(aws) < 64 * 2**20)


# Ends, and what a function does to itself.


@pytest.mark.deep
@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("os.closerange(3, 65536)", ("Runtime.ExitError", "Runtime exited with error: exit status 1")),
        pytest.param(
            "os.closerange(0, 65536)", ("Runtime.ExitError", "Runtime exited with error: exit status 120"), marks=posix
        ),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGSEGV)",
            ("Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
            marks=posix,
        ),
        pytest.param("os.kill(0, 9)", ("Runtime.ExitError", "Runtime exited with error: signal: killed"), marks=posix),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGSTOP)",
            ("Sandbox.Timedout", "Task timed out after 2.00 seconds"),
            marks=posix,
        ),
        ("import re; re.match('(a+)+$', 'a' * 40 + 'b')", ("Sandbox.Timedout", "Task timed out after 2.00 seconds")),
    ],
    ids=["closes its files", "closes all files", "segmentation fault", "kills its group", "stops", "keeps the GIL"],
)
def test_a_worker_that_breaks(aws, innocent, statement, error):
    source = f"import os, signal, sys\ndef handler(event, context):\n    if event: return event\n    {statement}"
    name = aws.function(source, Timeout=2 if error[0] == "Sandbox.Timedout" else 60)
    with unnoticed(aws, innocent):
        assert failure(aws.invoke(name)) == error
        assert aws.invoke(name, "again")["Json"] == "again"


def test_recursion_without_end(aws, innocent):
    source = """
def deeper(level): return deeper(level + 1)
def handler(event, context): return deeper(0)
"""
    name = aws.function(source, Timeout=10)
    with unnoticed(aws, innocent):
        answer = aws.invoke(name)
    assert answer["Json"]["errorType"] == "RecursionError"


@pytest.mark.parametrize("megabytes", [7, 30, 110])
def test_an_answer_that_is_too_large(aws, innocent, megabytes):
    name = aws.function(
        f"def handler(event, context): return event or 'x' * ({megabytes} * 2**20)", Timeout=30, MemorySize=1024
    )
    with unnoticed(aws, innocent):
        answer = aws.invoke(name)
        assert answer["FunctionError"] == "Unhandled"
        assert answer["Json"]["errorType"] == "Function.ResponseSizeTooLarge"
        assert "exceeded maximum allowed payload size (6291556 bytes)." in answer["Json"]["errorMessage"]
        assert aws.invoke(name, "again")["Json"] == "again"


@pytest.mark.parametrize("answer", ["object()", "{1, 2}", "lambda: 1"])
def test_an_answer_that_is_no_json(aws, answer):
    name = aws.function(f"def handler(event, context): return {answer}")
    found = aws.invoke(name)
    assert found["Json"]["errorType"] == "Runtime.MarshalError"
    assert "Unable to marshal response" in found["Json"]["errorMessage"]


def test_a_function_that_deletes_its_code(aws, innocent):
    source = """
import os, shutil
def handler(event, context):
    shutil.rmtree(os.environ["LAMBDA_TASK_ROOT"])
    os._exit(1)
"""
    if os.name != "posix":
        pytest.skip("Windows does not delete a folder that a process works in")
    name = aws.function(source)
    with unnoticed(aws, innocent):
        assert failure(aws.invoke(name))[0] == "Runtime.ExitError"
        error_type, message = failure(aws.invoke(name))
    assert error_type == "Sandbox.Failed"
    assert message.startswith("the function's code is gone: its folder was deleted")
    assert "update_function_code" in message


def test_a_function_that_changes_its_surroundings(aws, innocent):
    source = """
import os, sys, tempfile
def handler(event, context):
    os.chdir(tempfile.gettempdir())
    os.environ["PYTHONPATH"] = os.environ["PATH"] = "/nowhere"
    sys.path[:] = []
    sys.stdout = sys.stderr = None
    return os.getpid()
"""
    name = aws.function(source)
    with unnoticed(aws, innocent):
        first, second = aws.invoke(name), aws.invoke(name)
    assert isinstance(first["Json"], int)
    assert second["Json"] == first["Json"]


def test_a_function_is_not_told_where_the_account_keeps_its_keys(aws):
    name = aws.function("import os\ndef handler(event, context): return [dict(os.environ), os.getcwd(), os.listdir()]")
    text = json.dumps(aws.invoke(name)["Json"])
    assert aws.account.secret_access_key not in text
    assert "LOCAL_AWS_HOME" not in text
    assert "account.json" not in text


# The Runtime API.


def test_forged_answers_are_refused(aws, innocent):
    source = (
        SPEAK
        + """
def handler(event, context):
    own, other = context.aws_request_id, "00000000-0000-0000-0000-000000000000"
    return [
        speak("POST", f"/invocation/{other}/response", b'"forged"')[0],
        speak("POST", f"/invocation/{other}/error", b'{}')[0],
        speak("POST", "/init/error", b'{}')[0],
        speak("GET", "/invocation/next")[0],
        speak("GET", "/nowhere")[0],
        speak("PUT", f"/invocation/{own}/response", b'"forged"')[0],
    ]
"""
    )
    name = aws.function(source)
    with unnoticed(aws, innocent):
        assert aws.invoke(name)["Json"] == [400] * 6
        assert aws.invoke(name)["Json"] == [400] * 6


def test_an_answer_given_twice_counts_once(aws, innocent):
    source = (
        SPEAK
        + """
def handler(event, context):
    path = f"/invocation/{context.aws_request_id}/response"
    print("twice", speak("POST", path, b'"first"'), speak("POST", path, b'"second"'), flush=True)
    return "third"
"""
    )
    name = aws.function(source, Timeout=10)
    with unnoticed(aws, innocent):
        for _ in range(2):
            assert aws.invoke(name)["Json"] == "first"


@pytest.mark.deep
@pytest.mark.parametrize(
    "request_text",
    [
        "POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\\r\\nContent-Length: 1000000\\r\\n\\r\\nhalf",
        "POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\\r\\nContent-Le",
        "nonsense\\r\\n\\r\\n",
        "GET / HTTP/1.1\\r\\nContent-Length: 999999999999\\r\\n\\r\\n",
    ],
    ids=["half a body", "half a header", "nonsense", "a huge body announced"],
)
def test_broken_requests_hold_nothing_up_beyond_the_timeout(aws, innocent, request_text):
    source = f"""
import os, socket, time
def handler(event, context):
    if event:
        return event
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(b"{request_text}")
    try:
        while True:
            time.sleep(0.2)
            connection.sendall(b"x")
    except OSError:
        pass
    time.sleep(600)
"""
    name = aws.function(source, Timeout=2)
    with unnoticed(aws, innocent):
        answer = aws.invoke(name)
        assert answer["Json"]["errorType"] in ("Sandbox.Timedout", "Function.ResponseSizeTooLarge")
        assert aws.invoke(name, "again")["Json"] == "again"


@pytest.mark.deep
def test_hundreds_of_connections_to_the_runtime_api(aws, innocent):
    source = """
import os, socket
def handler(event, context):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    kept = []
    for _ in range(300):
        try:
            kept.append(socket.create_connection((host, int(port)), timeout=5))
        except OSError:
            break
    return len(kept)
"""
    name = aws.function(source, Timeout=30)
    server = psutil.Process(aws.account.pid)
    with unnoticed(aws, innocent):
        before = len(server.net_connections())
        assert aws.invoke(name)["Json"] > 0
        assert len(server.net_connections()) - before < 100


@pytest.mark.deep
def test_hundreds_of_connections_to_the_account(aws, innocent):
    source = """
import os, socket, time
from urllib.parse import urlsplit
def handler(event, context):
    address = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    kept = []
    for _ in range(900):
        try:
            kept.append(socket.create_connection((address.hostname, address.port), timeout=5))
        except OSError:
            break
    time.sleep(1)
    return len(kept)
"""
    name = aws.function(source, Timeout=120)
    with unnoticed(aws, innocent):
        assert aws.invoke(name)["Json"] > 0


@pytest.mark.deep
def test_the_runtime_api_of_another_environment_does_not_listen(aws, innocent, tmp_path):
    gate = Gate(tmp_path / "gate")
    victim = aws.function(
        Gate.SOURCE + "import os\ndef handler(event, context):\n    print('api', os.environ['AWS_LAMBDA_RUNTIME_API'], "
        "context.aws_request_id, flush=True)\n    if event: pass_gate(event)\n    return 'mine'",
    )
    attacker = aws.function(
        """
import http.client
def handler(event, context):
    outcomes = []
    for path in event["paths"]:
        connection = http.client.HTTPConnection(event["api"], timeout=3)
        try:
            connection.request("POST", path, b'"forged"')
            outcomes.append(connection.getresponse().status)
        except (http.client.HTTPException, OSError):
            outcomes.append("refused")
    return outcomes
""",
    )
    assert aws.invoke(victim)["Json"] == "mine"
    assert aws.invoke(attacker, {"api": "x", "paths": []})["Json"] == []
    api = printed(aws, victim, "api")[0].split()[0]
    with unnoticed(aws, innocent), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(aws.invoke, victim, gate.folder)
        gate.wait_for(1)
        paths = [f"/2018-06-01/runtime/{path}" for path in ("invocation/x/response", "init/error", "invocation/next")]
        assert aws.invoke(attacker, {"api": api, "paths": paths})["Json"] == ["refused"] * 3
        gate.open()
        assert answer.result()["Json"] == "mine"


def test_a_worker_that_takes_events_and_ends_does_not_go_on_for_ever(aws, innocent):
    """Each of its workers asks for an event at import and is gone when it comes."""
    source = (
        SPEAK
        + """
import socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
connection = socket.create_connection((host, int(port)))
connection.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n")
os._exit(0)
"""
    )
    name = aws.function(source, Timeout=5)
    with unnoticed(aws, innocent):
        assert failure(aws.invoke(name)) == ("Runtime.ExitError", "Runtime exited without providing a reason")


def test_an_error_type_of_its_own_stays_in_its_line(aws):
    source = (
        SPEAK
        + """
speak("POST", "/init/error", b'{"errorMessage": "m"}', {"Lambda-Runtime-Function-Error-Type": "T" * 5000})
os._exit(1)
"""
    )
    name = aws.function(source)
    assert aws.invoke(name)["FunctionError"] == "Unhandled"
    assert max(map(len, aws.log(name))) < 1000


# Kills.


@pytest.mark.deep
def test_a_worker_killed_during_a_synchronous_invocation(aws, innocent, tmp_path):
    gate = Gate(tmp_path / "gate")
    name = aws.function(
        Gate.SOURCE + "import os\ndef handler(event, context):\n    print('pid', os.getpid(), flush=True)\n"
        "    if event: pass_gate(event)\n    return os.getpid()",
    )
    first = aws.invoke(name)["Json"]
    with unnoticed(aws, innocent), ThreadPoolExecutor(1) as pool:
        running = pool.submit(aws.invoke, name, gate.folder)
        gate.wait_for(1)
        psutil.Process(first).kill()
        error_type, message = failure(running.result(PATIENCE))
        assert error_type == "Runtime.ExitError"
        assert os.name == "nt" or message == "Runtime exited with error: signal: killed"
        assert aws.invoke(name)["Json"] != first, "the next invocation gets another environment"


@pytest.mark.deep
def test_a_worker_killed_during_an_asynchronous_invocation(aws, innocent, tmp_path):
    """The event is tried again, under the same request id, and not lost."""
    flag = tmp_path / "second"
    source = f"""
import os, time
def handler(event, context):
    if not os.path.exists({str(flag)!r}):
        print("pid", os.getpid())
        open({str(tmp_path / "pid.new")!r}, "w").write(str(os.getpid()))
        os.replace({str(tmp_path / "pid.new")!r}, {str(tmp_path / "pid")!r})
        time.sleep(600)
    print("done", context.aws_request_id)
"""
    name = aws.function(source, Timeout=600)
    with unnoticed(aws, innocent):
        request_id = send(aws, name, {})
        assert eventually((tmp_path / "pid").exists)
        flag.touch()
        psutil.Process(int((tmp_path / "pid").read_text())).kill()
        assert eventually(lambda: printed(aws, name, "done")) == [request_id]


@pytest.mark.deep
@posix
@pytest.mark.parametrize(
    "what",
    ["time.sleep(600)", "re.match('(a+)+$', 'a' * 60 + 'b')", "os.closerange(3, 65536); time.sleep(600)"],
    ids=["sleeps", "keeps the GIL", "has closed its files"],
)
def test_workers_end_soon_after_the_server_was_killed(tmp_path, what):
    if what.startswith("re.") and sys.platform != "linux":
        pytest.skip("only Linux ends a worker that lets no other thread run")
    source = f"""
import os, re, signal, sys, time
[signal.signal(number, signal.SIG_IGN) for number in (1, 2, 15)]
def handler(event, context):
    if event:
        open(event, "w").close()
        {what}
    return os.getpid()
"""
    with own_home(tmp_path):
        aws = Aws(lifecycle.start())
        name = aws.function(source, Timeout=600)
        pid = aws.invoke(name)["Json"]
        send(aws, name, str(tmp_path / "it-runs"))
        eventually((tmp_path / "it-runs").exists)
        time.sleep(0.2)  # and is in the middle of it
        psutil.Process(aws.account.pid).kill()
        assert gone(pid)


@pytest.mark.deep
@posix
def test_the_next_server_ends_what_a_killed_one_left(tmp_path):
    source = """
import subprocess, sys
def handler(event, context):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True).pid
"""
    with own_home(tmp_path):
        aws = Aws(lifecycle.start())
        pid = aws.invoke(aws.function(source, Timeout=20))["Json"]
        psutil.Process(aws.account.pid).kill()
        time.sleep(0.5)
        assert psutil.pid_exists(pid), "it left the worker's session, so it did not end with it"
        lifecycle.start()
        assert gone(pid)
        lifecycle.stop()


@pytest.mark.deep
def test_an_import_that_never_ends(tmp_path):
    assert environment.INIT_TIMEOUT == 30
    with impatient_aws(tmp_path / "home", 6) as aws:
        name = aws.function("import time\ntime.sleep(600)\ndef handler(event, context): pass", Timeout=3)
        with unnoticed(aws, aws.function(ECHO)):
            assert failure(aws.invoke(name)) == ("Sandbox.Timedout", "Init timed out after 6.00 seconds")
