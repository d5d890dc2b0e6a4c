"""Show what is being done and for how long, on a terminal or in a log. Standard library only."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TextIO

#: Seconds between two signs of life: where the line can be redrawn, and where each is a new line.
REDRAW, NEW_LINE = 0.5, 10.0


class StatusLine:
    """One line for each step: redrawn with the seconds on a terminal, a few plain lines in a log."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._redraws = self._stream.isatty()
        self._text = ""
        self._drawn = 0  # how many characters the line on the terminal has
        self._since = self._shown = time.monotonic()

    @contextlib.contextmanager
    def step(self, number: int, of: int, text: str) -> Iterator[None]:
        """Show a step while it runs, then how long it took."""
        self._text, self._since, self._shown = f"[{number}/{of}] {text}", time.monotonic(), time.monotonic()
        self._draw(f"{self._text} ...")
        how = "stopped"
        try:
            yield
            how = "done"
        finally:
            self.say(f"{self._text}: {how} after {self._seconds()} s")

    def heartbeat(self, detail: str = "") -> None:
        """Show the seconds so far, and a detail, if the last sign of life is old enough."""
        if time.monotonic() - self._shown >= (REDRAW if self._redraws else NEW_LINE):
            self._shown = time.monotonic()
            self._draw(f"{self._text} ... {self._seconds()} s" + (f" ({detail})" if detail else ""))

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._draw(text, stays=True)

    def _seconds(self) -> int:
        return round(time.monotonic() - self._since)

    def _draw(self, line: str, stays: bool = False) -> None:
        if not self._redraws:
            self._stream.write(line + "\n")
        else:
            # A line that is longer than the terminal is wide cannot be redrawn.
            line = line if stays else line[:79]
            self._stream.write("\r" + line.ljust(self._drawn) + ("\n" if stays else ""))
            self._drawn = 0 if stays else len(line)
        self._stream.flush()
