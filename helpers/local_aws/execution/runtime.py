"""Run a function inside an execution environment: AWS's Python runtime in small, one file, standard library only.

It is started as a script, in isolation from this project, and does what AWS's own runtime client (awslambdaric)
does: import the handler, then ask the Runtime API for the next event, call the handler, post the result, for ever.
awslambdaric has wheels for Linux only; this runs everywhere, and the tests hold the two against each other. Where there
are no processes, `in_process_environment` loads this file and calls its functions.
Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import importlib
import json
import logging
import os
import re
import socket
import sys
import threading
import time
import traceback
from decimal import Decimal
from importlib.machinery import PathFinder

API = "/2018-06-01/runtime"
TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
#: Where AWS unpacks a function, and where its Python lies. Tracebacks name these.
AWS_TASK_ROOT = "/var/task"
AWS_LIBRARY = f"/var/lang/lib/python{sys.version_info[0]}.{sys.version_info[1]}"
_LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120  a cold start waits for what is imported here


#: What tells the time of day that deadlines are in, and the time that passes until then: a clock may be set meanwhile.
now, passed = time.time, time.monotonic
#: What AWS's Python runtime has beside the standard library. A function that needs more brings it in its zip,
#: here too.
#: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
RUNTIME_PACKAGES = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"}


class RuntimePackages:
    """Finds the runtime's own packages, and no others, where this machine has installed them."""

    def __init__(self, folders):
        self._folders = folders

    def find_spec(self, name, path=None, target=None):
        if path is None and name in RUNTIME_PACKAGES:
            return PathFinder.find_spec(name, self._folders, target)
        return None


class Fault(Exception):
    """A failure that is the runtime's to report, under one of Lambda's own error types."""

    def __init__(self, error_type, message, trace=()):
        super().__init__(message)
        self.error_type, self.trace = error_type, list(trace)


class RuntimeApi:
    """A client of the Runtime API that keeps its one connection open."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")
        self._host = address

    def next(self):
        """Wait for the next event; return its headers (names in lower case) and body."""
        return self._call(self._next())

    def respond(self, request_id, body):
        """Post an answer, and wait for the next event: see `next`."""
        return self._post_and_next(f"/invocation/{request_id}/response", body)

    def fail(self, request_id, error):
        """Post an error, and wait for the next event: see `next`."""
        return self._post_and_next(f"/invocation/{request_id}/error", *_as_body(error))

    def fail_init(self, error):
        self._call(self._request("POST", "/init/error", *_as_body(error)))

    def _post_and_next(self, path, body, error_type=None):
        # Both at once: nothing else can follow an answer, and each wait costs a warm invocation its share.
        self._socket.sendall(self._request("POST", path, body, error_type) + self._next())
        self._read()  # refused where the function has answered by itself: that is its affair, the next event comes
        return self._answer()

    def _next(self):
        return self._request("GET", "/invocation/next")

    def _request(self, method, path, body=b"", error_type=None):
        head = f"{method} {API}{path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n"
        if error_type:
            head += f"Lambda-Runtime-Function-Error-Type: {ascii(error_type)[1:-1]}\r\n"
        return head.encode() + b"\r\n" + body

    def _call(self, request):
        self._socket.sendall(request)
        return self._answer()

    def _answer(self):
        status, headers, content = self._read()
        if status not in (b"200", b"202"):
            raise RuntimeError(f"Runtime API: answered {status.decode()}: {content[:200]!r}")
        return headers, content

    def _read(self):
        status = self._stream.readline()
        if not status:
            os._exit(0)  # the embedded AWS is gone, and with it the reason to be
        headers = {}
        while line := self._stream.readline().rstrip(b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        content = self._stream.read(int(headers.get("content-length", 0)))
        return status.split(b" ", 2)[1], headers, content


def _as_body(error):
    """Return an error report as JSON, and its type."""
    return json.dumps(error, ensure_ascii=False).encode(), error["errorType"]


class _Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class _Namespace:
    """A client context: the caller's JSON object, with its members as attributes."""

    def __init__(self, members):
        self.client = self.custom = self.env = None
        self.__dict__.update(members)
        if isinstance(self.client, dict):
            self.client = _Namespace(self.client)


