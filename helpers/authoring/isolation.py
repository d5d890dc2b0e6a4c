"""Give tests and tools an account and settings of their own: a learner's are never touched."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.local_aws import lifecycle
from helpers.paths import MY_LESSONS, PROJECT

#: Tests and tools do not watch and wait for as long as learners do: one of AWS's minutes lasts a quarter of a second
#: (helpers.local_aws.engine.clock).
TIME_SCALE = str(1 / 240)
#: Which AWS the lessons speak to (helpers.target.connection).
TARGET = ("WORKBOOK_TARGET", "WORKBOOK_ACCOUNT", "WORKBOOK_PREFIX")


def isolate(folder: Path, keep_target: bool = False) -> None:
    """Make this process, and kernels that it starts, find their account and settings in `folder` from now on.

    With `keep_target` the environment still says which AWS that is.
    """
    os.environ["LOCAL_AWS_HOME"] = str(folder / "account")
    os.environ["WORKBOOK_HOME"] = str(folder / "workbook")  # which exercises were solved
    os.environ[MY_LESSONS] = str(folder / "my-lessons")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")  # no start-up files and no history of the user's
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if str(PROJECT) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(PROJECT), *paths])
    os.environ["LOCAL_AWS_TIME_SCALE"] = TIME_SCALE
    limits = ("LOCAL_AWS_MAX_EVENTS", "LOCAL_AWS_MAX_EVENT_MB")
    for name in ("MPLBACKEND", *limits, *(() if keep_target else TARGET)):
        os.environ.pop(name, None)


@contextmanager
def isolated(folder: Path) -> Iterator[None]:
    """Isolate (see `isolate`) for as long as the context lasts; the environment is then what it was."""
    before = dict(os.environ)
    isolate(folder)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def throw_away_account() -> Iterator[lifecycle.Access]:
    """Start a new, empty account for this process and its kernels; it is gone when the context ends."""
    folder = tempfile.TemporaryDirectory(prefix="workbook-", ignore_cleanup_errors=True)
    with folder as name, isolated(Path(name)):
        try:
            yield lifecycle.start()
        finally:
            lifecycle.stop()
