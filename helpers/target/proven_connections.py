"""Have the embedded AWS prove that it is there, on each new connection, before boto3 sends a request on it.

A kernel outlives its account's server: after a crash, another user's program may listen at its port, and boto3 would
send it orders. Botocore's pool of connections makes them of a class that can be chosen (urllib3's `ConnectionCls`), so
this asks once for each connection, and not for each request. It holds for all clients of this process, older ones and
those of other sessions too, towards the embedded AWS and no other address.
"""

from __future__ import annotations

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from helpers.local_aws import server_proof
from helpers.local_aws.lifecycle import Access

#: Seconds that a server may take to prove itself: as long as it may be slow to answer `lifecycle` at most.
PATIENCE = 60.0

_accounts: dict[int, Access] = {}  # by port


class NotTheAccount(NewConnectionError):
    """Somebody else listens where the embedded AWS was; botocore makes an EndpointConnectionError of it."""


class ProvenConnection(AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    """A connection that is open when its server has proved that it is the account's."""

    def connect(self) -> None:
        """Open the connection. Raises NotTheAccount, and what urllib3 raises when nobody is there."""
        super().connect()
        account = _accounts.get(self.port or 0) if self.host in ("127.0.0.1", "localhost") else None
        if account is None:
            return
        try:
            keys = account.access_key_id, account.secret_access_key
            proven = server_proof.prove(self.sock, account.port, *keys, PATIENCE)
        except TimeoutError:
            self.close()
            raise ConnectTimeoutError(self, "the embedded AWS is too slow to answer") from None
        if not proven:
            self.close()
            raise NotTheAccount(self, "another program listens where the embedded AWS was")


def expect(account: Access) -> None:
    """Ask whoever listens at the account's address for a proof from now on."""
    _accounts[account.port] = account
    AWSHTTPConnectionPool.ConnectionCls = ProvenConnection
