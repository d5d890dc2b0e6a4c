"""What a store has after a cut: the machine died while it wrote, and only a part of the log came to disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from helpers.local_aws.storage.store import Store

#: Bytes of SQLite's write-ahead log: https://www.sqlite.org/fileformat2.html#walformat
HEADER, FRAME_HEADER = 32, 24


def places(log: bytes) -> list[int]:
    """Return where to cut a log of SQLite's: between any two of its frames, and within each."""
    page = int.from_bytes(log[8:12], "big")
    ends = range(HEADER, len(log) + 1, FRAME_HEADER + page)
    return sorted({0, HEADER // 2, *ends, *(end + FRAME_HEADER + page // 2 for end in ends[:-1]), len(log)})


def stores(path: Path, folder: Path) -> Iterator[Store]:
    """Yield what a server finds in the store at `path` after each cut, from nothing of the log to all of it."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    for place in places(log):
        cut = folder / f"cut-{place}" / path.name
        cut.parent.mkdir(parents=True)
        shutil.copy(path, cut)
        cut.with_name(f"{path.name}-wal").write_bytes(log[:place])
        found = Store(cut, "test")
        yield found
        found.close()
        shutil.rmtree(cut.parent)
