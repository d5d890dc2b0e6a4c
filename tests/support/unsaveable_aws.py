"""The embedded AWS with an SES that makes something no snapshot can hold, for an address that says so.

python -m tests.support.unsaveable_aws FOLDER

serves an account in the folder, like `difficult_aws`.
"""

from __future__ import annotations

import sys
from typing import Any

from moto.ses.models import SESBackend

from helpers.local_aws import server

_verify = SESBackend.verify_email_identity


def verify(self: Any, identity: str) -> None:
    _verify(self, identity)
    if identity.startswith("unsaveable"):
        self.unsaveable = (each for each in ())


if __name__ == "__main__":
    SESBackend.verify_email_identity = verify
    sys.exit(server.main(sys.argv[1], 0))
