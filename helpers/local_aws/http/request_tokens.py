"""Run a request once that is sent twice with the same token: whoever repeats it gets the first one's answer.

A token is the member that the operation's model marks as such (SDKs fill it in by themselves), or that has one of its
usual names. What was answered is on disk with what was changed, in one commit. The same token in another request is
refused. A request that failed has no effect, so it may be sent again.

How long a token holds: DynamoDB says ten minutes after the request was answered
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html), EC2 a day at least
(https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html). Others say nothing; decided: a day. Decided,
too: no answer is repeated that says that something was made which has been deleted since, or the other way round.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel

from ..account.service_table import Effect
from ..engine import clock, executor
from ..storage import journal
from .call import Answer, Call

KIND = "request token"
#: Seconds that a token holds, by service where it is not a day.
HOLDS, LIFETIMES = 86_400.0, {"dynamodb": 600.0}

_NAMES = frozenset({"ClientRequestToken", "ClientToken", "clientToken", "clientRequestToken"})
#: What looks like a token and is none, or is one in another way. By botocore's service and the member, with the reason.
NO_TOKENS = {
    ("secretsmanager", "ClientRequestToken"): "is the id of the secret's version, for ever: moto looks after that",
    ("efs", "CreationToken"): "is refused the second time: moto does so",
    ("codepipeline", "clientToken"): "is the secret that a job was handed out with",
    ("athena", "NamedQueryId"): "is what is deleted",
    ("athena", "QueryExecutionId"): "is what is stopped",
    ("bedrock-agentcore", "runtimeSessionId"): "is the conversation that goes on",
    ("chime-sdk-messaging", "CallbackId"): "is the message that is answered",
    ("codeguruprofiler", "profileToken"): "names the profile",
    ("elementalinference", "associatedResourceName"): "names what is associated",
}
_DELETING = re.compile("Delete|Terminate|Remove|Deregister|Release|Disassociate")


@dataclass(frozen=True)
class Name:
    """Whose token it is: a service, where and for what it was asked, and what the caller sent."""

    service: str
    region: str
    operation: str
    token: str


@dataclass(frozen=True)
class Answered:
    """request: a digest of all that was asked; at: when it was answered; state: whether state was changed by it."""

    request: str
    answer: Answer
    at: float
    state: bool


_answered: dict[str, dict[Name, Answered]] = {}  # by service, in the order in which they were answered
_under_way: set[Name] = set()
_changed = executor.Condition()


def member(operation: OperationModel) -> str | None:
    """Return the name of the member that is an operation's token; None for one without."""
    shape = operation.input_shape
    if shape is None:
        return None
    service = operation.service_model.service_name
    marked: list[str] = [*operation.idempotent_members, *(name for name in shape.members if name in _NAMES)]
    return next((name for name in marked if (service, name) not in NO_TOKENS), None)


class Token:
    """The token of one request."""

    def __init__(self, call: Call, member_name: str) -> None:
        given = {name: value for name, value in call.input.items() if name != member_name}
        text = json.dumps(given, sort_keys=True, default=str)
        self.name = Name(call.service.endpoint, call.region, call.name, str(call.input[member_name]))
        self._request = hashlib.sha256(text.encode()).hexdigest()
        self._state = call.effect is Effect.STATE

    @contextmanager
    def alone(self) -> Iterator[Answered | None]:
        """Wait for whoever asks with the same token; then give what was answered, if anything was."""
        with _changed:
            _changed.wait_for(lambda: self.name not in _under_way)
            _under_way.add(self.name)
            _forget_old(self.name.service)
            known = _answered.get(self.name.service, {}).get(self.name)
        try:
            yield known
        finally:
            with _changed:
                _under_way.discard(self.name)
                _changed.notify_all()

    def is_of(self, known: Answered) -> bool:
        """Return whether the same was asked as then."""
        return known.request == self._request

    def keep(self, answer: Answer) -> None:
        """Keep an answer, beside the rows of what was changed. The service's lock should be held."""
        made = Answered(self._request, answer, clock.now(), self._state)
        with _changed:
            _note(self.name, made)
        journal.put(KIND, "", _row(self.name), pickle.dumps((self.name, made), 5))


def of(call: Call) -> Token | None:
    """Return the token of a request that may change something; None without one."""
    if call.effect is Effect.NOTHING or call.operation is None:
        return None
    name = _member(call.operation)
    return Token(call, name) if name is not None and call.input.get(name) else None


_members: dict[tuple[str, str], str | None] = {}


def _member(operation: OperationModel) -> str | None:
    key = (operation.service_model.service_name, operation.name)
    if key not in _members:
        _members[key] = member(operation)
    return _members[key]


def mismatch(operation: OperationModel) -> tuple[int, str]:
    """Return status and code with which a service refuses a token that another request has had."""
    wanted = ("idempotentparametermismatch", "idempotency", "idempotent", "tokenalreadyexists", "conflictexception")
    for part in wanted:
        for shape in operation.error_shapes:
            if part in shape.name.lower():
                error: dict[str, Any] = shape.metadata.get("error", {})
                return int(error.get("httpStatusCode", 400)), str(error.get("code", shape.name))
    xml = operation.service_model.metadata["protocol"] in ("query", "ec2", "rest-xml")
    return 400, "IdempotentParameterMismatch" if xml else "IdempotentParameterMismatchException"


def forget_undone(call: Call) -> None:
    """Forget what is not true any more when a call has succeeded: deletions end creations, and the other way round."""
    if call.effect is not Effect.STATE or not _answered:
        return
    deleting = bool(_DELETING.match(call.name))
    with _changed:
        for name, known in list(_answered.get(call.service.endpoint, {}).items()):
            undone = known.state and bool(_DELETING.match(name.operation)) is not deleting
            if undone and name.region == call.region:
                _forget(name)


def _forget_old(service: str) -> None:
    """Forget a service's tokens whose time is over: the oldest. (A clock may have been set back since.)"""
    of_service, now = _answered.get(service, {}), clock.now()
    while of_service:
        name, known = next(iter(of_service.items()))
        if abs(now - known.at) <= LIFETIMES.get(service, HOLDS):
            return
        _forget(name)


def _note(name: Name, made: Answered) -> None:
    of_service = _answered.setdefault(name.service, {})
    of_service.pop(name, None)  # it comes after the others now
    of_service[name] = made


def _forget(name: Name) -> None:
    del _answered[name.service][name]
    journal.delete(KIND, "", _row(name))


def _row(name: Name) -> str:
    return "\n".join((name.service, name.region, name.operation, name.token))


def restore() -> None:
    """Know the tokens of an earlier process."""
    assert journal.store is not None
    _answered.clear()
    for _, _, value in journal.store.rows(KIND):
        _note(*pickle.loads(value))
