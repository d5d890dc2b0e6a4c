"""Read settings from environment variables; nonsense is said in one line. Standard library only."""

import math
import os

from .errors import WorkbookError


def number(name: str, default: float, least: float = 0) -> float:
    """Return the number that the variable `name` has, `default` when it is unset or empty. Raises WorkbookError."""
    text = os.environ.get(name, "").strip()
    try:
        found = float(text) if text else default
    except ValueError:
        found = math.nan
    if not least <= found < math.inf:
        raise WorkbookError(f"{name} is {text!r}; it must be a number from {least:g} up, such as {default:g}.")
    return found


def whole_number(name: str, default: int) -> int:
    """Return the whole number, 1 or more, that the variable `name` has; `default` as above. Raises WorkbookError."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not int(text):
        raise WorkbookError(f"{name} is {text!r}; it must be a whole number from 1 up, such as {default}.")
    return int(text)
