"""When the disk itself gets what was committed: after a quiet second, and every few while there is no quiet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.local_aws.awslambda import function_code
from helpers.local_aws.engine import clock, executor
from helpers.local_aws.storage import journal, syncing
from helpers.local_aws.storage.store import Store
from tests.support.embedded_aws import zip_of
from tests.support.one_thread import one_thread


class Disk:
    """Counts what is synced: (when, what), and whether a lock of the store was held."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.synced: list[tuple[float, str]] = []
        self.locked = False
        self.broken = False

    def fsync(self, path: Path, flags: int) -> None:
        descriptor = os.open(path, flags)
        os.fstat(descriptor)
        os.close(descriptor)
        if self.broken:
            raise OSError("the disk is gone")
        self.locked |= any(lock._is_owned() for lock in (self._store._lock, self._store._committing))
        self.synced.append((clock.monotonic(), path.name))

    def times(self) -> list[float]:
        """When the log was."""
        return [round(when, 2) for when, name in self.synced if name.endswith("-wal")]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.setattr(journal, "store", None)
    store = Store(tmp_path / "account.sqlite", "test")
    counting = Disk(store)
    monkeypatch.setattr(syncing, "fsync", counting.fsync)
    with one_thread():
        journal.open_with(store, lambda *_: None, lambda: None)
        executor.sleep(60)
        counting.synced.clear()
        yield counting
        counting.broken = False
        journal.close()


def change(key: str = "a") -> None:
    journal.put("kind", "owner", key, b"1")
    journal.commit()


def test_a_change_is_on_the_disk_after_a_quiet_second(disk):
    begun = clock.monotonic()
    change()
    executor.sleep(60)
    (when,) = disk.times()  # and none for what folding makes of it
    assert syncing.QUIET <= when - begun <= 2 * syncing.QUIET
    assert not disk.locked


def test_while_there_is_no_quiet_nothing_is_older_than_three_seconds(disk):
    begun = clock.monotonic()
    for number in range(600):
        change(str(number))
        executor.sleep(0.05)
    times = disk.times()
    assert 9 <= len(times) <= 12
    assert max(late - early for early, late in zip([begun, *times], times, strict=False)) <= syncing.EVERY + 0.1


def test_who_commits_syncs_nothing(disk):
    for number in range(600):
        change(str(number))
    assert disk.times() == []


def test_a_disk_that_fails_is_asked_again(disk, caplog):
    change()
    disk.broken = True
    executor.sleep(10)
    assert disk.times() == [] and "not safe from a power cut" in caplog.text
    disk.broken = False
    executor.sleep(10)
    assert disk.times()


def test_a_closed_store_is_not_synced(disk, caplog):
    change()
    journal.close()
    disk.synced.clear()
    executor.sleep(60)
    assert disk.synced == [] and "power cut" not in caplog.text


def test_the_code_of_a_function_is_on_the_disk_before_the_function_is(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(function_code, "_root", tmp_path / "functions")
    (tmp_path / "functions").mkdir()
    code = function_code.FunctionCode(zip_of({"main.py": "x = 1", "package/part.py": "y = 1"}), "name")
    change()
    executor.sleep(10)
    names = [name for _, name in disk.synced]
    before = names[: names.index("account.sqlite-wal")]
    assert {"main.py", "part.py", "package", code.path.name} <= set(before)
    assert any(name.startswith(code.path.name) and name != code.path.name for name in before), "the archive, too"


def test_the_log_is_really_synced(tmp_path, monkeypatch):
    store = Store(tmp_path / "account.sqlite", "test")
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(os.fstat(descriptor).st_ino))
    store.put("kind", "owner", "a", b"1")
    store.commit()
    assert seen == []
    store.sync()
    assert (tmp_path / "account.sqlite-wal").stat().st_ino in seen
    seen.clear()
    store.sync()
    assert seen == [], "once is enough"
    store.close()
