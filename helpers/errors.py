"""The error that a learner can do something about."""


class WorkbookError(Exception):
    """Its message is one line that says what to do; a notebook shows that line and no traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks an exception that has this how to show it
        return [f"{type(self).__name__}: {self}"]
