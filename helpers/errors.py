"""Define the one error that its reader can do something about. Standard library only."""

HELP = "notebooks/WHEN_IT_DOES_NOT_WORK.md"


class WorkbookError(Exception):
    """Its message is one line that says what to do: notebooks and commands show that line and no traceback.

    `more` is the heading of HELP, as an anchor, under which there is more to read.
    """

    def __init__(self, message: str, more: str = "") -> None:
        super().__init__(f"{message} More: {HELP}#{more}" if more else message)

    def _render_traceback_(self) -> list[str]:  # IPython asks an exception that has this how to show it
        return [f"{type(self).__name__}: {self}"]


class WaitTimeout(WorkbookError, TimeoutError):
    """What a lesson waited for did not come in time."""
