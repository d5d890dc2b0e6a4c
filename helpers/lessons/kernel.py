"""Let a notebook's kernel end a cell that fails for a foreseeable reason with a line or two, not with a traceback.

This is an extension of IPython. Kernels of the workbook's environment load it when they start, before any cell has run
(etc/ipython in it, see pyproject.toml); elsewhere the first import of `helpers` does. It stays small: what explains an
error is imported when there is one.
"""

import logging
import sys
from traceback import format_exception
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Show errors in short in this shell from now on, and import what lies beside a notebook when a cell has begun.

    IPython calls it, once.
    """
    shell.set_custom_exc((Exception, KeyboardInterrupt), _show)
    # Said below the first chart of a machine, and on a slow one alone: a lesson's output is the same everywhere.
    logging.getLogger("matplotlib.font_manager").addFilter(_is_not_about_the_cache)
    if sys.flags.safe_path:  # helpers.lab.kernels has it so
        shell.events.register("pre_run_cell", _look_beside_the_notebook)


def _is_not_about_the_cache(record: logging.LogRecord) -> bool:
    return "font cache" not in record.getMessage()


def _look_beside_the_notebook(_: Any = None) -> None:
    """Have imports look in the working directory, after the standard library, as in every other kernel of IPython."""
    if "" not in sys.path:
        packages = (at for at, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages")))
        sys.path.insert(next(packages, len(sys.path)), "")


def _show(
    shell: Any, kind: type[BaseException], error: BaseException, traceback: Any, tb_offset: int | None = None
) -> list[str] | None:
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, traceback  # for %tb and %debug
    shown = _lines(error, shell)
    if shown:
        shell._showtraceback(kind, error, shown)  # noqa: SLF001  each front end of IPython has its own
        return shown
    try:
        shell.showtraceback((kind, error, traceback), tb_offset=tb_offset, running_compiled_code=True)
    except Exception as trouble:  # IPython would never come here again
        print("".join(format_exception(error)), f"(IPython could not show this error: {trouble!r})", file=sys.stderr)
        shell._showtraceback(kind, RuntimeError(f"{kind.__name__}, which has no text"), [])  # noqa: SLF001
    return None


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
