"""The embedded AWS with little time for a function's initialisation: a test need not wait half a minute for its end.

    python -m tests.support.impatient_aws FOLDER SECONDS

serves an account in the folder, like `difficult_aws`.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle, server
from helpers.local_aws.execution import environment
from tests.support.embedded_aws import Aws, own_home, serve
from tests.support.polling import PATIENCE


@contextlib.contextmanager
def impatient_aws(folder: Path, seconds: float) -> Iterator[Aws]:
    """Serve an account whose functions must have been imported within so many seconds."""
    process, account = serve("tests.support.impatient_aws", folder, str(seconds))
    try:
        yield Aws(account, folder)
    finally:
        with own_home(folder), contextlib.suppress(WorkbookError):
            lifecycle.stop()
        process.wait(PATIENCE)


def main(folder: str, seconds: str) -> int:
    environment.INIT_TIMEOUT = float(seconds)
    return server.main(folder, 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
