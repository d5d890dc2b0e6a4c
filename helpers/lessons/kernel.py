"""Let a notebook's kernel end a cell that fails for a foreseeable reason with a line or two, not with a traceback.

This is an extension of IPython. Kernels of the workbook's environment load it when they start, before any cell has run
(etc/ipython in it, see pyproject.toml); elsewhere the first import of `helpers` does. It stays small: what explains an
error is imported when there is one.
"""

import sys
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Show errors in short in this shell from now on. IPython calls it, once."""
    shell.set_custom_exc((Exception,), _show)


def _show(
    shell: Any, kind: type[BaseException], error: BaseException, traceback: Any, tb_offset: int | None = None
) -> list[str] | None:
    shown = _lines(error, shell)
    if not shown:
        shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
        return None
    shell._showtraceback(kind, error, shown)  # noqa: SLF001  each front end of IPython has its own
    return shown


def _lines(error: BaseException, shell: Any) -> list[str]:
    try:
        from helpers.lessons.explanations import lines
    except ImportError:  # an environment without boto3
        return []
    try:
        return lines(error, shell.user_ns)
    except Exception as trouble:  # whatever it is, the learner has to see the error
        print(f"(This error could not be explained: {trouble!r})", file=sys.stderr)
        return []
