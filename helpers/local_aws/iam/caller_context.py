"""Find the condition keys that every request has: who calls, from where, when.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.iam.models import iam_backends

from ..account.credentials import ACCOUNT_ID, Credentials
from ..engine import clock
from ..http.http1 import Request


class CallerContext(Mapping[str, Any]):
    """The keys of one request, in lower case. Each is found out when a policy asks for it; few policies do."""

    __slots__ = ("credentials", "request", "region", "_own")

    def __init__(self, credentials: Credentials, request: Request, region: str, own: Mapping[str, Any]) -> None:
        """own: the keys that only the service of this request has."""
        self.credentials, self.request, self.region, self._own = credentials, request, region, own

    def __getitem__(self, key: str) -> str | tuple[str, ...]:
        value = self._find(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return (key for key in (*self._own, *_KEYS) if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _find(self, key: str) -> str | tuple[str, ...] | None:
        if key in self._own:
            given = self._own[key]
            value: str | tuple[str, ...] | None = given() if callable(given) else given
            return value
        if key.startswith("aws:principaltag/"):
            tags = {tag["Key"].lower(): tag["Value"] for tag in getattr(self._entity(), "tags", None) or ()}
            return tags.get(key.partition("/")[2])
        find = _KEYS.get(key)
        return find(self) if find else None

    def _entity(self) -> Any:
        """Return the role or user that calls, as IAM keeps it; None when it has been deleted."""
        backend, credentials = iam_backends[ACCOUNT_ID]["aws"], self.credentials
        if credentials.role_arn is None:
            return backend.users.get(credentials.user_name or "")
        return next((role for role in list(backend.roles.values()) if role.arn == credentials.role_arn), None)

    def user_id(self) -> str | None:
        """Return aws:userid: the id of the user, or of the role and its session; None when it has been deleted."""
        entity, credentials = self._entity(), self.credentials
        if entity is None or credentials.role_arn is None:
            return getattr(entity, "id", None)
        return f"{entity.id}:{credentials.principal_arn.rpartition('/')[2]}"


_KEYS: dict[str, Callable[[CallerContext], str | None]] = {
    "aws:username": lambda c: c.credentials.user_name,
    "aws:userid": CallerContext.user_id,
    "aws:principalarn": lambda c: c.credentials.role_arn or c.credentials.principal_arn,
    "aws:principalaccount": lambda c: ACCOUNT_ID,
    "aws:principaltype": lambda c: "AssumedRole" if c.credentials.role_arn else "User",
    "aws:principalisawsservice": lambda c: "false",
    "aws:resourceaccount": lambda c: ACCOUNT_ID,
    "aws:requestedregion": lambda c: c.region,
    "aws:viaawsservice": lambda c: "false",
    "aws:useragent": lambda c: c.request.headers.get("user-agent"),
    "aws:multifactorauthpresent": lambda c: "false" if c.credentials.role_arn else None,
    "aws:currenttime": lambda c: clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ"),
    "aws:epochtime": lambda c: str(int(clock.now())),
    "aws:sourceip": lambda c: "127.0.0.1",
    # On AWS these requests come over TLS; here they never leave the machine, and a policy that demands TLS holds.
    "aws:securetransport": lambda c: "true",
    "lambda:sourcefunctionarn": lambda c: c.credentials.source_function,
}
