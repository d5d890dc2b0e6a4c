"""Run nbval's cells in this interpreter, in an account that is in it too: no kernel, no server, no other process.

    python -m pytest -p tests.support.in_process notebooks

A pytest plugin, for a process of its own. It takes the place of nbval's kernels alone: what is run, what is compared
and what is overlooked is nbval's affair as ever. No thread starts meanwhile. WORKBOOK_CLOCK=quick moves the clock on
instead of waiting.
"""

from __future__ import annotations

import builtins
import contextlib
import datetime
import importlib
import io
import itertools
import os
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import boto3
import nbval.plugin
import pytest
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

from helpers.local_aws import in_process
from helpers.local_aws.engine import clock
from helpers.target import connection
from tests.support import bare_python

#: What a kernel of the workbook's environment begins with (helpers/lab/ipython).
EXTENSION = "helpers.lessons.kernel"
INLINE = "matplotlib_inline.backend_inline"  # what a kernel shows charts with

Send = Callable[..., None]


class Hook(DisplayHook):
    """Sends the value of a cell's last expression, as a kernel's does."""

    def start_displayhook(self) -> None:
        pass

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        self.shell.send("execute_result", data=format_dict, metadata=md_dict or {}, execution_count=self.prompt_count)

    def finish_displayhook(self) -> None:
        pass


class Publisher(DisplayPublisher):
    """Sends what a cell displays."""

    def publish(self, data: dict, metadata: dict | None = None, *_: Any, update: bool = False, **__: Any) -> None:
        kind = "update_display_data" if update else "display_data"
        self.shell.send(kind, data=data, metadata=metadata or {})


class Stream(io.TextIOBase):
    """Sends what a cell writes."""

    encoding = "utf-8"

    def __init__(self, name: str, send: Send) -> None:
        self._name, self._send = name, send

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self._send("stream", name=self._name, text=text)
        return len(text)


class Shell(InteractiveShell):
    """IPython as a kernel has it, without the kernel."""

    display_pub_class = Publisher
    displayhook_class = Hook
    send: Send
    kernel: ShellKernel  # what has a kernel can show links (helpers.errors)

    def init_history(self) -> None:
        """Without the thread that saves it."""
        self.history_manager = HistoryManager(shell=self, parent=self, enabled=False)

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self.send("error", ename=etype.__name__, evalue=str(evalue), traceback=stb)


class ShellKernel:
    """What nbval speaks to in place of its RunningKernel: one lesson's namespace, and the messages of its cells."""

    def __init__(self, *_: Any, cwd: str, **__: Any) -> None:
        self._messages: deque[dict[str, Any]] = deque()
        self._numbers = itertools.count(1)
        self._cell = ""
        self._left = contextlib.ExitStack()  # what is put back when the lesson ends
        self._left.enter_context(own_process())
        self._cwd = Path(cwd)
        Shell.clear_instance()
        self._left.callback(Shell.clear_instance)
        self._shell = Shell.instance()
        self._shell.send, self._shell.kernel = self._send, self
        self._shell.extension_manager.load_extension(EXTENSION)
        if "matplotlib.pyplot" in sys.modules:  # its charts were an earlier lesson's shell's to show
            importlib.import_module(INLINE)._enable_matplotlib_integration()

    def execute_cell_input(self, source: str, allow_stdin: bool | None = None) -> str:
        self._cell = str(next(self._numbers))
        with self._in_its_folder(), self._outputs():
            self._shell.user_ns["__builtins__"] = builtins_by_the_clock()
            self._shell.run_cell(source, store_history=False)
        self._send("status", execution_state="idle")
        return self._cell

    @contextlib.contextmanager
    def _in_its_folder(self) -> Iterator[None]:
        """A lesson changes its folder, and pytest must not notice."""
        folder = Path.cwd()
        os.chdir(self._cwd)
        try:
            yield
        finally:
            self._cwd = Path.cwd()
            os.chdir(folder)

    @contextlib.contextmanager
    def _outputs(self) -> Iterator[None]:
        out, err = (Stream(name, self._send) for name in ("stdout", "stderr"))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        pass  # it has run when execute_cell_input returns

    def await_idle(self, parent_id: str, timeout: float) -> None:
        self._messages.clear()

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        if not self._messages:
            raise Empty
        return self._messages.popleft()

    def is_alive(self) -> bool:
        return True

    def stop(self) -> None:
        self._left.close()

    def _send(self, kind: str, **content: Any) -> None:
        self._messages.append({"msg_type": kind, "content": content, "parent_header": {"msg_id": self._cell}})


@contextlib.contextmanager
def own_process() -> Iterator[None]:
    """Give a lesson what a process of its own would have had, and take it away again."""
    variables, paths, main = dict(os.environ), list(sys.path), sys.modules["__main__"]
    known = set(sys.modules)
    os.environ["MPLBACKEND"] = f"module://{INLINE}"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(variables)
        sys.path[:] = paths
        sys.modules["__main__"] = main
        for name in set(sys.modules) - known:
            if name == "handler" or name.startswith("handler."):
                del sys.modules[name]
        connection._connected = None
        boto3.DEFAULT_SESSION = None


def builtins_by_the_clock() -> dict[str, Any]:
    """What a cell finds when it imports `datetime`: one that tells the account's time, as `time` does there.

    Nobody but cells: the class itself cannot be changed, and another in its place would be a stranger to everybody.
    """
    facade = types.ModuleType("datetime")
    vars(facade).update({**vars(datetime), "datetime": AccountsDatetime})

    def importing(name: str, *arguments: Any, **named: Any) -> Any:
        return facade if name == "datetime" else builtins.__import__(name, *arguments, **named)

    return {**vars(builtins), "__import__": importing}


class _LikeDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime.datetime)


class AccountsDatetime(datetime.datetime, metaclass=_LikeDatetime):
    """Makes moments like `datetime` does; `now` is the account's."""

    def __new__(cls, *arguments: Any, **named: Any) -> datetime.datetime:
        return datetime.datetime(*arguments, **named)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(clock.now(), tz)


ACCOUNT = pytest.StashKey[contextlib.AbstractContextManager]()


@pytest.hookimpl(trylast=True)  # conftest.py isolates the process first
def pytest_configure(config: pytest.Config) -> None:
    own = clock.QuickClock() if os.environ.get("WORKBOOK_CLOCK") == "quick" else None
    config.stash[ACCOUNT] = in_process(clock=own)
    nbval.plugin.RunningKernel = ShellKernel
    config.option.nbval_current_env = False  # tests.support.kernels would start one ahead


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    bare_python.forbid_threads()


def pytest_unconfigure(config: pytest.Config) -> None:
    account = config.stash.get(ACCOUNT, None)
    if account is not None:
        account.close()
