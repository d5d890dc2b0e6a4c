"""Keep what an account has for as long as it exists: store, administrator's credentials, and last port.

With the same credentials and, where it is free, the same port, a notebook that was open when the server ended goes on
with the next one. The credentials are as old as the account then; `stop --forget` ends both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ..storage.store import Store, UnreadableError
from .credentials import Credentials, random_credentials

#: The store's name in the account's folder.
STORE = "account.sqlite"
#: Set, for measuring, to keep the account in memory alone.
IN_MEMORY = "LOCAL_AWS_IN_MEMORY"

_KIND = "administrator"


def made_by() -> str:
    """Return whose state this is. moto's models are part of it: another moto may not understand them."""
    return f"moto {version('moto')}"


@dataclass
class AccountOwner:
    """store: None for an account that lives in memory alone; last_port: 0 in a new account."""

    store: Store | None
    administrator: Credentials
    last_port: int = 0

    @classmethod
    def of(cls, folder: Path | None) -> AccountOwner:
        """Open the account in `folder`, or begin one; without a folder, one in memory. Raises StoreError."""
        if folder is None:
            return cls(None, random_credentials())
        store = Store(folder / STORE, made_by())
        for _, _, value in store.rows(_KIND):
            try:
                kept = json.loads(value)
                keys = Credentials(str(kept["access_key_id"]), str(kept["secret_access_key"]))
                return cls(store, keys, int(kept["port"]))
            except (ValueError, KeyError, TypeError) as error:
                reason = f"its credentials cannot be read ({type(error).__name__})"
                raise UnreadableError(store.path, reason) from None
        return cls(store, random_credentials())

    def remember(self, port: int) -> None:
        """Keep credentials and port. Raises StoreError."""
        if self.store is None:
            return
        keys = self.administrator
        kept = {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key, "port": port}
        row, value = (_KIND, "", ""), json.dumps(kept).encode()
        if self.store.get(*row) != value:
            self.store.put(*row, value)
            self.store.commit()
