"""The account without a process around it: built, asked, closed. It has no sockets, no signals, no file of its state.

A process has one account at most, since moto's models and parts of ours belong to the process.
"""

from __future__ import annotations

import functools
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import cloudformation, moto_settings
from .account.account_owner import AccountOwner
from .account.credentials import ACCOUNT_ID, REGION, Credentials, CredentialStore
from .account.service_table import Effect, named
from .awslambda import code_download, function_code, function_runner, lambda_service
from .engine import executor
from .events import event_bus
from .execution.environment import Factory
from .http import cbor, dispatch, signing
from .http.call import Answer, Call, Unreadable, read
from .http.http1 import Request
from .iam import access_control
from .logs.log_writer import LogWriter
from .mappings import service as mappings
from .recovery import saved_state, touched, undo
from .seams import table as seams
from .storage import journal
from .storage.store import StoreError

logger = logging.getLogger("local_aws.services")

_ANEW = "The embedded AWS could not keep a change, and reads again what it has kept. Call again in a moment."
_ENDED = (
    "The embedded AWS could not keep a change, and ends with it in this interpreter. Make room on the disk and begin "
    "again in a new one: what was kept is there."
)


class Account:
    """An account: its credentials and its services.

    administrator: the credentials that may do everything; endpoint_url: where whoever uses the account finds it.
    """

    _open = False
    _in_one_thread = False

    def __init__(
        self,
        endpoint_url: str,
        owner: AccountOwner | None = None,
        code_root: Path | None = None,
        runs_in: executor.Executor | None = None,
        begin_anew: Callable[[], None] | None = None,
    ) -> None:
        """Build the account, or go on with the one that `owner` has opened; without an owner it lives in memory.

        code_root: the folder for unpacked functions (without one, a temporary folder); runs_in: what runs the account's
        background work (without it, what is in use already); begin_anew: has another process go on with what is on
        disk. Raises RuntimeError when this process has an account.
        """
        if Account._open:
            raise RuntimeError("this process has an account already")
        Account._open = True
        if runs_in is not None:
            executor.use(runs_in)
        self._in_one_thread = not executor.in_use().threaded
        moto_settings.apply()
        self.endpoint_url = endpoint_url
        self._begin_anew = begin_anew
        self._owner = owner or AccountOwner.of(None)
        self.administrator = self._owner.administrator
        self._credentials = CredentialStore(self.administrator)
        self._code = None if code_root else tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        _install(code_root or Path(self._code.name if self._code else ""), self._credentials.find)
        self._prepare_functions()
        if self._owner.store is None:
            lambda_service.revive()
        else:
            saved_state.open_with(self._owner.store)

    def _prepare_functions(self) -> None:
        """Tell those who run functions where the account is, and where logs go."""
        self._logs = LogWriter(ACCOUNT_ID, REGION)
        host = function_runner.Host(self.endpoint_url, self._credentials.for_role, self._logs.append, _environments())
        function_runner.set_host(host)
        code_download.set_endpoint(self.endpoint_url)

    def resume(self) -> None:
        """Go on with what an earlier process has left undone. Call it when requests are answered."""
        saved_state.resume()
        if saved_state.has_stacks():
            cloudformation.resume(self.endpoint_url, self._credentials.find)

    def answer(self, request: Request) -> Answer:
        """Answer a request as AWS would: status, headers, body. Every failure is an answer, too."""
        return cbor.understood(request, self._answer(request))

    def _answer(self, request: Request) -> Answer:
        try:
            if journal.given_up() is not None:
                return self._over(request)
            answer = self._answered(request)
            if journal.given_up() is not None and self._begin_anew is not None:
                self._begin_anew()
            return answer
        except Exception:  # no more files, processes or memory, too
            logger.exception("%s %s could not be answered", request.method, request.target)
            message = "The embedded AWS failed; its server.log says why."
            return dispatch.error_answer(_named_service(request), 500, "InternalFailure", message)

    def screen(self, request: Request) -> Answer | None:
        """Return the refusal of a request that is refused whatever its body is, which is not here; None for others."""
        if request.path.startswith(code_download.PATH):
            answer = code_download.answer(request)
            return answer if answer[0] != 200 else None
        try:
            signing.screen(request, self._credentials)
        except signing.NotAuthenticated as error:
            return _refuse(request, error)
        return None

    def rest(self) -> None:
        """Begin nothing more that asks the account itself. Call it when requests are about to be no longer answered."""
        cloudformation.end()

    def close(self) -> None:
        """End all functions, save the account, and let go of its folder. The process cannot build another."""
        self.rest()
        event_bus.close()
        mappings.stop_all()
        if self._owner.store is None:
            lambda_service.close_all()
        function_runner.close_all()
        self._logs.close()
        saved_state.close()
        if self._code is not None:
            self._code.cleanup()

    def _over(self, request: Request) -> Answer:
        """Answer when memory has what was refused, so that nothing of it may be seen."""
        service = _named_service(request)
        if self._begin_anew is not None:  # a moment later, the next process answers
            return dispatch.error_answer(service, 503, "ServiceUnavailable", _ANEW)
        return dispatch.error_answer(service, 507, "InternalFailure", _ENDED)

    def _answered(self, request: Request) -> Answer:
        """Lead a request its whole way: who asks, for what, and the stages of what then happens."""
        if request.path.startswith(code_download.PATH):
            return code_download.answer(request)
        try:
            caller = signing.authenticate(request, self._credentials)
        except signing.NotAuthenticated as error:
            return _refuse(request, error)
        if caller.region not in _regions():
            return _refuse_region(caller)
        if self._in_one_thread and not _hands_over(request):
            executor.run_due()  # which may take long: it is the time at which the request came that it was signed for
        try:
            call = read(request, caller)
            for stage in (self._write_logs, decide, make_up, serve, keep):
                if (end := stage(call)) is not None:
                    return end
        except Unreadable as error:
            return dispatch.error_answer(caller.service.endpoint, 400, error.code, str(error))
        return call.answer

    def _write_logs(self, call: Call) -> Answer | None:
        """Have whoever reads the logs read all that was written before; a policy that changes is no matter to it."""
        if call.service.endpoint in ("logs", "iam"):
            self._logs.flush()
        return None


