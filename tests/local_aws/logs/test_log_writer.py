"""What functions print: written in the background, at once for who reads, and at the end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count

import pytest
from moto.logs.models import logs_backends

from helpers.local_aws.engine import executor
from helpers.local_aws.engine.loop import Loop
from helpers.local_aws.logs.log_writer import INTERVAL, LogWriter
from tests.support.one_thread import one_thread

ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture(autouse=True)
def loop() -> Iterator[Loop]:
    with one_thread() as made:
        yield made


class Written:
    """A writer, and what it has written to a group of its own."""

    def __init__(self) -> None:
        self.writer, self._group, self._times = LogWriter(ACCOUNT, REGION), uuid.uuid4().hex, count()

    def append(self, *messages: str) -> None:
        self.writer.append(self._group, "stream", [(next(self._times), text) for text in messages])

    def lines(self) -> list[str]:
        group = logs_backends[ACCOUNT][REGION].groups.get(self._group)
        return [event.message for event in group.streams["stream"].events] if group else []


@pytest.fixture
def written() -> Written:
    return Written()


def test_lines_are_written_a_moment_later_and_together(monkeypatch):
    flushed, flush = [], LogWriter.flush
    monkeypatch.setattr(LogWriter, "flush", lambda writer: (flushed.append(1), flush(writer)))
    written = Written()  # its pulse has the method as it is now
    written.append("one", "two")
    written.append("three")
    executor.sleep(0.9 * INTERVAL)
    assert written.lines() == []
    executor.sleep(0.2 * INTERVAL)
    assert (written.lines(), len(flushed)) == (["one", "two", "three"], 1)
    written.append("four")
    executor.sleep(INTERVAL)
    assert (written.lines(), len(flushed)) == (["one", "two", "three", "four"], 2)


def test_who_reads_waits_for_no_moment(written):
    written.append("one")
    written.writer.flush()
    assert written.lines() == ["one"]


def test_at_the_end_everything_is_written(written):
    written.append("one")
    written.writer.close()
    assert written.lines() == ["one"]
    executor.sleep(1)
    assert written.lines() == ["one"]


def test_a_batch_is_in_the_order_of_time(written):
    written.writer.append(written._group, "stream", [(2, "second"), (1, "first")])
    written.writer.flush()
    assert written.lines() == ["first", "second"]
