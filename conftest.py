"""What `pytest --nbval` needs: an embedded AWS of the run's own, there before the first kernel starts.

nbval's items use no fixtures, and their kernels inherit the environment of this process; so the account is
announced in the environment at once and started when a notebook is among what was collected. All notebooks
of a run share it, in their order, like a learner's lessons; a learner's own account is never touched.
"""

import os
import tempfile
from pathlib import Path

import pytest

from helpers.authoring import isolation
from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.target import connection

# What asserts in tests.support says as much as what asserts in a test.
pytest.register_assert_rewrite("tests.support")
#: Plugins of the tests: which tests a run has, in how many processes, and with which kernels.
pytest_plugins = ["tests.support.parallel", "tests.support.levels", "tests.support.kernels"]
FOLDER = pytest.StashKey[tempfile.TemporaryDirectory]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target-as-set",
        action="store_true",
        help="run the notebooks on the AWS that WORKBOOK_TARGET, WORKBOOK_ACCOUNT and WORKBOOK_PREFIX choose; without "
        "this option it is always an embedded one, and names have no prefix",
    )


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="workbook-test-", ignore_cleanup_errors=True)
    config.stash[FOLDER] = folder
    isolation.isolate(Path(folder.name), keep_target=config.option.target_as_set)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the account if notebooks will run; each kernel would, but the first would count it as its own
    time.
    """
    notebooks = any(type(item).__module__ == "nbval.plugin" for item in session.items)
    if notebooks and not session.config.option.collectonly:
        try:
            if connection.chosen(os.environ)[0] == connection.LOCAL:
                lifecycle.start()
        except WorkbookError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(FOLDER, None)
    if folder:
        with isolation.isolated(Path(folder.name)):
            lifecycle.stop()
        folder.cleanup()
