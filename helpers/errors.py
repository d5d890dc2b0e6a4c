"""Define the one error that its reader can do something about. Standard library only."""

import sys
from html import escape
from typing import Any

_PAGE = "WHEN_IT_DOES_NOT_WORK.md"  # beside the lessons
HELP = f"notebooks/{_PAGE}"


class WorkbookError(Exception):
    """Its message is one line that says what to do: notebooks and commands show that line and no traceback.

    `more` is an anchor of HELP, under which there is more to read. A notebook shows it as a link, too.
    """

    def __init__(self, message: str, more: str = "") -> None:
        super().__init__(f"{message} More: {HELP}#{more}" if more else message)
        self._shown = str(self)
        self._anchor = more

    def _render_traceback_(self) -> list[str]:  # IPython asks an exception that has this how to show it, and twice
        if self._anchor and _show_link(self._anchor):
            self._shown = self._shown.removesuffix(f" More: {HELP}#{self._anchor}")
            self._anchor = ""
        return [f"{type(self).__name__}: {self._shown}"]


class WaitTimeout(WorkbookError, TimeoutError):
    """What a lesson waited for did not come in time."""


def _show_link(anchor: str) -> bool:
    """Show a link to an entry of the page above the error; returns whether there is a front end that can follow it.

    No front end makes a link of what an error's own text says. In a terminal, that text has to do.
    """
    ipython: Any = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    if not hasattr(shell, "kernel"):
        return False
    words = escape(anchor.replace("-", " "))
    link = f'<a href="{_PAGE}#{escape(anchor)}">When it does not work: {words}</a>'
    shell.display_pub.publish({"text/plain": f"See {_PAGE}#{anchor}", "text/html": f"<div>See {link}</div>"})
    return True