def _environments() -> Factory:
    """Return what makes execution environments: with worker processes, or in this interpreter if it is all there is."""
    if executor.in_use().threaded:
        from .execution.process_environment import ProcessEnvironment

        return ProcessEnvironment
    from .execution.in_process_environment import InProcessEnvironment

    return InProcessEnvironment


def decide(call: Call) -> Answer | None:
    """End the way of a call that IAM does not allow."""
    return access_control.refuse(call)


def make_up(call: Call) -> Answer | None:
    """Write first what could not be written before, or end the way of a call that is to write more."""
    if call.effect is not Effect.NOTHING and journal.in_trouble():
        return _commit(call)
    return None


def serve(call: Call) -> Answer | None:
    """Have the service answer, and note what it has in its hands meanwhile: in memory nobody asks."""
    if journal.store is None:
        call.answer = dispatch.dispatch(call)
        return None
    call.undone = undo.counts()
    with touched.noted() as seen:
        call.answer = dispatch.dispatch(call)
    call.changed = saved_state.changed_by(call, seen)
    return None


def keep(call: Call) -> Answer | None:
    """Bring to disk what the call has changed, or say that it cannot be kept."""
    saved_state.note(call)
    if call.effect is Effect.NOTHING and journal.in_trouble():
        return None
    return _commit(call, last=call.effect is not Effect.NOTHING) or _refuse_undone(call)


def _refuse_undone(call: Call) -> Answer | None:
    """End the way of a call whose changes have been taken back, since they could not be saved."""
    lost = undo.since(call.undone) & call.changed
    if not lost:
        return None
    names = ", ".join(sorted(name for name, _ in lost))
    message = f"The embedded AWS cannot do this yet: keep what {call.name} makes in {names}. Nothing was changed."
    return dispatch.error_answer(call.service.endpoint, 501, "NotImplemented", message)


def _commit(call: Call, *, last: bool = False) -> Answer | None:
    try:
        journal.commit(last=last)
    except StoreError as error:
        logger.warning("%s", error)
        if call.effect is not Effect.NOTHING or journal.given_up() is not None:
            return dispatch.error_answer(call.service.endpoint, 507, "InternalFailure", str(error))
    return None


def _hands_over(request: Request) -> bool:
    """Return whether a request puts something into a queue, and asks for nothing: events, an asynchronous invocation.

    Whoever sends many of them in a row is not held up by what follows from the first: a queue forms, as on AWS.
    """
    headers = request.headers
    return headers.get("x-amz-target") == "AWSEvents.PutEvents" or headers.get("x-amz-invocation-type") == "Event"


def _refuse(request: Request, error: signing.NotAuthenticated) -> Answer:
    """Without a valid signature the service is not known for certain: the form of the answer is a good guess."""
    service = named(_named_service(request))
    json_status = 400 if "x-amz-target" in request.headers else 403
    status, code = (403, error.query_code) if service.answers_xml else (json_status, error.code)
    return dispatch.error_answer(service.endpoint, status, code, str(error))


@functools.cache
def _regions() -> frozenset[str]:
    """Return AWS's regions, of all its partitions: SQS is in each."""
    from moto.sqs.models import sqs_backends

    return frozenset(sqs_backends[ACCOUNT_ID].regions)


def _refuse_region(caller: signing.Caller) -> Answer:
    """AWS has no endpoint there, so that a request does not leave its client; where it has one, it answers like this.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
    """
    service = caller.service
    code = "SignatureDoesNotMatch" if service.answers_xml else "InvalidSignatureException"
    message = f"Credential should be scoped to a valid region, not {caller.region!r}. One is us-east-1."
    return dispatch.error_answer(service.endpoint, 400, code, message)


def _named_service(request: Request) -> str:
    """Return the service that a request says it is for, which nobody has checked yet."""
    scope = request.headers.get("authorization", "").split("/")
    return scope[3] if len(scope) > 3 else "s3" if "x-amz-target" not in request.headers else ""


def _install(code_root: Path, find_credentials: Callable[[str], Credentials | None]) -> None:
    """Put our parts into moto, in this order.

    code_root: the folder for unpacked functions; find_credentials: knows the credentials of an access key id.
    """
    function_code.set_root(code_root)
    dispatch.register("cloudformation", cloudformation.answering(find_credentials), cloudformation.lock)
    seams.install()
