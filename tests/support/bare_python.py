"""Make this interpreter as poor as a browser's: no thread starts, and some modules are not there."""

from __future__ import annotations

import sys
import threading
from typing import NoReturn

ABSENT = ("cryptography", "psutil", "resource", "subprocess")


class _Nowhere:
    """Finds none of them, before anybody else looks."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] in ABSENT:
            raise ImportError(f"{name} is not in this Python", name=name)


def forbid_threads() -> None:
    """Let no thread start from now on."""
    threading.Thread.start = _no_thread  # type: ignore[method-assign]


def take_modules_away() -> None:
    """Let nobody import them from now on."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ABSENT]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Nowhere())


def _no_thread(thread: threading.Thread) -> NoReturn:
    raise RuntimeError(f"can't start new thread ({thread.name})")