class LambdaContext:
    """The second argument of a handler. https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, headers):
        environ = os.environ
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.tenant_id = None
        self.identity = _Identity()
        client_context = headers.get("lambda-runtime-client-context")
        self.client_context = _Namespace(json.loads(client_context)) if client_context else None
        self._ends = passed() + int(headers["lambda-runtime-deadline-ms"]) / 1000 - now()

    def get_remaining_time_in_millis(self):
        return max(0, round((self._ends - passed()) * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class _RequestId(logging.Filter):
    """Gives each log record the id of the request that is being handled."""

    current = ""

    def filter(self, record):
        record.aws_request_id = _RequestId.current
        return True


def main():
    _watch_parent()
    # Line by line: what was printed before a crash or a timeout is in the log.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]  # a TextIOWrapper
    sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]  # a TextIOWrapper
    set_up_logging()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    sys.path[0] = TASK_ROOT
    sys.meta_path.append(RuntimePackages(sys.argv[1:]))
    handler = initialise(api)
    event = api.next()
    while True:
        event = handle(api, handler, *event)


def _watch_parent():
    """End with the embedded AWS, however it ends: its end of the pipe on standard input closes when it dies."""
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    _end_by_signal(lifeline)

    def watch():
        try:
            os.read(lifeline, 1)
        finally:
            if hasattr(os, "killpg"):
                os.killpg(0, 9)  # and whatever the function has started
            os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _end_by_signal(lifeline):
    """Where the system can do it, it kills the group when the pipe closes: a thread of a busy worker may never run."""
    try:
        import fcntl

        fcntl.fcntl(lifeline, fcntl.F_SETSIG, 9)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        pass  # Linux alone has F_SETSIG; the thread must do elsewhere


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_RequestId())
    logging.getLogger().addHandler(handler)


def initialise(api):
    """Import the handler and return it; a function that cannot be imported ends here, and the API is told why."""
    try:
        return _find_handler(os.environ["_HANDLER"])
    except Exception as error:
        report = _error_report(error, "")
        _log_error(report)
        api.fail_init(report)
        sys.exit(1)


def _find_handler(name):
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise Fault(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)",
        )
    module_name = module_name.replace("/", ".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{_aws_path(error.filename)}" Line {error.lineno}\n    {error.text}']
        message = str(error).replace(TASK_ROOT, AWS_TASK_ROOT)
        raise Fault(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {message}", trace
        ) from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        raise Fault(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from error


def handle(api, handler, headers, body):
    """Have the handler work on one event, tell what became of it, and return the next one."""
    request_id = _RequestId.current = headers["lambda-runtime-aws-request-id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    try:
        answer = handler(_unmarshal(body), LambdaContext(headers))
        result = _marshal(answer)
    except Exception as error:
        report = _error_report(error, request_id)
        _log_error(report)
        flush()
        return api.fail(request_id, report)
    flush()
    return api.respond(request_id, result)


def _unmarshal(body):
    try:
        return json.loads(body)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def _marshal(answer):
    if isinstance(answer, bytes):
        return answer
    try:
        text = json.dumps(answer, ensure_ascii=False, default=_mark_decimal)
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    return _MARKED.sub(r"\1", text).encode("utf-8", "surrogatepass")


#: Stands around a decimal's digits until the text is made: the json module cannot write a number digit by
#: digit.
_MARK = f"decimal-{os.urandom(8).hex()}:"
_MARKED = re.compile(f'"{_MARK}([^"]*)"')


def _mark_decimal(value):
    """Mark a Decimal, which leaves as a number with all its digits, as on AWS."""
    if isinstance(value, Decimal):
        return float("nan") if value.is_nan() else f"{_MARK}{value}"
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _error_report(error, request_id):
    if isinstance(error, Fault):
        error_type, trace = error.error_type, error.trace
    else:
        error_type, trace = type(error).__name__, _trace(error)
    return {"errorMessage": str(error), "errorType": error_type, "requestId": request_id, "stackTrace": trace}


def _trace(error):
    """Return the frames of the function, without the runtime's own above them."""
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename == __file__:
        del frames[0]
    shown = [(_aws_path(f.filename), f.lineno, f.name, f.line) for f in frames]
    return traceback.format_list(shown)  # type: ignore[arg-type]  # a line may have no number


def _aws_path(path):
    """Where the file would be on AWS: the same on every machine, and nothing of this one is told."""
    for here, there in ((TASK_ROOT, AWS_TASK_ROOT), (_LIBRARY, AWS_LIBRARY)):
        if path and path.startswith(here):
            return there + path[len(here) :].replace(os.sep, "/")
    return path


def _log_error(report):
    """One log event for the whole traceback: its lines are joined by a carriage return, which does not end an event."""
    lines = [f"[ERROR] {report['errorType']}: {report['errorMessage']}", "Traceback (most recent call last):"]
    for entry in report["stackTrace"]:
        for line in entry.splitlines():
            text = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(text)) + text)
    print("\r".join(line.replace("\n", "\r") for line in lines))


def flush():
    """Flush what the function printed before its answer: the log of an invocation is whole when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105  a cold start waits for what is imported here
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or replaced by something else
            pass


if __name__ == "__main__":
    main()
