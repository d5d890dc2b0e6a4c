"""Make and find the credentials that open the account: its administrator's, and those that it has issued.

The administrator's are made at every start and live in a file that only the user can read. The others are
moto's: access keys of IAM users, and the temporary credentials of roles that somebody, or Lambda itself, has
assumed.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
#: Seconds that the session of an execution environment lasts, as far as moto knows of it.
ROLE_SESSION_SECONDS = 12 * 3600

_KEY_CHARACTERS = string.ascii_uppercase + "234567"
_SECRET_CHARACTERS = string.ascii_letters + string.digits + "/+"


@dataclass(frozen=True)
class Credentials:
    """An access key, its secret, and whose they are.

    Temporary ones have a session token, the role, and when they end; principal_arn is then the session's.
    session_policy: the JSON text of the policy that narrows a session down; source_function: the ARN of the
    Lambda function for whose execution environment they were made. role_id: the unique id of the session's role
    (AROA…), "" when there was no such role; None for what is no session.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    role_arn: str | None = None
    expires_at: float | None = None  # seconds since the epoch, as the client was told
    principal_arn: str = ""
    user_name: str | None = None
    session_policy: str | None = None
    source_function: str | None = None
    role_id: str | None = None

    is_administrator: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_administrator", self.access_key_id.startswith("LKIA"))


def random_credentials() -> Credentials:
    """Make an administrator's credentials. The prefix LKIA is none of AWS's: nobody mistakes them for real ones."""
    key = "LKIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(16))
    return Credentials(key, "".join(secrets.choice(_SECRET_CHARACTERS) for _ in range(40)))


class CredentialStore:
    """Finds the credentials that belong to an access key id."""

    def __init__(self, administrator: Credentials) -> None:
        self._known = {administrator.access_key_id: administrator}

    def find(self, access_key_id: str) -> Credentials | None:
        """Return the credentials of an access key; None when nobody has them, or the session's role is deleted."""
        credentials = self._known.get(access_key_id) or self._issued(access_key_id)
        if credentials is not None and credentials.role_id is not None and not _role_exists(credentials.role_id):
            return None
        return credentials

    def for_role(self, role_arn: str, session_name: str) -> Credentials:
        """Assume a role as the Lambda service does for an execution environment, and return its credentials.

        They do not expire: AWS rotates them inside of a running environment. A worker that is warm still when a laptop
        has slept for a night, or its clock was set, must not fail for that.
        """
        from moto.sts.models import sts_backends

        role = sts_backends[ACCOUNT_ID]["aws"].assume_role(
            region_name=REGION,
            role_session_name=session_name,
            role_arn=role_arn,
            policy="",
            duration=ROLE_SESSION_SECONDS,
            external_id="",
        )
        return self._remember(role, f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{session_name}")

    def _remember(self, role: Any, source_function: str | None = None) -> Credentials:
        credentials = Credentials(
            role.access_key_id,
            role.secret_access_key,
            role.session_token,
            role.role_arn,
            # moto keeps the time in UTC, without saying so
            None if source_function else role.expiration.replace(tzinfo=role.expiration.tzinfo or UTC).timestamp(),
            role.arn,
            session_policy=role.policy or None,
            source_function=source_function,
            role_id=getattr(role, "role_id", ""),
        )
        self._known[credentials.access_key_id] = credentials
        return credentials

    def _issued(self, access_key_id: str) -> Credentials | None:
        from moto.iam.models import iam_backends
        from moto.sts.models import sts_backends

        role = sts_backends[ACCOUNT_ID]["aws"].get_assumed_role_from_access_key(access_key_id)
        if role is not None:
            return self._remember(role)
        key = iam_backends[ACCOUNT_ID]["aws"].access_keys.get(access_key_id)
        if key is None or key.status != "Active":
            return None
        user = iam_backends[ACCOUNT_ID]["aws"].users.get(key.user_name or "")
        arn = user.arn if user is not None else ""
        # Not remembered: it can be deleted.
        return Credentials(key.access_key_id, key.secret_access_key, principal_arn=arn, user_name=key.user_name)


def _role_exists(role_id: str) -> bool:
    """Return whether the role with this id exists.

    A role that is made anew under its old name has another id: it does not bring old sessions back.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    """
    from moto.iam.models import iam_backends

    return role_id in iam_backends[ACCOUNT_ID]["aws"].roles
