"""Start a lesson's kernel while the lesson before it still runs. A pytest plugin (see conftest.py).

nbval starts a notebook's kernel when its first cell is due, and waits half a second until it answers: fifteen times in
a walk through all lessons. Only the process is started ahead; what speaks to it is made when it is due, as nbval does.
"""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from jupyter_client import KernelManager
from nbval import kernel as nbval_kernel


class KernelsAhead:
    """The kernels of one run, of which at most one has nobody to use it yet."""

    def __init__(self) -> None:
        self.notebooks = 0  # that are still to come
        self._ahead: tuple[tuple[str, str | None], KernelManager] | None = None

    def start_new_kernel(
        self, startup_timeout: int = 60, kernel_name: str = "python", cwd: str | None = None, **_: Any
    ) -> tuple[KernelManager, Any]:
        """What nbval calls in place of its own function: the manager and the client of a kernel that answers."""
        wanted = kernel_name, cwd
        if self._ahead and self._ahead[0] != wanted:
            self.close()
        manager = self._ahead[1] if self._ahead else self._started(*wanted)
        self._ahead = None
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=startup_timeout)
        except RuntimeError:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            raise
        self.notebooks -= 1
        if self.notebooks > 0:
            self.start_ahead(*wanted)
        return manager, client

    def start_ahead(self, kernel_name: str, cwd: str | None) -> None:
        """Start the kernel of the next notebook."""
        self._ahead = (kernel_name, cwd), self._started(kernel_name, cwd)

    @staticmethod
    def _started(kernel_name: str, cwd: str | None) -> KernelManager:
        manager = KernelManager(kernel_name=kernel_name, kernel_spec_manager=nbval_kernel.NbvalKernelspecManager())
        manager.start_kernel(stderr=subprocess.DEVNULL, cwd=cwd)
        return manager

    def close(self) -> None:
        """End the kernel that nobody has come for: the run was ended before its notebook."""
        if self._ahead:
            self._ahead[1].shutdown_kernel(now=True)
            self._ahead = None


KERNELS = KernelsAhead()


def pytest_configure() -> None:
    nbval_kernel.start_new_kernel = KERNELS.start_new_kernel


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    cells = (item for item in session.items if type(item).__module__ == "nbval.plugin")
    notebooks = list(dict.fromkeys(item.path for item in cells))
    KERNELS.notebooks = len(notebooks)
    # One of several processes may have no notebook to run, and looking at what there is to test starts nothing.
    alone = not hasattr(session.config, "workerinput") and not session.config.option.collectonly
    if notebooks and alone and session.config.option.nbval_current_env:
        KERNELS.start_ahead(nbval_kernel.CURRENT_ENV_KERNEL_NAME, str(notebooks[0].parent))


def pytest_unconfigure() -> None:
    KERNELS.close()
