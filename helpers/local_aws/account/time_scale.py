"""Scale how long the embedded AWS waits where AWS waits minutes: retry delays, ages of events.

The environment variable LOCAL_AWS_TIME_SCALE of the server's process is the factor, 1/60 without it: one of
AWS's minutes lasts a second. 0 means no waiting, 1 means AWS's own pace. Tests choose a quarter of the usual factor.
"""

from __future__ import annotations

import math
import os

from helpers.errors import WorkbookError

DEFAULT = 1 / 60


def read() -> float:
    """Return the factor that the environment names. Raises WorkbookError when it is no number from 0 up."""
    text = os.environ.get("LOCAL_AWS_TIME_SCALE", "").strip()
    try:
        factor = float(text) if text else DEFAULT
    except ValueError:
        factor = -1.0
    if not 0 <= factor < math.inf:
        raise WorkbookError(
            f"LOCAL_AWS_TIME_SCALE is {text!r}; it must be a number from 0 up, such as 0.5 (half of AWS's times)."
        )
    return factor


#: The factor of this process.
FACTOR = read()


def scaled(seconds: float) -> float:
    """Return the seconds to wait here for what takes `seconds` on AWS."""
    return seconds * FACTOR
