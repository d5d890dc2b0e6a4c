"""IAM as it was some seconds ago, for whoever decides by it; its own lists are up to date."""

from __future__ import annotations

import threading
import time
from typing import Any

from helpers.local_aws import server
from helpers.local_aws.awslambda import lambda_validation
from helpers.local_aws.events import target_permission
from helpers.local_aws.iam import identity_policies, security_tokens


class History:
    """The documents of all identities after each change, and the time of the change."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._lock = threading.Lock()
        self._states: list[tuple[float, dict[str, tuple]]] = [(float("-inf"), {})]
        self._documents = identity_policies._documents

    def note(self) -> None:
        backend = identity_policies._iam()
        entities = [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]
        trusts = {each.arn: getattr(each, "assume_role_policy_document", None) for each in entities}
        now = {each.arn: (self._documents(each), trusts[each.arn]) for each in entities}
        with self._lock:
            if now != self._states[-1][1]:
                self._states.append((time.monotonic(), now))

    def of(self, arn: str) -> tuple[tuple[str, ...], str | None]:
        """(the policies' documents, the trust policy) as they were."""
        then = time.monotonic() - self._delay
        with self._lock:
            while len(self._states) > 1 and self._states[1][0] <= then:
                del self._states[0]
            return self._states[0][1].get(arn, ((), None))


class _Then:
    """A role with the trust policy that it had."""

    def __init__(self, role: Any, trust: str | None) -> None:
        self._role, self.assume_role_policy_document = role, trust or "{}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._role, name)


class _Backends:
    """moto's IAM, of which two places read the trust policies."""

    def __init__(self, backends: Any, then: Any) -> None:
        self._backends, self._then = backends, then

    def __getitem__(self, account: str) -> Any:
        return _Partitions(self._backends[account], self._then)


class _Partitions(_Backends):
    def __getitem__(self, partition: str) -> Any:
        return _Iam(self._backends[partition], self._then)


class _Iam:
    def __init__(self, backend: Any, then: Any) -> None:
        self._backend, self._then = backend, then

    def get_role_by_arn(self, arn: str) -> Any:
        return self._then(self._backend.get_role_by_arn(arn))

    def get_roles(self) -> list[Any]:
        return [self._then(role) for role in self._backend.get_roles()]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def install(faults: Any, delay: float) -> None:
    history, current = History(delay), threading.local()
    answer = server.Server._answer

    def answered(self: server.Server, request: server.Request) -> Any:
        # CloudFormation waits for what it has told IAM itself.
        current.patient = "cloudformation.amazonaws" in request.headers.get("user-agent", "")
        given = answer(self, request)
        if request.method == "POST" and b"iam/aws4_request" in request.headers.get("authorization", "").encode():
            history.note()
        elif b"CreateStack" in request.body or b"DeleteStack" in request.body:
            threading.Timer(0.5, history.note).start()
        return given

    def documents(entity: Any) -> tuple[str, ...]:
        if getattr(current, "patient", False):
            return history._documents(entity)
        then, now = history.of(entity.arn)[0], history._documents(entity)
        if then != now:
            faults.strike("decided by the policies of before")
        return then

    def role(entity: Any) -> Any:
        if getattr(current, "patient", False):
            return entity
        trust = history.of(entity.arn)[1]
        if trust != entity.assume_role_policy_document:
            faults.strike("decided by the trust of before")
        return _Then(entity, trust)

    server.Server._answer = answered
    identity_policies._documents = documents
    for module in (lambda_validation, security_tokens, target_permission):
        if hasattr(module, "iam_backends"):
            module.iam_backends = _Backends(module.iam_backends, role)
