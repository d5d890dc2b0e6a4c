"""Run the process of the embedded AWS: one HTTP endpoint on loopback, in front of moto and of what is ours.

It runs code that it is sent, so it is a way into the machine. Hence: it listens on loopback only; a request
needs a valid signature, in a header or in the link to a function's package; a request that a web page could have caused
(a foreign Host or Origin) is refused before anything else is read from it; and no answer carries a CORS header.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .account.account_owner import AccountOwner
from .account.credentials import ACCOUNT_ID, REGION, Credentials, CredentialStore, random_credentials
from .execution import process_family
from .http.endpoint import Endpoint
from .http.http1 import Request
from .lifecycle import Account, Home
from .storage.store import StoreError

logger = logging.getLogger("local_aws.server")

#: Path of the calls with which `lifecycle` asks how the server is and ends it.
CONTROL = "/_local_aws/"
#: Hours without a request after which the server ends itself.
IDLE_HOURS = float(os.environ.get("LOCAL_AWS_IDLE_HOURS", "8"))
#: Seconds between two looks at whether the server is still wanted.
WATCH_INTERVAL = 2.0


class Server:
    """The account: its endpoint, its credentials and its services."""

    def __init__(self, home: Home, port: int) -> None:
        """Bind the port and prepare the account in `home`. Raises StoreError, and OSError when the port is taken."""
        self._home = home
        self._token = random_credentials().secret_access_key
        self._stopped = threading.Event()
        self._owner = AccountOwner.of(home.path)  # before anything is touched: another server may have the folder
        self._administrator = self._owner.administrator
        self._clear_scratch()
        # Bound first: a taken port is known at once, and whoever asks early waits in the listener's queue.
        self._endpoint = self._bind(port)
        self._owner.remember(self._endpoint.port)
        self._build()

    def _bind(self, port: int) -> Endpoint:
        """Without a port given, the one of the last server: who used the account then finds it again."""
        if not port and self._owner.last_port:
            with contextlib.suppress(OSError):
                return Endpoint(self._owner.last_port, self._answer)
        return Endpoint(port, self._answer)

    def _clear_scratch(self) -> None:
        """Temporary files go under the home folder, so that what a killed server left is removed by the next."""
        process_family.kill_leftovers(self._home.path / "functions")
        (self._home.path / "functions").mkdir(mode=0o700, exist_ok=True)
        scratch = self._home.path / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        tempfile.tempdir = str(scratch)

    def _build(self) -> None:
        """Import moto and put our parts into it. This is where starting takes its time."""
        _set_what_moto_reads()
        self._import_what_answers()
        self._credentials = CredentialStore(self._administrator)
        self.endpoint_url = f"http://127.0.0.1:{self._endpoint.port}"
        _install(self._home.path / "functions", self._credentials.find)
        self._prepare_functions()
        if self._owner.store is None:
            self._lambda.revive()
        else:
            self._saved.open_with(self._owner.store)

    def _import_what_answers(self) -> None:
        """Import what answers requests, and moto with it, which reads its settings from the environment."""
        from .awslambda import code_download, function_runner, lambda_service
        from .events import event_bus
        from .http import ambiguity, dispatch, signing
        from .iam import access_control
        from .recovery import effects, saved_state
        from .storage import journal

        self._dispatch, self._signing, self._access = dispatch, signing, access_control
        self._ambiguity = ambiguity
        self._effects, self._journal, self._saved = effects, journal, saved_state
        self._runner, self._lambda, self._bus = function_runner, lambda_service, event_bus
        self._code_download = code_download

    def _prepare_functions(self) -> None:
        """Tell those who run functions where the account is, and where logs go."""
        from .logs.log_writer import LogWriter

        self._logs = LogWriter(ACCOUNT_ID, REGION)
        host = self._runner.Host(self.endpoint_url, self._credentials.for_role, self._logs.append)
        self._runner.set_host(host)
        self._code_download.set_endpoint(self.endpoint_url)

    def account(self) -> Account:
        keys = self._administrator
        return Account(
            self.endpoint_url,
            keys.access_key_id,
            keys.secret_access_key,
            REGION,
            ACCOUNT_ID,
            os.getpid(),
            started=True,
        )

    def run(self) -> None:
        """Serve until `stop`, a signal, hours without use, or the loss of the state file."""
        threading.Thread(target=self._endpoint.serve_forever, args=(0.1,), name="endpoint", daemon=True).start()
        self._home.write({**asdict(self.account()), "token": self._token})
        self._saved.resume()
        try:
            while not self._stopped.wait(WATCH_INTERVAL):
                if time.monotonic() - self._endpoint.last_request > IDLE_HOURS * 3600:
                    logger.info("nobody used the account for %g hours: it ends", IDLE_HOURS)
                    return
                if (self._home.read() or {}).get("token") != self._token:
                    logger.info("another server, or none, belongs to %s: this one ends", self._home.path)
                    return
        finally:
            self.close()

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        """Take no more requests, kill the workers, save the account, and forget the state file if it is still ours."""
        threading.Thread(target=self._endpoint.shutdown, daemon=True).start()
        self._endpoint.server_close()
        self._bus.close()
        if self._owner.store is None:
            self._lambda.close_all()
        self._runner.close_all()
        self._logs.close()
        self._saved.close()
        if (self._home.read() or {}).get("token") == self._token:
            self._home.clear()

    def _answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        try:
            return self._answered(request)
        except Exception:  # no more files, processes or memory, too
            logger.exception("%s %s could not be answered", request.method, request.target)
            message = "The embedded AWS failed; its server.log says why."
            return self._dispatch.error_answer(_named_service(request), 500, "InternalFailure", message)

    def _answered(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.path.startswith(CONTROL):
            return self._control(request)
        if request.path.startswith(self._code_download.PATH):
            return self._code_download.answer(request)
        try:
            caller = self._signing.authenticate(request, self._credentials)
        except self._signing.NotAuthenticated as error:
            return self._refuse(request, error)
        problem = self._ambiguity.problem(request, caller.service.lower())
        if problem is not None:
            return self._dispatch.error_answer(caller.service.lower(), 400, "ValidationException", problem)
        if caller.service in ("logs", "iam"):
            # Whoever reads the logs reads all that was written before; a policy that changes is no matter to it.
            self._logs.flush()
        refusal = self._access.refuse(caller, request)
        if refusal is not None:
            return refusal
        return self._keeping(request, caller.service, caller.region)

    def _keeping(self, request: Request, service: str, region: str) -> tuple[int, dict[str, str], bytes]:
        """Have the service answer; what the call has changed is on disk by then."""
        effect = self._effects.effect_of(service, request)
        writes = effect is not self._effects.Effect.NOTHING
        try:
            if writes and self._journal.in_trouble():
                self._journal.commit()  # what could not be written before comes first
            answer = self._dispatch.dispatch(request, service, region)
            if effect is self._effects.Effect.STATE:
                self._journal.changed(service, region)
            if writes or not self._journal.in_trouble():
                self._journal.commit()
        except StoreError as error:
            logger.warning("%s", error)
            return self._dispatch.error_answer(service, 507, "InternalFailure", str(error)) if writes else answer
        return answer

    def _refuse(self, request: Request, error: Any) -> tuple[int, dict[str, str], bytes]:
        """Without a valid signature the service is not known for certain: the form of the answer is a good guess."""
        service = _named_service(request)
        xml = service in ("iam", "sts", "s3", "sns", "cloudformation")
        json_status = 400 if "x-amz-target" in request.headers else 403
        code = error.query_code if xml else error.code
        return self._dispatch.error_answer(service, 403 if xml else json_status, code, str(error))

    def _control(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return 403, {}, b""
        command = request.path.removeprefix(CONTROL)
        if (request.method, command) == ("GET", "status"):
            return 200, {"Content-Type": "application/json"}, json.dumps({"pid": os.getpid()}).encode()
        if (request.method, command) == ("POST", "stop"):
            self.stop()
            return 202, {}, b""
        return 404, {}, b""


def _set_what_moto_reads() -> None:
    """Set moto's own settings, and leave out the user's of AWS, which may be of any kind."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    for name in ("MOTO_ACCOUNT_ID", "AWS_PROFILE", "INITIAL_NO_AUTH_ACTION_COUNT"):
        os.environ.pop(name, None)
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def _install(code_root: Path, find_credentials: Callable[[str], Credentials | None]) -> None:
    """Put our parts into moto, in this order.

    code_root: the folder for unpacked functions; find_credentials: knows the credentials of an access key id.
    """
    from . import cloudformation
    from .awslambda import lambda_service
    from .cloudwatch import metric_requests
    from .dynamodb import (
        attribute_names,
        consumed_capacity,
        item_answers,
        table_scans,
        table_shortcuts,
        typed_comparisons,
    )
    from .events import event_bus
    from .http import ambiguity, json_requests, service_models
    from .iam import policy_documents, security_tokens
    from .recovery import saved_state
    from .seams import table as seams
    from .sqs import backend as sqs

    service_models.install()
    ambiguity.install()
    lambda_service.install(code_root)
    event_bus.install()
    attribute_names.install()
    consumed_capacity.install()
    item_answers.install()
    json_requests.install()  # after ambiguity, see there
    table_shortcuts.install()
    table_scans.install()
    typed_comparisons.install()
    sqs.install()
    metric_requests.install()
    policy_documents.install()
    security_tokens.install()
    cloudformation.install(find_credentials)
    saved_state.install()
    seams.install()


def _named_service(request: Request) -> str:
    """Return the service that a request says it is for, which nobody has checked yet."""
    scope = request.headers.get("authorization", "").split("/")
    return scope[3] if len(scope) > 3 else "s3" if "x-amz-target" not in request.headers else ""


def main(home: str, port: int) -> int:
    """Run the account that belongs to the folder `home`: the entry point of `run`, and of what `start` launches."""
    os.umask(0o077)  # what the account writes is its user's alone, whatever the terminal's mask
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    process_family.adopt_orphans()
    process_family.allow_many_files()
    # A thread that wants the GIL gets it after this long (seconds) at most: an order crosses several of them. Still
    # shorter, and a burst's threads switch so often that it costs a tenth of their time.
    sys.setswitchinterval(0.002)
    try:
        server = Server(Home(Path(home)), port)
    except StoreError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Port {port} cannot be used: {error.strerror}. Choose another with --port.", file=sys.stderr)
        return 2
    _stop_on_signals(server)
    server.run()
    return 0


def _stop_on_signals(server: Server) -> None:
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: server.stop())
