"""Read what a worker prints: a file that it appends to, read line by line and kept small."""

from __future__ import annotations

import os
from pathlib import Path

from ..engine import executor

#: Bytes that one read takes from the file.
_CHUNK = 1024 * 1024
#: Bytes of output that are kept of one look at the worker; of a function that prints more in a moment, the rest is
#: counted and left out.
MAX_OUTPUT = 4 * _CHUNK
#: Size of the output file, in bytes, at which it is emptied after it was read.
TRUNCATE_AT = 4 * 1024 * 1024
#: Bytes that may wait in the file while nobody reads it, between two invocations.
MAX_WAITING = 16 * 1024 * 1024
#: Bytes of one log event; a longer line becomes several. CloudWatch Logs takes 1 MB, and took 256 KB for long:
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
MAX_LINE = 256 * 1024


class WorkerOutput:
    """A file, not a pipe: it never blocks the function, and when an answer arrives all that was printed before it is
    already there to read, on every platform. `lost` counts the bytes that were left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._file = path.open("rb", buffering=0)
        self._lock = executor.Lock()
        self._offset = 0
        self._partial = b""
        self.lost = 0

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def read(self, whole: bool) -> list[str]:
        """Return the lines that were printed since the last call, each with its newline.

        A last line without one waits for the rest of it, unless the output is `whole`.
        """
        with self._lock:
            content = self._take()
        if not content and not self._partial:
            return []
        *lines, self._partial = (self._partial + content).split(b"\n")
        if whole or len(self._partial) >= MAX_LINE:
            lines, self._partial = [*lines, self._partial], b""
            texts = _texts(lines[:-1]) + _texts(lines[-1:], end="")
        else:
            texts = _texts(lines)
        return texts

    def take_lost(self) -> int:
        """Return the bytes that were left out since the last call."""
        with self._lock:
            lost, self.lost = self.lost, 0
        return lost

    def keep_small(self) -> None:
        """Forget what waits when it is too much: a function may print while no invocation reads it."""
        with self._lock:
            if not self._file.closed and os.fstat(self._file.fileno()).st_size - self._offset > MAX_WAITING:
                self._skip()

    def _take(self) -> bytes:
        content = chunk = self._file.read(_CHUNK)
        self._offset += len(chunk)
        while len(chunk) == _CHUNK and len(content) < MAX_OUTPUT:
            chunk = self._file.read(_CHUNK)
            self._offset += len(chunk)
            content += chunk
        if len(chunk) == _CHUNK or self._offset > TRUNCATE_AT:
            self._skip()
        return content

    def _skip(self) -> None:
        """Empty the file; the worker appends, so its next line is at the start again."""
        self.lost += max(0, os.fstat(self._file.fileno()).st_size - self._offset)
        os.truncate(self.path, 0)
        self._file.seek(0)
        self._offset = 0


def _texts(lines: list[bytes], end: str = "\n") -> list[str]:
    texts = []
    for line in lines:
        if len(line) > MAX_LINE:
            pieces = [line[at : at + MAX_LINE] for at in range(0, len(line), MAX_LINE)]
            texts += [piece.decode("utf-8", "replace") for piece in pieces[:-1]]
            line = pieces[-1]
        if line or end:
            texts.append(line.decode("utf-8", "replace") + end)
    return texts
